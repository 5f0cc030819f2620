"""Missing programs are installed by root, and named to everybody else."""

import os

import pytest

from dev import packages
from dev.shell import StepError


def test_only_the_packages_of_missing_programs_are_named():
	programs = {"sh": "dash", "no-such-program": "some-package", "nor-this-one": "some-package"}

	assert packages.missing(programs) == ["some-package"]


def test_without_root_one_line_says_what_to_install(monkeypatch):
	monkeypatch.setattr(os, "geteuid", lambda: 1000)
	monkeypatch.setattr("shutil.which", lambda program, path=None: "/usr/bin/apt-get")

	with pytest.raises(StepError) as error:
		packages.install(["mariadb-server-core", "redis-server"], log="apt")

	assert (
		"sudo apt-get install --no-install-recommends mariadb-server-core redis-server"
		in error.value.report()
	)
	assert "\n" not in error.value.report()


@pytest.mark.parametrize("systemd", [True, False])
def test_package_that_would_serve_the_network_is_only_named_where_it_would_start(
	monkeypatch, capsys, tmp_path, systemd
):
	monkeypatch.setattr(packages, "SYSTEMD", tmp_path if systemd else tmp_path / "none")
	monkeypatch.setattr(os, "geteuid", lambda: 1000)
	monkeypatch.setattr("shutil.which", lambda program, path=None: "/usr/bin/apt-get")

	packages.install_if_harmless(["dovecot-imapd"], log="apt")

	said = capsys.readouterr().out
	assert "dovecot-imapd" in said and "tests are skipped" in said
	assert ("sudo apt-get install" in said) is not systemd


def test_nothing_missing_is_nothing_done(monkeypatch):
	ran = []
	monkeypatch.setattr(packages.shell, "run", lambda *command, **options: ran.append(command))

	packages.install([], log="apt")

	assert not ran
