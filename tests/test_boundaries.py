"""What may import what, who may commit, how large things may get: read from the source, without running it.

A failure says where the code belongs.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "drip_campaigns"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)

MAY_COMMIT = {
	"actions/work.py",
	"commands.py",
	"daily.py",
	"dispatch/delivery.py",
	"dispatch/mail_store.py",  # find_strays: between two locks
	"dispatch/runner.py",
	"dispatch/sweep.py",
	"dispatch/telling.py",
	"enrollment/bulk_job.py",
	"enrollment/verbs_job.py",
	"lists/first_refresh.py",
	"feedback/retention.py",
	"lists/refresh.py",
	"tracking/counting.py",
	"triggers/work.py",
	"uninstall.py",
}
MAY_WRITE_SQL = {"dispatch/dialect.py", "dispatch/mail_store.py", "dispatch/store.py"}
MAY_READ_THE_CLOCK = {
	"site_clock.py",
	"row_names.py",
}  # a name begins with the time, and nobody reckons with it
CORE_MAY_IMPORT = {"flufl", "itsdangerous", "scipy", *sys.stdlib_module_names}
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 40
MOST_METHODS_OF_A_CLASS = 20


def name_of(path: Path) -> str:
	"""Return the path as the rules name it: inside the package, with slashes."""
	return path.relative_to(PACKAGE).as_posix()


def tree_of(path: Path) -> ast.Module:
	"""Return the syntax tree of a module."""
	return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(tree: ast.AST) -> Iterator[str]:
	"""Yield the full names of what is imported anywhere in a tree."""
	for node in ast.walk(tree):
		if isinstance(node, ast.Import):
			yield from (alias.name for alias in node.names)
		elif isinstance(node, ast.ImportFrom):
			yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls_in(tree: ast.AST) -> Iterator[str]:
	"""Yield the dotted names that are called anywhere in a tree."""
	for node in ast.walk(tree):
		if isinstance(node, ast.Call):
			yield ast.unparse(node.func)


def functions_in(path: Path) -> Iterator[ast.FunctionDef]:
	"""Yield every function of a module."""
	yield from (
		node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
	)


def test_core_imports_the_standard_library_and_itself():
	strangers = {
		f"{name_of(path)} imports {imported}"
		for path in MODULES
		if name_of(path).startswith("core/")
		for imported in imports_of(tree_of(path))
		if imported.split(".")[0] not in CORE_MAY_IMPORT and not imported.startswith("drip_campaigns.core")
	}

	assert not strangers, (
		"core/ is pure: pass the value in as an argument, or move the function to dispatch/ or enrollment/."
	)


def test_commits_happen_in_few_places():
	others = {
		name_of(path)
		for path in MODULES
		if any(call.endswith("db.commit") for call in calls_in(tree_of(path)))
		and name_of(path) not in MAY_COMMIT
	}

	assert not others, (
		"Only the loops commit, once per batch: runner, delivery, sweep, the jobs and the commands. "
		"Return, and let the caller's transaction carry it."
	)


def test_list_of_who_may_commit_names_only_who_does():
	idle = {
		name
		for name in MAY_COMMIT
		if not any(call.endswith("db.commit") for call in calls_in(tree_of(PACKAGE / name)))
	}

	assert not idle, "Take them off MAY_COMMIT: they do not commit any more."


def test_nothing_is_committed_in_an_except_except_where_the_failure_is_recorded():
	places = {
		f"{name_of(path)}:{node.lineno}"
		for path in MODULES
		if name_of(path) not in MAY_COMMIT
		for node in ast.walk(tree_of(path))
		if isinstance(node, ast.ExceptHandler) and any(call.endswith("db.commit") for call in calls_in(node))
	}

	assert not places, "A failure is recorded by the loop that caught it, not by a commit in passing."


def test_raw_sql_stands_in_the_stores():
	others = {
		name_of(path)
		for path in MODULES
		if any(call.endswith(("db.sql", "db.multisql")) for call in calls_in(tree_of(path)))
		and name_of(path) not in MAY_WRITE_SQL
	}

	assert not others, (
		"Use frappe.get_all or the query builder; what needs SQL goes to dispatch/store.py or dialect.py."
	)


def test_guests_reach_only_the_public_module():
	doors = {
		name_of(path)
		for path in MODULES
		for node in ast.walk(tree_of(path))
		if isinstance(node, ast.keyword) and node.arg == "allow_guest"
	}

	assert doors <= {"api/public.py"}, (
		"What a stranger can reach is all in api/public.py, one short file to read."
	)


def test_clock_is_read_in_one_place():
	readers = {
		f"{name_of(path)}: {call}"
		for path in MODULES
		if name_of(path) not in MAY_READ_THE_CLOCK
		for call in calls_in(tree_of(path))
		if call.endswith(
			("datetime.now", "datetime.utcnow", "date.today", "now_datetime", "nowdate", "time.time")
		)
	}

	assert not readers, "Take `now` as the last argument; the entry points ask site_clock.utc_now() once."


def test_edge_is_known_to_nobody_behind_it():
	wrong = {
		f"{name_of(path)} imports {imported}"
		for path in MODULES
		if not name_of(path).startswith("api/")
		for imported in imports_of(tree_of(path))
		if imported.startswith(("drip_campaigns.api", "drip_campaigns.commands", "drip_campaigns.hooks"))
	}

	assert not wrong, (
		"api/, commands.py and hooks.py know the folders behind them; none of those knows the edge."
	)


def test_nobody_imports_a_controller():
	wrong = {
		f"{name_of(path)} imports {imported}"
		for path in MODULES
		if "/doctype/" not in name_of(path)
		for imported in imports_of(tree_of(path))
		if ".doctype." in imported and imported.startswith("drip_campaigns.")
	}

	assert not wrong, (
		"A controller is called by Frappe only. Move the function to the folder whose word it is."
	)


def test_no_modules_import_each_other_in_a_circle():
	graph = {module_name(path): set(top_level_imports(path)) for path in MODULES}

	circles = {" -> ".join(circle) for circle in find_circles(graph)}

	assert not circles, "Move what both need into a third module, nearer to core/."


def module_name(path: Path) -> str:
	"""Return the dotted name of a module."""
	return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def top_level_imports(path: Path) -> Iterator[str]:
	"""Yield the modules of ours that importing this one imports."""
	known = {module_name(other) for other in MODULES}
	for node in tree_of(path).body:
		for imported in imports_of(node) if isinstance(node, ast.Import | ast.ImportFrom) else ():
			for candidate in (imported, imported.rpartition(".")[0]):
				if candidate in known:
					yield candidate
					break


def find_circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
	"""Yield each circle once, from where a walk meets it."""
	finished: set[str] = set()

	def walk(module: str, way: list[str]) -> Iterator[list[str]]:
		if module in way:
			yield [*way[way.index(module) :], module]
		elif module not in finished:
			for imported in sorted(graph[module]):
				yield from walk(imported, [*way, module])
			finished.add(module)

	for module in sorted(graph):
		yield from walk(module, [])


def test_no_module_is_too_long_to_read():
	long = {
		f"{name_of(path)}: {lines}"
		for path in MODULES
		if (lines := count_lines(path)) > MOST_LINES_OF_A_MODULE
	}

	assert not long, (
		f"Split it by idea before adding: {MOST_LINES_OF_A_MODULE} lines at most, 250 is the aim."
	)


def count_lines(path: Path) -> int:
	"""Return the number of lines of a file."""
	return len(path.read_text(encoding="utf-8").splitlines())


def test_no_function_is_too_long_to_read():
	long = {
		f"{name_of(path)}: {node.name} has {node.end_lineno - node.lineno + 1}"
		for path in MODULES
		for node in functions_in(path)
		if node.end_lineno - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
	}

	assert not long, f"Name its steps and call them: {MOST_LINES_OF_A_FUNCTION} lines at most, 20 is the aim."


def test_no_class_has_too_many_methods():
	large = {
		f"{name_of(path)}: {node.name}"
		for path in MODULES
		for node in ast.walk(tree_of(path))
		if isinstance(node, ast.ClassDef)
		and sum(isinstance(child, ast.FunctionDef) for child in node.body) > MOST_METHODS_OF_A_CLASS
	}

	assert not large, "A class with so many methods is two classes."


def test_every_module_and_every_public_function_says_what_it_guarantees():
	silent = set()
	for path in MODULES:
		tree = tree_of(path)
		if tree.body and not ast.get_docstring(tree) and path.name != "__init__.py":
			silent.add(name_of(path))
		for node in tree.body:
			public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
			if public and not ast.get_docstring(node):
				silent.add(f"{name_of(path)}: {node.name}")

	assert not silent, "Write one sentence: what it guarantees, in the imperative."


def test_every_function_is_typed():
	untyped = {
		f"{name_of(path)}:{node.lineno} {node.name}"
		for path in MODULES
		for node in functions_in(path)
		if node.returns is None and node.name != "__init__" and not returns_a_document(node)
	}

	assert not untyped, "Say what it returns; a Frappe document or a query object may stay unsaid."


def returns_a_document(node: ast.FunctionDef) -> bool:
	"""Say whether a function gives something back: what Frappe's own classes would need no name for."""
	return any(isinstance(child, ast.Return) and child.value is not None for child in ast.walk(node))


