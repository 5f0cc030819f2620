"""What is named in one place and defined in another: hooks, scripts, workspaces, DocTypes, patches, and these tests."""

import ast
import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "drip_campaigns"
TESTS = ROOT / "tests"
SCRIPTS = sorted(PACKAGE.rglob("*.js"))
TEMPLATES = PACKAGE / "campaign_templates"  # campaigns as files, no records
JSON_FILES = sorted(
	path
	for path in PACKAGE.rglob("*.json")
	if "node_modules" not in path.parts and not path.is_relative_to(TEMPLATES)
)
DOCTYPES = {
	content["name"]: content
	for path in JSON_FILES
	if isinstance(content := json.loads(path.read_text()), dict) and content.get("doctype") == "DocType"
}
LAYOUT = ("Section Break", "Column Break", "Tab Break", "HTML", "Table", "Button", "Heading", "Fold")
KEYWORDS = {"user", "__user", "user_fullname", "today", "now"}  # which Frappe puts a value in for
STANDARD_FIELDS = {"name", "owner", "creation", "modified", "modified_by", "docstatus", "idx"}
JOB = re.compile(r"(?:drip_campaigns|frappe\.email)(?:\.[a-z_]+){2,}")
DESK_CALL = re.compile(r"""(?:read_from_desk|call_desk)\(\s*["'](\w+)["']|\bmethod:\s*["'](\w+)["']""")
DESK_HELPER_CALL = re.compile(r"""(?:change_status|act_on)\(\s*frm,\s*["'](\w+)["']""")


def resolve(dotted: str) -> Any:
	"""Return what a dotted path names; raise ImportError or AttributeError if there is nothing."""
	module, _, name = dotted.rpartition(".")
	return getattr(importlib.import_module(module), name)


def strings_in(value: Any) -> Iterator[str]:
	"""Yield every string of a nested structure, keys included."""
	if isinstance(value, str):
		yield value
	elif isinstance(value, dict):
		for key, inner in value.items():
			yield from strings_in(key)
			yield from strings_in(inner)
	elif isinstance(value, list | tuple):
		for inner in value:
			yield from strings_in(inner)


def hook_values() -> dict[str, Any]:
	"""Return the entries of hooks.py."""
	hooks = importlib.import_module("drip_campaigns.hooks")
	return {name: value for name, value in vars(hooks).items() if not name.startswith("_")}


@pytest.fixture
def whitelisted(connected_site) -> dict:
	"""Each whitelisted function of the app, with the HTTP methods it answers to."""
	import frappe

	for path in PACKAGE.rglob("*.py"):
		if "whitelist(" in path.read_text():
			importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
	return {
		f"{function.__module__}.{function.__name__}": methods
		for function, methods in frappe.allowed_http_methods_for_whitelisted_func.items()
		if function.__module__.startswith("drip_campaigns.")
	}


def test_every_hook_names_a_function_that_is_there(connected_site):
	dotted = {
		text
		for value in hook_values().values()
		for text in strings_in(value)
		if text.startswith("drip_campaigns.")
	}

	assert dotted
	for path in sorted(dotted):
		assert callable(resolve(path)), path


def test_every_file_that_a_hook_names_is_there(connected_site):
	files = {
		text
		for value in hook_values().values()
		for text in strings_in(value)
		if re.search(r"\.(js|css|svg|png|html)$", text)
	}

	for name in files:
		relative = name.removeprefix("/assets/drip_campaigns/")
		assert (PACKAGE / relative).exists() or (PACKAGE / "public" / relative).exists(), name


def test_every_file_that_a_script_includes_is_there():
	for script in SCRIPTS:
		for name in re.findall(r'{%\s*include\s+"([^"]+)"', script.read_text()):
			assert (ROOT / name).exists(), f"{script.name} includes {name}"


def test_no_form_has_two_functions_of_one_name():
	"""A script and what it includes are one scope: the last function of a name would silently replace the others."""
	for script in SCRIPTS:
		source = script.read_text()
		parts = [
			source,
			*((ROOT / name).read_text() for name in re.findall(r'{%\s*include\s+"([^"]+)"', source)),
		]
		names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", "\n".join(parts), re.MULTILINE)
		assert sorted(names) == sorted(set(names)), script.name


