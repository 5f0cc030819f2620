"""The static checks: what switches one off says why, and each rule has examples that it is measured by."""

import pytest

from dev import static_checks


@pytest.mark.parametrize(
	"line",
	[
		'x = f"SELECT {names}"  # nosec',
		'x = f"SELECT {names}"  # nosec B608',
		'x = f"SELECT {names}"  # nosec B608 # ok',
		"frappe.db.sql(x)  # nosemgrep",
		"frappe.db.sql(x)  # nosemgrep: raw-sql",
		"// nosemgrep: raw-html - short",
	],
)
def test_check_that_is_switched_off_without_a_reason_is_found(tmp_path, line):
	(tmp_path / "module.py").write_text(f"first = 1\n{line}\n")

	assert list(static_checks.find_unexplained(tmp_path)) == [f"{tmp_path}/module.py:2"]


@pytest.mark.parametrize(
	"line",
	[
		'x = f"SELECT {names}"  # nosec B608 # names of columns from code',
		'x = f"SELECT {names}"  # nosec B608, B105 # names of columns from code',
		"frappe.db.sql(x)  # nosemgrep: raw-sql - a table without DocType",
		"// nosemgrep: raw-html - the server has escaped it",
		"nosedive = 1",
	],
)
def test_check_that_is_switched_off_with_a_reason_is_accepted(tmp_path, line):
	(tmp_path / "module.js").write_text(f"{line}\n")

	assert not list(static_checks.find_unexplained(tmp_path))


def test_app_explains_each_check_that_it_switches_off():
	assert not list(static_checks.find_unexplained(static_checks.APP))


def test_rules_that_find_their_examples_pass():
	wanted, accepted = static_checks.read_examples()

	assert len(static_checks.read_rules()) >= 10
	assert wanted and accepted
	assert static_checks.check_examples(wanted) == []


def test_rule_that_finds_nothing_fails():
	wanted, _accepted = static_checks.read_examples()
	path, line, rule = min(wanted)

	[problem] = static_checks.check_examples(wanted - {(path, line, rule)})

	assert problem == f"{path}:{line}: {rule} does not find this"


def test_rule_that_finds_what_it_should_accept_fails():
	wanted, accepted = static_checks.read_examples()
	path, line, rule = min(accepted)

	[problem] = static_checks.check_examples({*wanted, (path, line, rule)})

	assert problem == f"{path}:{line}: {rule} finds this"


def test_rule_without_examples_fails(monkeypatch):
	wanted, _accepted = static_checks.read_examples()
	monkeypatch.setattr(static_checks, "read_rules", lambda: {"new-rule"})

	problems = static_checks.check_examples(wanted)

	assert problems == ["new-rule has no example that it finds", "new-rule has no example that it accepts"]
