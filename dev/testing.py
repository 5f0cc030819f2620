"""`make test`, `make lint`, `make format`, `make demo`: the programs that check the app, on this site or on a bench."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlparse

from dev import paths, processes, services, shell, site, site_copy, static_checks

TESTS = paths.ROOT / "tests"
# Tests that need no site
WITHOUT_SITE = (TESTS / "core", TESTS / "dev", TESTS / "test_boundaries.py")
CORE_IMPORTS = (
	"import crawleruseragents, flufl.bounce, hypothesis, itsdangerous, pytest, quotequail, scipy, tzdata"
)
# A run of all tests tries every example; see tests/core/conftest.py
ALL_EXAMPLES = {"DRIP_HYPOTHESIS": os.environ.get("DRIP_HYPOTHESIS", "full")}
NO_TESTS = 5  # pytest's exit code if it found none
RUFF = [paths.PYTHON, "-m", "ruff"]


def attached(
	command: Sequence[str | Path], cwd: Path = paths.ROOT, env: Mapping[str, str] | None = None
) -> int:
	"""Run a program in the terminal and return its exit code. Ctrl-C reaches it and us; both clean up."""
	return subprocess.run(
		[str(word) for word in command], cwd=cwd, env=dict(env or paths.environment()), check=False
	).returncode


def run_tests(arguments: list[str]) -> int:
	"""Run the tests on this site, or on a bench: `test [--bench PATH --site NAME] [pytest arguments]`."""
	bench, arguments = take_option(arguments, "--bench")
	name, arguments = take_option(arguments, "--site")
	arguments = [word for argument in arguments for word in shlex.split(argument)]
	if bench:
		return run_tests_on_bench(Path(bench).expanduser().resolve(), name, arguments)
	if need_no_site(arguments):
		return run_without_site(arguments)
	if not paths.IS_SITE_COPY:
		site.make_site(quiet=True)
	on_both = not arguments and site_copy.make()
	with services.services_running():
		return run_on_both() if on_both else run_pytest(paths.PYTHON, arguments)


def run_fuzz(arguments: list[str]) -> int:
	"""Try random and hostile input for long: tests/fuzz and the tests with the mark `fuzz`, or those that the arguments name."""
	arguments = [word for argument in arguments for word in shlex.split(argument)]
	site.make_site(quiet=True)
	env = {**paths.environment(), "DRIP_HYPOTHESIS": "search"}
	runs = [arguments] if arguments else [[str(TESTS / "fuzz")], [str(TESTS), "-m", "fuzz"]]
	with services.services_running():
		codes = [run_pytest(paths.PYTHON, run, env=env) for run in runs]
	return next((code for code in codes if code not in (0, NO_TESTS)), 0)


def need_no_site(arguments: list[str]) -> bool:
	"""Return whether the arguments name tests, and only tests that run without a site."""
	places = [paths.ROOT / argument.partition("::")[0] for argument in arguments]
	tests = [place for place in places if place.is_relative_to(TESTS) and place.exists()]
	return bool(tests) and all(any(test.is_relative_to(folder) for folder in WITHOUT_SITE) for test in tests)


def run_without_site(arguments: list[str]) -> int:
	"""Run tests without a site and its servers, on this Python if the site is not made and it has the packages."""
	python = paths.PYTHON
	if not python.exists() and can_import(sys.executable, CORE_IMPORTS):
		python = Path(sys.executable)
	elif not can_import(python, CORE_IMPORTS):
		site.make_packages()
	env = {name: value for name, value in paths.environment().items() if name != "DRIP_SITE"}
	return run_pytest(python, arguments, env=env)


def can_import(python: str | Path, imports: str) -> bool:
	"""Return whether a Python runs and has these modules."""
	try:
		return subprocess.run([python, "-c", imports], capture_output=True, check=False).returncode == 0
	except OSError:
		return False


def run_on_both() -> int:
	"""Run all tests in two processes: half of them on this site, the others on its copy."""
	there = [str(TESTS / name) for name in ("browser", "journeys", "core")]
	here = [*pytest_command(paths.PYTHON), str(TESTS), *(f"--ignore={folder}" for folder in there)]
	beside = site_copy.command("test", "-p no:cacheprovider", *map(shlex.quote, there))
	env = {**paths.environment(), **ALL_EXAMPLES}
	return run_side_by_side(here, beside, paths.ROOT, env, {**site_copy.environment(), **ALL_EXAMPLES})


def run_pytest(
	python: Path, arguments: list[str], cwd: Path = paths.ROOT, env: Mapping[str, str] | None = None
) -> int:
	"""Run the tests that the arguments name; all of them in two processes, for those of the core need no site."""
	env = dict(env or paths.environment())
	command = pytest_command(python)
	if arguments:
		return attached([*command, *arguments], cwd, env)
	env |= ALL_EXAMPLES
	core = str(TESTS / "core")
	here, beside = [str(TESTS), f"--ignore={core}"], ["-p", "no:cacheprovider", core]
	return run_side_by_side([*command, *here], [*command, *beside], cwd, env, env)


def pytest_command(python: Path) -> list[str]:
	return [
		str(python),
		"-m",
		"pytest",
		"--rootdir",
		str(paths.ROOT),
		"-c",
		str(paths.ROOT / "pyproject.toml"),
	]


def run_side_by_side(
	here: list[str], beside: list[str], cwd: Path, env: Mapping[str, str], env_beside: Mapping[str, str]
) -> int:
	"""Run two test programs in parallel and return the first exit code that is not 0.

	The second one's output follows the first one's; the closing lines of both come last.
	"""
	with tempfile.TemporaryFile("w+") as output:
		second = subprocess.Popen(beside, cwd=cwd, env=dict(env_beside), stdout=output, stderr=output)
		try:
			code, closing = show_output(here, cwd, env)
			code = second.wait() or code
		finally:
			if second.poll() is None:
				second.send_signal(signal.SIGINT)  # it has servers to stop
			second.wait()
		output.seek(0)
		text = output.read().rstrip()
	print(
		f"\nThe tests that ran in parallel:\n{text}\n\n{closing}\n{text.rpartition(chr(10))[2]}", flush=True
	)
	return code


def show_output(command: list[str], cwd: Path, env: Mapping[str, str]) -> tuple[int, str]:
	"""Run a program, print its output line by line, and return its exit code and last line."""
	last = ""
	with subprocess.Popen(command, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, text=True) as process:
		for line in process.stdout:
			print(line, end="", flush=True)
			last = line.strip() or last
	return process.returncode, last


def take_option(arguments: list[str], option: str) -> tuple[str, list[str]]:
	"""Return the value behind an option ('' without it), and the arguments without both."""
	if option not in arguments:
		return "", arguments
	place = arguments.index(option)
	return arguments[place + 1], arguments[:place] + arguments[place + 2 :]


def run_tests_on_bench(bench: Path, name: str, arguments: list[str]) -> int:
	"""Run the same tests with a real bench's Python on one of its sites; its services must be up."""
	python = bench / "env" / "bin" / "python"
	check_bench(bench, python, name)
	install_test_extra(python)
	wanted = [from_root(argument) for argument in arguments]
	return run_pytest(python, wanted, cwd=bench / "sites", env=bench_environment(bench, name))


