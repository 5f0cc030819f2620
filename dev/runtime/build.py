"""Make the package `frappe`: fetch the pinned wheel, rename it back, correct it, add what was cut out.

Runs on the system's Python, standard library only. Building again gives the same files.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from dev.runtime.corrections import CORRECTIONS, Correction
from dev.shell import StepError

FOLDER = Path(__file__).resolve().parent
ADDED = FOLDER / "added"
PIN = FOLDER / "monoframe.txt"
WHEEL = "monoframe-0.0.1-py3-none-any.whl"

# The three spellings in which the fork replaced the name
NAMES = (("MONOFRAME", "FRAPPE"), ("Monoframe", "Frappe"), ("monoframe", "frappe"))


def fingerprint() -> str:
	"""Return a hash of everything the built package depends on."""
	digest = hashlib.sha256()
	for path in sorted(FOLDER.rglob("*")):
		if path.suffix in {".py", ".txt"}:
			digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes())
	return digest.hexdigest()


def build(wheel: Path, site_packages: Path) -> Path:
	"""Write the package `frappe` into `site_packages` and return its folder; an older one is replaced.

	The new package is built beside the old one and moved in place at the end, so that a broken build never
	leaves half a package behind.
	"""
	target, draft = site_packages / "frappe", site_packages / "frappe.building"
	shutil.rmtree(draft, ignore_errors=True)
	unpack(wheel, draft)
	correct(draft, CORRECTIONS)
	shutil.copytree(ADDED, draft, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
	shutil.rmtree(target, ignore_errors=True)
	draft.rename(target)
	return target


def unpack(wheel: Path, target: Path) -> None:
	"""Unpack the package of the wheel under its old name: paths and texts renamed, other files as they are."""
	with zipfile.ZipFile(wheel) as archive:
		for name in archive.namelist():
			path = PurePosixPath(name)
			if path.parts[0] != "monoframe" or name.endswith("/"):
				continue
			file = target / rename(path.relative_to("monoframe").as_posix())
			file.parent.mkdir(parents=True, exist_ok=True)
			file.write_bytes(rename_content(archive.read(name)))


def rename(text: str) -> str:
	for fork, original in NAMES:
		text = text.replace(fork, original)
	return text


def rename_content(content: bytes) -> bytes:
	"""Rename inside texts; images, fonts and archives are no UTF-8 and stay as they are."""
	try:
		return rename(content.decode()).encode()
	except UnicodeDecodeError:
		return content


def correct(package: Path, corrections: Iterable[Correction]) -> None:
	"""Carry out the corrections, or stop at the first whose file or text is not as expected."""
	for correction in corrections:
		path = package / correction.path
		text = path.read_text() if path.exists() else ""
		if correction.old not in text:
			raise StepError(
				f"The runtime's correction '{correction.name}' does not fit: the text it replaces is not in "
				f"frappe/{correction.path}",
				remedy="Adapt the correction in dev/runtime/corrections.py, or restore the pin in "
				"dev/runtime/monoframe.txt.",
			)
		path.write_text(text.replace(correction.old, correction.new))