@pytest.mark.parametrize("forbidden", ["utils.py", "helpers.py", "common.py", "api.py", "tasks.py"])
def test_no_drawer_that_everything_falls_into(forbidden):
	found = [name_of(path) for path in MODULES if path.name == forbidden]

	assert not found, "A function that has no better home has no clear purpose yet."


def test_endpoints_check_the_types_of_their_arguments():
	lazy = {
		name_of(path) for path in MODULES if name_of(path).startswith("api/") and has_future_annotations(path)
	}

	assert not lazy, (
		"Frappe skips the run-time check of annotations that are strings (`from __future__ import annotations`)."
	)


def has_future_annotations(path: Path) -> bool:
	"""Say whether a module's annotations are kept as text."""
	return "__future__.annotations" in set(imports_of(tree_of(path)))


def test_app_knows_nothing_of_where_it_is_developed():
	files = [
		path
		for path in PACKAGE.rglob("*")
		if path.is_file() and path.suffix in (".py", ".js", ".json", ".html", ".css", ".txt")
	]

	wrong = {
		f"{name_of(path)}: {word}"
		for path in files
		if "__pycache__" not in path.parts
		for word in ("monoframe", "import dev", "from dev", "from tests", "/home/", "/root/")
		if word in path.read_text(encoding="utf-8")
	}

	assert not wrong, "The app runs on any bench; what only the dev site needs goes to dev/."
