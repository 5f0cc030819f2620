"""The emails of the demo, from the files in `emails/`: each puts its own style and text into the common frame."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "emails"
DAYS = (0, 2, 4)

_NOTE = re.compile(r"<!-- (Subject|Preheader): (.*?) -->\n")
_STYLE = re.compile(r"<style>.*?</style>\n", re.DOTALL)
_PREHEADER = '<div class="preheader">{}</div>'


@dataclass(frozen=True)
class Template:
	"""One email: the name of its Email Template, its subject and its whole HTML document, with Jinja."""

	name: str
	subject: str
	html: str


def load_templates() -> list[Template]:
	"""Return the emails in their order."""
	frame = (FOLDER / "frame.html").read_text()
	return [_load(path, frame) for path in sorted(FOLDER.glob("[0-9]-*.html"))]


def _load(path: Path, frame: str) -> Template:
	text = path.read_text()
	notes = dict(_NOTE.findall(text))
	[style] = _STYLE.findall(text)
	html = (
		frame.replace("<!-- STYLE -->", style)
		.replace("<!-- PREHEADER -->", _PREHEADER.format(notes["Preheader"]))
		.replace("<!-- CONTENT -->", _STYLE.sub("", _NOTE.sub("", text)))
	)
	number, _, title = path.stem.partition("-")
	return Template(f"Northlight {number}: {title.replace('-', ' ').capitalize()}", notes["Subject"], html)
