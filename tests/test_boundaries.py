"""What may import what, who may commit, how large things may get: read from the source, without running it.

A failure says where the code belongs.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TAG = re.compile(r"</?[a-z]+[ >/]", re.IGNORECASE)
ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "drip_campaigns"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)

# The order of the rooms, innermost first: a folder imports only itself and the folders before it.
ORDER = {
	"core": "the pure core: values in, values out; no frappe, no clock",
	"site": "the site we run on: clock, settings, languages, error log, messages, notifications, Frappe's versions",
	"db": "the database: its dialects, bulk writes, deadlocks, the log and its subscribers",
	"people": "who can be emailed: addresses, recipient types, recipients, opt-outs, consent, suppression",
	"rendering": "a step and a recipient become a message: templates, headers, senders, links, tracking",
	"plans": "a campaign's rows become a plan: schedule, flow, enrollment rows and their state",
	"outbox": "emails that are queued: rows, transport, delivery state, settling, canceling, limits, blocks",
	"enrollment": "who may be enrolled, and the verbs: enroll, pause, resume, exit, move, restart, unsubscribe",
	"triggers": "what enrolls people automatically",
	"exit_rules": "what ends an enrollment automatically: goals, conversion, a company's reply",
	"lists": "target lists: sources, members who are added and removed",
	"actions": "what steps do besides email",
	"stats": "what happened: counters, visits, results",
	"campaign": "a campaign's own life: checks, activate, pause, end, edit, preview",
	"campaign_templates": "campaigns to start from: built in, the site's own, files",
	"pages": "the pages that recipients see",
	"dispatch": "one batch of due enrollments: decide, guard, make the emails",
	"inbound": "what comes back: bounces, complaints, replies, providers' webhooks",
	"jobs": "everything that commits: dispatch, delivery, rescue, actions, triggers, bulk runs, daily",
	"desk": "what we add to the forms of other apps",
	"api": "the edge: what Desk, integrators and guests may call",
}
MAY_COMMIT = ("jobs/", "commands.py", "uninstall.py")
MAY_WRITE_SQL = {
	"db/bulk_writes.py",
	"db/dialect.py",
	"dispatch/due_campaigns.py",
	"plans/enrollment_rows.py",
}
# What writes past `Document.save`. db/ treats such values as a save would: sanitized, cut, and cast (db/field_values.py).
WRITES_PAST_SAVE = (
	*("db_set", "db_insert", "db_update", "db_update_all", "db.set_value", "db.set_single_value"),
	*("db.bulk_insert", "db.bulk_update", "qb.into", "qb.update"),
)
MAY_WRITE_PAST_SAVE = {
	"inbound/unproven_replies.py": "a row of links, which holds names of records only, while Frappe inserts the Communication",
}
NOT_ROOMS = {"drip_campaigns", "patches", "tests"}  # Frappe's module folder, patches, `bench run-tests`
MAY_READ_THE_CLOCK = {
	"site/clock.py",
	"site/row_names.py",
}  # a name begins with the time, and nothing is computed from it
CORE_MAY_IMPORT = {
	"crawleruseragents",
	"flufl",
	"itsdangerous",
	"quotequail",
	"scipy",
	*sys.stdlib_module_names,
}
SHOWS_MESSAGES = "site/messages.py"
# What puts text into HTML that Frappe shows, and what makes markup of text.
MESSAGE_CALLS = {
	*("throw", "msgprint", "toast", "bold", "add_comment", "enqueue_create_notification"),
	*("get_link_to_form", "get_desk_link"),
}
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
		"core/ is pure: pass the value in as an argument, or move the function to a later folder of ORDER."
	)


def test_only_jobs_and_commands_commit():
	others = {
		name_of(path)
		for path in MODULES
		if any(call.endswith("db.commit") for call in calls_in(tree_of(path)))
		and not name_of(path).startswith(MAY_COMMIT)
	}

	assert not others, (
		"Code that commits belongs in jobs/. Return instead, and let the caller's transaction carry the change."
	)


def test_raw_sql_stands_in_the_stores():
	others = {
		name_of(path)
		for path in MODULES
		if any(call.endswith(("db.sql", "db.multisql")) for call in calls_in(tree_of(path)))
		and name_of(path) not in MAY_WRITE_SQL
	}

	assert not others, (
		"Use frappe.get_all or the query builder; what needs SQL goes to db/dialect.py or db/bulk_writes.py."
	)


def test_only_db_writes_past_the_save_of_documents():
	others = {
		f"{name_of(path)}: {call}"
		for path in MODULES
		if not name_of(path).startswith("db/") and name_of(path) not in MAY_WRITE_PAST_SAVE
		for call in calls_in(tree_of(path))
		if f".{call}".endswith(tuple(f".{name}" for name in WRITES_PAST_SAVE))
	}

	assert not others, (
		"Save the document, or write with db/bulk_writes.py or db/single_writes.py: a text of an outsider that is "
		"written as it is can run in a colleague's browser."
	)


@pytest.mark.parametrize(
	"function", ["insert_rows", "insert_new_rows", "update_rows", "set_where", "set_each"]
)
def test_every_function_that_writes_rows_cleans_their_values(function):
	[definition] = [
		node
		for name in ("db/bulk_writes.py", "db/dialect.py")
		for node in functions_in(PACKAGE / name)
		if node.name == function
	]

	assert {"clean_rows", "clean_values"} & set(calls_in(definition))


def test_raw_sql_outside_db_only_reads():
	writing = {
		f"{name_of(path)}: {text.split()[0]}"
		for path in MODULES
		if name_of(path) in MAY_WRITE_SQL and not name_of(path).startswith("db/")
		for node in ast.walk(tree_of(path))
		if isinstance(node, ast.Constant) and isinstance(text := node.value, str)
		if text.strip().upper().startswith(("INSERT ", "UPDATE ", "REPLACE ", "DELETE "))
	}

	assert not writing, "Write with db/bulk_writes.py, which treats values as a save would."


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


def test_messages_go_through_the_module_that_escapes_them():
	allowed = {(SHOWS_MESSAGES, "throw"), (SHOWS_MESSAGES, "msgprint"), (SHOWS_MESSAGES, "add_comment")}
	allowed.add(("site/notify.py", "enqueue_create_notification"))
	others = {
		f"{name_of(path)}: {call}"
		for path in MODULES
		for call in calls_in(tree_of(path))
		if (last := call.split(".")[-1]) in MESSAGE_CALLS
		and (call.startswith("frappe.") or "." not in call or last == "add_comment")
		and call != "bold"  # of site/messages.py
		and (name_of(path), last) not in allowed
	}

	assert not others, (
		f"Frappe shows messages as HTML. Use refuse, tell, add_note, as_html, bold, or link_to_form of {SHOWS_MESSAGES}: "
		"they escape text and arguments."
	)


def test_texts_for_messages_are_plain_text():
	others = {
		f"{name_of(path)}:{node.lineno}"
		for path in MODULES
		if name_of(path) != SHOWS_MESSAGES
		for node in ast.walk(tree_of(path))
		if isinstance(node, ast.Call)
		and any(is_markup(argument) for argument in [*node.args, *(word.value for word in node.keywords)])
		and ast.unparse(node.func) in ("_", "refuse", "tell", "add_note", "as_html", "notify")
		or isinstance(node, ast.Raise)
		and any(is_markup(child) for child in ast.walk(node))
	}

	assert not others, "A message is plain text, with \\n between lines. Use bold or link_to_form for markup."


def is_markup(node: ast.AST) -> bool:
	"""Return whether a node is a text with a tag in it."""
	return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(TAG.search(node.value))


def test_values_with_an_expiry_are_read_past_the_memory_of_the_process():
	reads = {
		f"{name_of(path)}:{node.lineno}"
		for path in MODULES
		for node in ast.walk(tree_of(path))
		if isinstance(node, ast.Call) and ast.unparse(node.func) == "frappe.cache.get_value"
		if not any(keyword.arg == "expires" for keyword in node.keywords)
	}

	assert not reads, (
		"Pass expires=True: in one job Frappe 15 would go on reading what was there the first time."
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

	assert not readers, "Take `now` as the last argument; the entry points ask site.clock.utc_now() once."


def test_public_address_is_made_in_one_place():
	others = {
		f"{name_of(path)}: {call}"
		for path in MODULES
		if name_of(path) != "site/public_address.py"
		for call in calls_in(tree_of(path))
		if call.split(".")[-1].startswith(("get_url", "get_host_name", "get_link_to_"))
	}

	assert not others, (
		"A link never comes from the Host header of a request: use public_url or form_url of site/public_address.py."
	)


def test_every_folder_imports_only_the_folders_before_it():
	places = list(ORDER)
	against = [
		f"{name_of(path)} imports {imported}: move what both need to {room}/ or a folder before it, "
		f"or move this code to {target}/ or a folder after it ({ORDER[target]})"
		for path in MODULES
		if (room := room_of(path)) in ORDER
		for imported in sorted(own_imports(path))
		if (target := imported.split(".")[1]) not in ORDER or places.index(target) > places.index(room)
	]

	assert not against, "\n".join(against)


def test_order_names_every_folder_with_code():
	folders = {
		room_of(path) for path in MODULES if path.parent != PACKAGE and path.name != "__init__.py"
	} - NOT_ROOMS

	assert folders == set(ORDER), (
		"Give the folder its place in ORDER, with a line that says what belongs there."
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


def room_of(path: Path) -> str:
	"""Return the folder of the package that a module is in."""
	return name_of(path).split("/")[0]


def own_imports(path: Path) -> set[str]:
	"""Return the modules of ours that a module imports anywhere, also in its functions."""
	return {name for name in imports_of(tree_of(path)) if name.startswith("drip_campaigns.")}


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
	classes = {
		(module_name(path), node.name): (node, tree)
		for path, tree in ((path, tree_of(path)) for path in MODULES)
		for node in ast.walk(tree)
		if isinstance(node, ast.ClassDef)
	}

	large = {
		f"{module}.{name} has {len(methods)}"
		for module, name in classes
		if len(methods := find_methods(module, name, classes)) > MOST_METHODS_OF_A_CLASS
	}

	assert not large, "A class with so many methods, inherited ones included, is two classes."


def find_methods(
	module: str, name: str, classes: dict[tuple[str, str], tuple[ast.ClassDef, ast.Module]]
) -> set[str]:
	"""Return the names of a class's methods, with those of its base classes in the package."""
	if (module, name) not in classes:
		return set()
	node, tree = classes[module, name]
	methods = {child.name for child in node.body if isinstance(child, ast.FunctionDef)}
	sources = {
		alias.asname or alias.name: (imported.module, alias.name)
		for imported in tree.body
		if isinstance(imported, ast.ImportFrom)
		for alias in imported.names
	}
	for base in map(ast.unparse, node.bases):
		methods |= find_methods(*sources.get(base, (module, base)), classes)
	return methods


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
