"""Treat values that are written without `Document.save` as Frappe's save would: HTML, lengths, and types, by their DocType.

Every function of `db` that inserts or updates rows calls `clean_rows` or `clean_values`, so that a text of an outsider (a
name, a subject, a reason, a server's reply) cannot run anything in a colleague's browser. It differs from Frappe's save
in five ways:

- HTML is also sanitized in JSON, in comments, and in fields of addresses, which Frappe's save leaves as they are.
- A text that is too long is cut, because one long name must not stop a batch.
- A Data field has no line breaks.
- An address in angle brackets keeps its letters and loses the brackets. Frappe takes it for an unknown tag.
- A record's name is never changed: it is a key.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import frappe
import nh3
from bleach_allowlist import bleach_allowlist
from frappe.model import datetime_fields, float_like_fields
from frappe.utils import cint, flt, html_utils

Column = Sequence[Any]
Cleaner = Callable[[Column], Column]

# What a browser reads as the beginning of a tag or a comment. Any other < is a letter.
_MARKUP = re.compile(r"<[a-zA-Z/!?]")
_ADDRESS = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")
_BREAKS = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
# The field types that Frappe does not sanitize; Desk shows them as text
_SHOWN_AS_TEXT = frozenset({"Attach", "Attach Image", "Barcode", "Code", "JSON", "Password"})
_LONGEST_TEXT = 65_535  # bytes of MariaDB's type TEXT
_MOST_BYTES_A_CHARACTER = 4


def clean_rows(
	doctype: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
	"""Return rows of a DocType, with values in the order of `columns`, as they may be stored."""
	if not rows:
		return rows
	meta, before = frappe.get_meta(doctype), list(zip(*rows, strict=True))
	after = [
		column if name == "name" else _find_cleaner(meta.get_field(name))(column)
		for name, column in zip(columns, before, strict=True)
	]
	is_same = all(new is old for new, old in zip(after, before, strict=True))
	return rows if is_same else list(zip(*after, strict=True))


def clean_values(doctype: str, values: Mapping[str, Any]) -> dict[str, Any]:
	"""Return values of one record of a DocType by field as they may be stored."""
	(row,) = clean_rows(doctype, list(values), [list(values.values())])
	return dict(zip(values, row, strict=True))


def sanitize(html: str) -> str:
	"""Return HTML without scripts and what else Frappe's save removes; a text without tags stays as it is."""
	if not _MARKUP.search(html):
		return html
	text = _ADDRESS.sub(r"\1", html.replace("\0", ""))
	return _sanitizer().clean(text) if _MARKUP.search(text) else text


@lru_cache(maxsize=1)
def _sanitizer() -> nh3.Cleaner:
	"""Return what Frappe 16's `sanitize_html` uses. Making it takes ten times as long as using it."""
	elements = {*html_utils.acceptable_elements, *html_utils.svg_elements, *html_utils.mathml_elements}
	return nh3.Cleaner(
		tags=elements | {"html", "head", "meta", "link", "body", "o:p"},
		attributes={"*": set(html_utils.acceptable_attributes), "svg": set(html_utils.svg_attributes)},
		generic_attribute_prefixes={"data-"},
		strip_comments=False,
		filter_style_properties=set(bleach_allowlist.all_styles),
		url_schemes=nh3.ALLOWED_URL_SCHEMES | {"cid"},
	)


def _find_cleaner(field) -> Cleaner:
	"""Return what cleans a column of a field; None stands for a standard column such as `parent`."""
	kind = field.fieldtype if field else ""
	if kind == "Check":
		return lambda column: _cast(column, int, lambda value: int(bool(cint(value))))
	if kind == "Int":
		return lambda column: _cast(column, int, cint)
	if kind in float_like_fields:
		return lambda column: _cast(column, float, flt)
	if kind in datetime_fields:
		return lambda column: tuple(value or None for value in column) if "" in column else column
	return _TextCleaner(field)


def _cast(column: Column, wanted: type, cast: Callable[[Any], Any]) -> Column:
	return column if set(map(type, column)) == {wanted} else tuple(map(cast, column))


class _TextCleaner:
	"""Cleans the texts of one column. A standard column has no field, and Frappe's save does not check its length."""

	def __init__(self, field) -> None:
		kind = field.fieldtype if field else ""
		column_type, length = frappe.db.type_map.get(kind, ("", ""))
		self.is_line = column_type == "varchar"
		self.most_characters = (cint(field.length) or cint(length)) if self.is_line else None
		self.most_bytes = _LONGEST_TEXT if column_type == "text" else None
		self.is_html = not (field and (field.ignore_xss_filter or kind in _SHOWN_AS_TEXT))
		self.is_unique = bool(field and field.unique)

	def __call__(self, column: Column) -> Column:
		if not (self.is_html or self.is_line or self.most_bytes):
			return column
		texts = [value for value in set(column) if isinstance(value, str)]  # a column often has one text only
		if not (texts and self._is_any_suspect(texts)):
			return column
		cleaned = {text: self._clean(text) for text in texts}
		return tuple(cleaned.get(value, value) for value in column)

	def _is_any_suspect(self, texts: Sequence[str]) -> bool:
		"""Look through all texts at once: row by row, this would be the longest part of an insert."""
		together = "".join(texts)
		longest = self.most_characters or _LONGEST_TEXT // _MOST_BYTES_A_CHARACTER
		return (
			"<" in together
			or (len(together) > longest and max(map(len, texts)) > longest)
			or (self.is_line and ("\n" in together or "\r" in together))
			or (self.is_unique and not all(map(str.strip, texts)))
		)

	def _clean(self, text: str) -> str | None:
		if self.is_unique and not text.strip():
			return None
		text = self._cut(_one_line(text) if self.is_line else text)
		if not self.is_html:
			return text
		clean = sanitize(text)
		# A tag that was cut would swallow what follows it on a page: so what is cut has no tags.
		return clean if self._cut(clean) == clean else self._cut(nh3.clean(clean, tags=set()))

	def _cut(self, text: str) -> str:
		if self.most_characters:
			return text[: self.most_characters]
		return text.encode()[: self.most_bytes].decode(errors="ignore") if self.most_bytes else text


def _one_line(text: str) -> str:
	return _BREAKS.sub(" ", text).strip() if "\n" in text or "\r" in text else text