def test_every_template_that_is_named_is_there():
	for path in PACKAGE.rglob("*.py"):
		for name in re.findall(r'"(drip_campaigns/templates/[^"{]+)"', path.read_text()):
			found = (ROOT / name).exists() or list((ROOT / name).parent.glob(f"{Path(name).name}.*"))
			assert found, f"{path.name} names {name}"


def test_every_function_that_is_named_in_a_string_is_there(connected_site):
	for path in PACKAGE.rglob("*.py"):
		for node in ast.walk(ast.parse(path.read_text())):
			if isinstance(node, ast.Constant) and isinstance(node.value, str) and JOB.fullmatch(node.value):
				assert callable(resolve(node.value)), f"{path.name} names {node.value}"


def test_every_patch_can_be_imported(connected_site):
	lines = (PACKAGE / "patches.txt").read_text().splitlines()

	for line in lines:
		if line and not line.startswith(("[", "#")):
			assert callable(importlib.import_module(line.split()[0]).execute), line
	assert (PACKAGE / "patches.txt").read_text().endswith("\n")


def test_every_function_that_a_script_calls_is_there_and_may_be_called(connected_site, whitelisted):
	import frappe

	for script in SCRIPTS:
		source = re.sub(r"//.*", "", script.read_text())
		for found in DESK_CALL.findall(source) + [(name, "") for name in DESK_HELPER_CALL.findall(source)]:
			name = f"drip_campaigns.api.desk.{found[0] or found[1]}"
			assert name in whitelisted, f"{script.name} calls {name}"
		for name in re.findall(r"""["'](drip_campaigns\.api(?:\.\w+){2})["']""", source):
			assert name in whitelisted, f"{script.name} calls {name}"
		for dotted in re.findall(r"""["'](frappe(?:\.\w+){2,})["']""", source):
			assert resolve(dotted) in frappe.whitelisted, f"{script.name} calls {dotted}"


def test_page_for_integrators_names_every_method_with_its_arguments_and_no_other(connected_site, whitelisted):
	rows = [
		row
		for row in (ROOT / "docs" / "develop" / "integrating.md").read_text().splitlines()
		if row.startswith("| `")
	]
	ours = {
		name.removeprefix("drip_campaigns.api."): resolve(name) for name in whitelisted if ".api." in name
	}
	named = {}
	for row in rows:
		cells = row.split(" | ")
		for method in re.findall(r"`(\w+\.\w+)`", cells[0]):
			named[method] = (row, set(re.findall(r"`(\w+)`", cells[1])))

	assert set(named) == set(ours), "Name it in the table of docs/develop/integrating.md, or remove it there."
	for method, (row, arguments) in named.items():
		known = set(inspect.signature(ours[method]).parameters)
		is_one = len(re.findall(r"`\w+\.\w+`", row.split(" | ")[0])) == 1 and "the same" not in row
		assert arguments <= known if not is_one else arguments == known, f"{method} takes {sorted(known)}"


def test_scripts_read_by_get_and_act_by_post(connected_site, whitelisted):
	for script in SCRIPTS:
		for helper, name in re.findall(
			r"""(read_from_desk|call_desk)\(\s*["'](\w+)["']""", script.read_text()
		):
			methods = whitelisted[f"drip_campaigns.api.desk.{name}"]
			assert methods == (["GET"] if helper == "read_from_desk" else ["POST"]), f"{script.name}: {name}"


def test_every_whitelisted_function_states_its_methods_and_its_types(connected_site, whitelisted):
	for dotted, methods in whitelisted.items():
		function = resolve(dotted)
		arguments = [name for name in function.__annotations__ if name != "return"]
		code = getattr(function, "__wrapped__", function)
		while hasattr(code, "__wrapped__"):
			code = code.__wrapped__
		expected = code.__code__.co_varnames[: code.__code__.co_argcount + code.__code__.co_kwonlyargcount]

		assert methods in (["GET"], ["POST"]), dotted
		assert set(arguments) == set(expected), f"{dotted} leaves an argument without a type"


def test_every_whitelisted_function_is_named_in_a_test(connected_site, whitelisted):
	tests = "\n".join(path.read_text() for path in TESTS.rglob("*.py"))

	missing = [dotted for dotted in whitelisted if not re.search(rf"\b{dotted.rpartition('.')[2]}\b", tests)]

	assert not missing, (
		"Name it in tests/integration/test_rights.py (MAY_CALL): who may call it, and who not."
	)


