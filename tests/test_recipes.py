"""Every file that the recipes and the docs name exists, and so does every page and heading that they link to."""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "drip_campaigns"
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")])
# A path is relative to one of these, as a reader would look for it.
BASES = (ROOT, PACKAGE, PACKAGE / "drip_campaigns", PACKAGE / "core")
FILE = re.compile(r"[\w./-]*\w\.(?:py|js|mjs|json|html|css|csv|txt|md|svg|png)|[\w.-]+(?:/[\w.-]+)*/")
# Files that the reader creates, that are made at run time, or that belong to a bench or to another app.
ELSEWHERE = re.compile(
	r"(?:.*/)?(?:NAME\.py|CODE\.csv)|\.dev/.*|\.dev|site_config\.json|common_site_config\.json|apps\.txt|supervisor\.conf"
	r"|config/.*|private/.*|report\.html|bench\.json|drip_visits\.jsonl|doctype/<name>/.*"
)
RECIPES = (
	"A stop rule",
	"A trigger on Payment Entry",
	"A provider's webhook",
	"A recipient type",
	"A second channel (SMS)",
	"A column in the campaign list",
	"A guard before sending",
	"A second database",
	"A language",
	"The footer's text",
)
LABELS_OF_FRAPPE = {"Actions", "Bounced", "Connections", "Enable Incoming", "If Owner", "New"}


def read(page: Path) -> str:
	"""Return the text of a page."""
	return page.read_text(encoding="utf-8")


def named_files(text: str) -> Iterator[str]:
	"""Yield what a page writes as code and what looks like a file or a folder of the repository."""
	for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text):
		if FILE.fullmatch(code) and not code.startswith("/") and not ELSEWHERE.fullmatch(code):
			yield code


def exists(name: str) -> bool:
	"""Say whether a name is a file or folder, from one of the places where a reader would look for it."""
	if any((base / name).exists() for base in BASES):
		return True
	return "/" not in name and any((*PACKAGE.rglob(name), *(ROOT / "tests").rglob(name)))


def test_every_recipe_that_was_promised_is_there():
	headings = re.findall(r"^### (.*)$", read(ROOT / "CONTRIBUTING.md"), flags=re.MULTILINE)

	assert set(RECIPES) <= set(headings)


def test_every_recipe_names_a_file():
	sections = re.split(r"^### ", read(ROOT / "CONTRIBUTING.md"), flags=re.MULTILINE)[1:]

	vague = [text.splitlines()[0] for text in sections if not list(named_files(text))]

	assert [title for title in vague if title in RECIPES] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_that_a_page_names_exists(page):
	missing = sorted({name for name in named_files(read(page)) if not exists(name)})

	assert not missing, "Correct the name, or add it to ELSEWHERE if it is no file of this repository."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_module_that_a_page_names_exists(page):
	dotted = re.findall(r"\bdrip_campaigns(?:\.\w+)+", read(page))

	missing = sorted({name for name in dotted if not is_module_or_attribute(name)})

	assert not missing


def is_module_or_attribute(dotted: str) -> bool:
	"""Say whether a dotted name is a module of the app, or a name that one of its modules defines."""
	path = ROOT / dotted.replace(".", "/")
	if path.is_dir() or path.with_suffix(".py").exists():
		return True
	parent, attribute = path.parent.with_suffix(".py"), path.name
	if attribute in ("MODULE", "METHOD"):
		return True
	if path.parent.name == "MODULE":
		return (path.parent.parent).is_dir()
	return parent.exists() and bool(
		re.search(rf"^(?:def|class) {attribute}\b|^{attribute}\b", read(parent), flags=re.MULTILINE)
	)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page):
	broken = []
	for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
		file, _, heading = link.partition("#")
		if link.startswith(("http:", "https:", "mailto:")):
			continue
		target = Path(os.path.normpath(page.parent / file)) if file else page
		if not target.exists() or (heading and heading not in headings_of(target)):
			broken.append(link)

	assert not broken


def headings_of(page: Path) -> set[str]:
	"""Return the anchors of a page's headings, as GitHub makes them."""
	headings = re.findall(r"^#+ (.*)$", read(page), flags=re.MULTILINE)
	return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_of_the_docs_is_linked_from_the_readme():
	links = set(re.findall(r"\]\((docs/[^)#]+\.md)", read(ROOT / "README.md")))
	pages = {page.relative_to(ROOT).as_posix() for page in PAGES if page.parent.parent.name == "docs"}

	assert pages == links


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name in ("guide", "admin")], ids=str)
def test_every_label_that_a_page_names_is_on_the_screen(page):
	text = re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)
	bold = {" ".join(label.split()) for label in re.findall(r"\*\*(.+?)\*\*", text, flags=re.DOTALL)}
	# A paragraph may begin with a heading, which ends with a period or a colon; a number may be bold, too.
	labels = {label for label in bold if not re.search(r"[.:]$|^[\d.]+$", label)}

	unknown = sorted(labels - words_of_the_app() - LABELS_OF_FRAPPE)

	assert not unknown, "Write the label as the app shows it. Use *italics* for emphasis."


@cache
def words_of_the_app() -> set[str]:
	"""Return everything that the app can show: the texts of its JSON, JavaScript and Python files."""
	words: set[str] = set()
	for path in (path for path in PACKAGE.rglob("*") if path.suffix in (".json", ".js", ".py")):
		for quoted in re.findall(r'"((?:[^"\\\n]|\\.)*)"', path.read_text(encoding="utf-8")):
			words.update(quoted.split("\\n"))
	return words
