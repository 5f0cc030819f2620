"""The runtime is turned back as its corrections say, or not at all."""

import zipfile

import pytest

from dev.runtime import build
from dev.runtime.corrections import CORRECTIONS, Correction
from dev.shell import StepError

GREETING = Correction("greeting", "it is rude", "hello.py", "Go away", "Welcome")


def test_the_name_is_turned_back_in_paths_and_texts_but_not_in_pictures(tmp_path):
	wheel = tmp_path / "fork.whl"
	with zipfile.ZipFile(wheel, "w") as archive:
		archive.writestr("monoframe/public/monoframe.js", "monoframe.provide('Monoframe', MONOFRAME)")
		archive.writestr("monoframe/logo.png", b"\x89PNG\xff monoframe")
		archive.writestr("monoframe-0.0.1.dist-info/METADATA", "Name: monoframe")

	build.unpack(wheel, tmp_path / "frappe")

	written = {
		path.relative_to(tmp_path / "frappe").as_posix() for path in (tmp_path / "frappe").rglob("*.*")
	}
	assert written == {"public/frappe.js", "logo.png"}
	assert (tmp_path / "frappe/public/frappe.js").read_text() == "frappe.provide('Frappe', FRAPPE)"
	assert (tmp_path / "frappe/logo.png").read_bytes() == b"\x89PNG\xff monoframe"


def test_a_correction_replaces_the_text_it_expects(tmp_path):
	(tmp_path / "hello.py").write_text("print('Go away')")

	build.correct(tmp_path, [GREETING])

	assert (tmp_path / "hello.py").read_text() == "print('Welcome')"


@pytest.mark.parametrize("content", ["print('Hello')", None], ids=["another text", "no such file"])
def test_a_correction_that_does_not_fit_stops_the_build_and_is_named(tmp_path, content):
	if content:
		(tmp_path / "hello.py").write_text(content)

	with pytest.raises(StepError) as error:
		build.correct(tmp_path, [GREETING])

	assert "'greeting'" in error.value.report()
	assert "frappe/hello.py" in error.value.report()
	assert "dev/runtime/corrections.py" in error.value.report()


def test_every_correction_has_a_name_of_its_own_and_a_reason():
	names = [correction.name for correction in CORRECTIONS]

	assert len(set(names)) == len(names)
	assert all(correction.why for correction in CORRECTIONS)


def test_the_runtime_is_pinned_by_hash():
	assert (
		"--hash=sha256:192e1430290ba868e515186a1e21bbdc7190a66fffbfaf35d5296bfca83a70ca"
		in build.PIN.read_text()
	)