@pytest.mark.parametrize("name", DOCTYPES)
def test_doctype_is_of_our_module_and_each_field_says_what_it_is(name):
	doctype = DOCTYPES[name]
	section, silent = {}, []
	for field in doctype["fields"]:
		if field["fieldtype"] in ("Section Break", "Tab Break"):
			section = field
		elif field["fieldtype"] not in LAYOUT and not field.get("hidden") and not section.get("hidden"):
			described = field.get("description") or section.get("description")
			silent += [] if described else [field["fieldname"]]

	assert doctype["module"] == "Drip Campaigns"
	assert not silent, f"{name}: write a description, or one for the section"


@pytest.mark.parametrize("name", DOCTYPES)
def test_doctype_lists_each_of_its_fields_once_and_in_words(name):
	doctype = DOCTYPES[name]
	fields = [field["fieldname"] for field in doctype["fields"]]

	assert sorted(doctype.get("field_order", fields)) == sorted(fields)
	assert len(set(fields)) == len(fields)
	assert all(re.fullmatch(r"[a-z][a-z_]*", field) for field in fields)
	assert set(doctype.get("search_fields", "").replace(" ", "").split(",")) <= {*fields, ""}
	assert doctype.get("title_field") in {*fields, None}


@pytest.mark.parametrize("name", DOCTYPES)
def test_conditions_and_defaults_of_a_doctype_are_such_as_desk_understands(name):
	for field in DOCTYPES[name]["fields"]:
		for key in ("depends_on", "mandatory_depends_on", "read_only_depends_on"):
			assert re.fullmatch(r"eval:\s*\S.*|\w*", field.get(key) or ""), (
				f"{name}.{field['fieldname']}: {key}"
			)
		if field["fieldtype"] == "Select" and field.get("default"):
			assert field["default"] in field["options"].split("\n"), f"{name}.{field['fieldname']}"
			assert field["default"].lower() not in KEYWORDS, (
				f"{name}.{field['fieldname']}: a word of Frappe's own"
			)


def test_every_link_of_a_doctype_leads_somewhere(connected_site):
	import frappe

	for name, doctype in DOCTYPES.items():
		for field in doctype["fields"]:
			if field["fieldtype"] in ("Link", "Table"):
				assert frappe.db.exists("DocType", field["options"]), f"{name}.{field['fieldname']}"
			if field["fieldtype"] == "Dynamic Link":
				assert field["options"] in {other["fieldname"] for other in doctype["fields"]}


def filters_of(path: Path, content: dict) -> Iterator[tuple[str, str]]:
	"""Yield (DocType, field) of every filter that a card, a chart, or a shortcut has."""
	for row in json.loads(content.get("filters_json") or "[]"):
		yield row[0], row[1]
	if content.get("based_on"):
		yield content["document_type"], content["based_on"]
	for shortcut in content.get("shortcuts", []):
		for field in json.loads(shortcut.get("stats_filter") or "{}"):
			yield shortcut["link_to"], field


def test_every_filter_of_the_workspace_names_a_field(connected_site):
	import frappe

	for path in JSON_FILES:
		content = json.loads(path.read_text())
		for doctype, field in filters_of(path, content) if isinstance(content, dict) else ():
			known = {*STANDARD_FIELDS, *frappe.get_meta(doctype).get_valid_columns()}
			assert field in known, f"{path.name}: {doctype}.{field}"


def test_everything_that_the_workspace_shows_is_there(connected_site):
	import frappe

	contents = [json.loads(path.read_text()) for path in JSON_FILES]
	own = {(content["doctype"], content["name"]) for content in contents if isinstance(content, dict)}
	for content in contents:
		for row in [*content.get("links", []), *content.get("shortcuts", []), *content.get("items", [])]:
			kind, target = row.get("link_type") or row.get("type"), row.get("link_to")
			if target:
				assert (kind, target) in own or frappe.db.exists(kind, target), (
					f"{content['name']}: {kind} {target}"
				)
		for card in content.get("number_cards", []):
			assert ("Number Card", card["number_card_name"]) in own
		for chart in content.get("charts", []):
			assert ("Dashboard Chart", chart["chart_name"]) in own


def test_no_test_file_is_empty():
	for path in TESTS.rglob("test_*.py"):
		tree = ast.parse(path.read_text())
		assert any(
			isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in ast.walk(tree)
		), path.name


def test_no_test_patches_with_magic():
	for path in TESTS.rglob("*.py"):
		assert ("Magic" + "Mock") not in path.read_text(), f"{path.name}: use real records and our two fakes"
