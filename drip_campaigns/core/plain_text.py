"""Clean the texts that strangers enter, and keep spreadsheets from computing them."""

from __future__ import annotations

import html
import re

# A spreadsheet computes a cell of a CSV file that begins with one of these (OWASP, CSV Injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TAG = re.compile(r"<[^<>]*>?|[<>]")
_ENTITY = re.compile(r"&(?:#\w+|[a-z][a-z\d]*);", re.IGNORECASE)
# A bare domain has two letters or more before its dot, and an ending in one case: not "J.R.R. Tolkien", not "St.John"
_LINK = re.compile(r"://|\bwww\.|[\w-]{2,}\.(?:[a-z]{2,24}|[A-Z]{2,24})\b")
_FIELD = re.compile(r"{{\s*\w+\.(\w+)[^}]*}}")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*%?")


def put_fields_in_brackets(subject: str) -> str:
	"""Return a subject for people to read: a field stands in brackets, as in the drawn flow (`{{ doc.first_name }}`: [first name])."""
	return _FIELD.sub(lambda field: f"[{field[1].replace('_', ' ')}]", subject)


def one_line(text: str, longest: int) -> str:
	"""Return `text` on one line of at most `longest` characters, and no formula at its start.

	Control characters, NUL included, become spaces.
	"""
	line = " ".join(_CONTROL.sub(" ", text).split())
	return line.lstrip("".join(FORMULA_STARTS) + " ")[:longest]


def join_lines(text: str) -> str:
	"""Return `text` with a space in place of line breaks and other control characters, none of them at its ends."""
	return _CONTROL.sub(" ", text).strip() if _CONTROL.search(text) else text


def clean_name(text: str, longest: int) -> str:
	"""Return a name that a stranger typed as `one_line`, without markup, also if it is written as entities."""
	return one_line(_ENTITY.sub(" ", _TAG.sub(" ", html.unescape(text))), longest)


def has_link(text: str) -> bool:
	"""Return whether a mail program could show a part of `text` as a link."""
	return bool(_LINK.search(text))


def neutral_cell(text: str) -> str:
	"""Return the text of a spreadsheet's cell so that no program computes it: with an apostrophe before a formula."""
	is_formula = text.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(text)
	return f"'{text}" if is_formula else text
