"""The part of `make lint` that looks for weaknesses: bandit, and semgrep with the rules in `dev/semgrep/`.

A line that a check is wrong about says so beside it: `# nosec B608 # reason`, or `# nosemgrep: raw-sql - reason`. The
examples next to the rules are checked in the same run, so a rule that no longer finds anything fails. Needs no network
once the programs are installed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dev import environment, paths, shell
from dev.steps import file_fingerprint

APP = paths.ROOT / paths.APP
RULES = paths.DEV / "semgrep"
TOOLS = paths.STATE / "lint"
PROGRAMS = paths.DEV / "static_checks.txt"
STAMP = TOOLS / "installed"
CHECKED = (".py", ".js")
MARK = re.compile(r"nosem(grep)?\b|\bnosec\b")
EXPLAINED = re.compile(r"# nosec (B\d{3}, ?)*B\d{3} # \S.{9,}|(#|//) nosemgrep: [a-z-]+ - \S.{9,}")
EXAMPLE = re.compile(r"(#|//) (ruleid|ok): ([a-z-]+)")
Finding = tuple[str, int, str]  # a file, a line, and a rule


def check() -> int:
	"""Print what is found, and return 1 if it is something."""
	install_programs()
	findings = run_semgrep()
	lines = [
		f"{place}: explain why, with at least ten characters after it" for place in find_unexplained(APP)
	]
	lines += check_examples({key for key in findings if Path(key[0]).parent == RULES})
	lines += [
		f"{paths.shown(Path(path))}:{line}: {rule}: {message}"
		for (path, line, rule), message in sorted(findings.items())
		if Path(path).parent != RULES
	]
	for line in lines:
		print(line)
	return run_bandit() or int(bool(lines))


def install_programs() -> None:
	"""Install bandit and semgrep in an environment of their own, unless these versions are there."""
	wanted = f"{file_fingerprint(PROGRAMS)} {environment.python_fingerprint()}"
	if STAMP.exists() and STAMP.read_text() == wanted:
		return
	python = TOOLS / "bin" / "python"
	shell.run(
		[sys.executable, "-m", "venv", "--clear", TOOLS],
		log="lint",
		remedy="Install Python's module venv, or name another Python: make PYTHON=python3.11 lint",
	)
	command = [python, "-m", "pip", "install", "--disable-pip-version-check", "-r", PROGRAMS]
	shell.run(command, log="lint", remedy=environment.AGAIN)
	STAMP.write_text(wanted)


def run_semgrep() -> dict[Finding, str]:
	"""Return what the rules find in the app and in their examples, with the message of each rule."""
	command = [
		*(TOOLS / "bin" / "semgrep", "scan", "--config", RULES, "--json", "--quiet", "--metrics=off"),
		*("--disable-version-check", "--no-git-ignore", APP, RULES),
	]
	settings = {"SEMGREP_SETTINGS_FILE": str(TOOLS / "settings.yml"), "PATH": search_path()}
	done = subprocess.run(
		[str(word) for word in command],
		cwd=paths.ROOT,
		env={**os.environ, **settings},
		stdout=subprocess.PIPE,
		text=True,
		check=False,
	)
	if done.returncode != 0:
		raise shell.StepError("semgrep failed", "Read what it says above.", done.stdout[-2000:])
	return {
		(
			str(paths.ROOT / found["path"]),
			found["start"]["line"],
			found["check_id"].rpartition(".")[2],
		): found["extra"]["message"]
		for found in json.loads(done.stdout)["results"]
	}


def search_path() -> str:
	"""Return the PATH on which semgrep finds its own parts."""
	return os.pathsep.join((str(TOOLS / "bin"), os.environ.get("PATH", "")))


def run_bandit() -> int:
	"""Run bandit over the app; return its exit code."""
	command = [TOOLS / "bin" / "bandit", "--quiet", "--recursive", APP, "--exclude", APP / "tests"]
	done = subprocess.run(
		[str(word) for word in command],
		capture_output=True,
		text=True,
		check=False,
	)
	if done.returncode:
		print(done.stdout or done.stderr)
	return done.returncode


def find_unexplained(folder: Path) -> Iterator[str]:
	"""Yield each place that switches a check off without a reason."""
	for path in sorted(folder.rglob("*")):
		if path.suffix not in CHECKED or "__pycache__" in path.parts:
			continue
		for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
			if MARK.search(line) and not EXPLAINED.search(line):
				yield f"{paths.shown(path)}:{number}"


def check_examples(found: set[Finding]) -> list[str]:
	"""Return what is wrong about the examples: a rule finds what it should accept, misses one, or has none."""
	wanted, accepted = read_examples()
	return [
		*(f"{path}:{line}: {rule} does not find this" for path, line, rule in sorted(wanted - found)),
		*(f"{path}:{line}: {rule} finds this" for path, line, rule in sorted(found - wanted)),
		*(
			f"{rule} has no example that it {verb}"
			for verb, examples in (("finds", wanted), ("accepts", accepted))
			for rule in sorted(read_rules() - {rule for _path, _line, rule in examples})
		),
	]


def read_examples() -> tuple[set[Finding], set[Finding]]:
	"""Return the lines below `ruleid`, and those below `ok`."""
	examples: dict[str, set[Finding]] = {"ruleid": set(), "ok": set()}
	for path in sorted(RULES.iterdir()):
		for number, line in enumerate(path.read_text().splitlines(), 1) if path.suffix in CHECKED else ():
			if match := EXAMPLE.search(line):
				examples[match.group(2)].add((str(path), number + 1, match.group(3)))
	return examples["ruleid"], examples["ok"]


def read_rules() -> set[str]:
	"""Return the ids of all rules."""
	files = RULES.glob("*.yml")
	return {rule for file in files for rule in re.findall(r"^  - id: (\S+)$", file.read_text(), re.MULTILINE)}