def from_root(argument: str) -> str:
	"""Return a path given relative to the project as an absolute one: pytest runs in the bench's folder."""
	file, colons, test = argument.partition("::")
	return f"{paths.ROOT / file}{colons}{test}" if (paths.ROOT / file).exists() else argument


def bench_environment(bench: Path, name: str) -> dict[str, str]:
	"""Return what a program needs to find a site of a bench, and this folder's tests and benchmarks."""
	return {
		**os.environ,
		"DRIP_BENCH": str(bench),
		"FRAPPE_SITE": name,
		"SITES_PATH": str(bench / "sites"),
		"DRIP_SITE": name,
		"DRIP_SITES_PATH": str(bench / "sites"),
	}


def run_benchmark(module: str) -> Callable[[list[str]], int]:
	"""Return the command that runs a module of benchmarks/ on this site: `[--bench PATH --site NAME] [arguments]`."""

	def run(arguments: list[str]) -> int:
		bench, arguments = take_option(arguments, "--bench")
		name, arguments = take_option(arguments, "--site")
		arguments = [word for argument in arguments for word in shlex.split(argument)]
		if bench:
			folder = Path(bench).expanduser().resolve()
			python = folder / "env" / "bin" / "python"
			check_bench(folder, python, name)
			install_test_extra(python)
			environment = {**bench_environment(folder, name), "PYTHONPATH": str(paths.ROOT)}
			return attached([python, "-m", module, *arguments], cwd=folder / "sites", env=environment)
		site.make_site(quiet=True)
		with services.services_running():
			return attached([paths.PYTHON, "-m", module, *arguments])

	return run


