"""What recipients read is there in every language we name: each text of a page and of an email's foot, placeholders and all."""

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "drip_campaigns"
TRANSLATED = ("de", "es", "fr", "ar")
# What recipients read. The Desk of colleagues is translated by whoever needs it, as every Frappe app is.
FOLDERS = ("pages", "templates/public", "templates/emails")
FILES = (
	"api/public.py",
	"rendering/confirmation_mail.py",
	"rendering/footer.py",
	"enrollment/address_change.py",
	"enrollment/sign_up.py",
)
# What stands in emails, where a subject is searched for as people write it
IN_MAILS = (
	"templates/emails",
	"rendering/confirmation_mail.py",
	"rendering/footer.py",
	"enrollment/address_change.py",
)
# Texts that a module names in a constant and translates one by one
NAMED = {"pages/unsubscribe.py": ("REASONS",)}
# Modules that also hand over what an administrator wrote in Drip Settings; Frappe's own Translations are for that.
OF_SETTINGS = ("rendering/footer.py",)
FOR_COLLEAGUES = {
	"It has {0} characters. Shorten it to at most {1}.",  # problems of the page template, shown in Drip Settings
	"{0} is unknown. Use one of: {1}.",
	"Add {0} exactly once, where the page itself goes.",
	"Remove the element “{0}”. Use only headings from h2 on, text, links, and images.",
	"Remove all < characters and @import rules.",
	"Enter a color such as #1a6fc9.",
	"{0} has a contrast of {1}:1 on the page, but readable text needs {2}:1. Choose a darker color.",
	"The email has {0} characters. Shorten it to {1} at most.",  # shown on the enrollment
}
_CALL = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_PLACEHOLDER = re.compile(r"\{\d+\}")


def texts_of_python(path: Path) -> Iterator[str]:
	"""Yield the texts that a module hands to `_()`."""
	module = path.relative_to(PACKAGE).as_posix()
	names = NAMED.get(module, ())
	for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
		if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names:
			yield from ast.literal_eval(node.value)
		if isinstance(node, ast.Call) and ast.unparse(node.func) == "_" and node.args:
			is_fixed = isinstance(node.args[0], ast.Constant)
			assert is_fixed or names or module in OF_SETTINGS, (
				f"{path.name}:{node.lineno} translates no fixed text: see NAMED"
			)
			yield from [node.args[0].value] if is_fixed else []


def texts_of_template(path: Path) -> Iterator[str]:
	"""Yield the texts that a template hands to `_()`."""
	yield from (ast.literal_eval(found) for found in _CALL.findall(path.read_text(encoding="utf-8")))


def texts_for_recipients(places: tuple[str, ...] = (*FOLDERS, *FILES)) -> set[str]:
	"""Return every text of ours that a recipient can meet in these folders and files."""
	texts = set()
	for path in (PACKAGE / name for name in places):
		for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
			texts.update(texts_of_file(file))
	return texts - FOR_COLLEAGUES


def texts_of_file(path: Path) -> set[str]:
	"""Return the texts that a module or a template translates; nothing for another file."""
	read = {".py": texts_of_python, ".html": texts_of_template, ".txt": texts_of_template}.get(path.suffix)
	return set(read(path)) if read else set()


def rows_of(language: str) -> list[list[str]]:
	"""Return the rows of a language's file: text, translation."""
	with (PACKAGE / "translations" / f"{language}.csv").open(encoding="utf-8", newline="") as file:
		return list(csv.reader(file))


def test_there_is_something_to_translate():
	assert {"Unsubscribe", "View in browser", "This link does not work"} <= texts_for_recipients()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_for_recipients_is_translated(language):
	missing = texts_for_recipients() - {row[0] for row in rows_of(language)}

	assert not missing, f"Add them to drip_campaigns/translations/{language}.csv"


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_translated_that_nobody_says_and_nothing_twice(language):
	texts = [row[0] for row in rows_of(language)]

	assert sorted(texts) == sorted(set(texts) & texts_for_recipients())


@pytest.mark.parametrize("language", TRANSLATED)
def test_translation_is_another_text_with_the_same_placeholders(language):
	for row in rows_of(language):
		assert len(row) == 2, row
		text, translation = row
		assert translation.strip() == translation
		assert translation, text
		assert sorted(_PLACEHOLDER.findall(text)) == sorted(_PLACEHOLDER.findall(translation)), text
		assert translation[-1] in ".?!:…،؟" or text[-1] not in ".?!:", f"{text} ends otherwise"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_line_of_a_page_breaks_within_the_word_email(language):
	on_pages = texts_for_recipients() - texts_for_recipients(IN_MAILS)

	broken = [row for row in rows_of(language) if row[0] in on_pages and re.search("[eE]-[mM]ail", row[1])]

	assert not broken, "Write it with U+2011, the hyphen at which no line breaks"


@pytest.mark.parametrize("language", TRANSLATED)
def test_frappe_speaks_the_language(connected_site, language):
	import frappe

	from drip_campaigns.site.languages import use_language

	translations = dict(rows_of(language))
	frappe.clear_cache()
	with use_language(language):
		spoken = {text: frappe._(text) for text in translations}

	assert spoken == translations


def test_languages_of_the_app_are_the_ones_with_a_file(connected_site):
	from drip_campaigns.site.languages import LANGUAGES

	files = {path.stem for path in (PACKAGE / "translations").glob("*.csv")}
	assert files == set(TRANSLATED) == set(LANGUAGES) - {"en"}