def check_bench(bench: Path, python: Path, name: str) -> None:
	"""Raise StepError if the bench, its site, or one of its services is missing."""
	if not python.exists():
		raise shell.StepError(
			f"{bench} isn't a bench: it has no env/bin/python",
			"Enter the path of a bench: BENCH=~/frappe-bench",
		)
	if not name or not (bench / "sites" / name / "site_config.json").exists():
		sites = sorted(path.parent.name for path in bench.glob("sites/*/site_config.json"))
		raise shell.StepError(
			f"The bench has no site '{name}'", f"Name one of its sites: SITE={'|'.join(sites) or '<name>'}"
		)
	config = json.loads((bench / "sites" / "common_site_config.json").read_text())
	config |= json.loads((bench / "sites" / name / "site_config.json").read_text())
	addresses = {key: urlparse(config[key]).port for key in ("redis_cache", "redis_queue") if config.get(key)}
	if config.get("db_host", "localhost") in ("localhost", processes.LOOPBACK):
		addresses["MariaDB"] = int(config.get("db_port") or 3306)
	down = [name for name, port in addresses.items() if port and not processes.is_listening(port)]
	if down:
		raise shell.StepError(
			f"Services of the bench are not running: {', '.join(down)}",
			f"Start them in another terminal: cd {bench} && bench start",
		)


def install_test_extra(python: Path) -> None:
	"""Install the packages that the tests need and the bench lacks."""
	if can_import(python, "import aiosmtpd, hypothesis, playwright, pytest, rich"):
		return
	wanted = read_test_extra((paths.ROOT / "pyproject.toml").read_text())
	shell.run(
		[python, "-m", "pip", "install", *wanted],
		log="bench-pip",
		remedy=f"Try it by hand: {python} -m pip install {shlex.join(wanted)}",
	)


def read_test_extra(pyproject: str) -> list[str]:
	"""Return the requirements of the extra `test`: the bench has the app itself, which must stay unchanged."""
	_, _, rest = pyproject.partition("\ntest = [\n")
	return re.findall(r'"(.+?)"', rest.partition("\n]")[0])


def run_demo(arguments: list[str]) -> int:
	"""Make the site and run the demo, which starts and stops what it needs."""
	site.make_site(quiet=True)
	return attached([paths.PYTHON, "-m", "dev.demo", *arguments])


def lint(arguments: list[str]) -> int:
	"""Check style, format, and known weaknesses; nothing is changed."""
	require_tools()
	return (
		attached([*RUFF, "check", "."])
		or attached([*RUFF, "format", "--check", "."])
		or static_checks.check()
	)


def format_code(arguments: list[str]) -> int:
	"""Format the code, and fix what ruff can fix."""
	require_tools()
	return attached([*RUFF, "check", "--fix", "."]) or attached([*RUFF, "format", "."])


def require_tools() -> None:
	"""Make the site if its environment has no ruff yet."""
	if not (paths.VENV / "bin" / "ruff").exists():
		site.make_site(quiet=True)
