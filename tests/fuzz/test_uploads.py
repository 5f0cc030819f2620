"""Files of people as they come from anywhere: read, or refused in words."""

import io
import zipfile

from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import Workbook

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.column_names import COLUMN_NAMES
from drip_campaigns.people.table_file import read_table
from tests.fuzz.depth import examples
from tests.fuzz.hostile import texts

lines = st.lists(st.lists(texts, max_size=5), max_size=6)


def make_book(rows: list[list[str]]) -> bytes:
	"""Return a workbook with the rows that openpyxl can write."""
	book, content = Workbook(), io.BytesIO()
	for row in rows:
		book.active.append(["".join(c for c in cell if c.isprintable() or c == "\n") for cell in row])
	book.save(content)
	return content.getvalue()


BOOK = make_book([["Email", "First Name"], ["ada@x.example", "Ada"]])


@st.composite
def broken_books(draw):
	"""Draw a workbook of which bytes are changed, cut off, or a part is replaced."""
	kind = draw(st.sampled_from(("bytes", "cut", "part")))
	if kind == "cut":
		return BOOK[: draw(st.integers(0, len(BOOK)))]
	if kind == "bytes":
		content = bytearray(BOOK)
		for place, value in draw(
			st.lists(st.tuples(st.integers(0, len(BOOK) - 1), st.integers(0, 255)), max_size=9)
		):
			content[place] = value
		return bytes(content)
	content = io.BytesIO()
	with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(content, "w") as new:
		replaced = draw(st.sampled_from(old.namelist()))
		for name in old.namelist():
			new.writestr(name, draw(st.binary(max_size=200)) if name == replaced else old.read(name))
	return content.getvalue()


def check(name: str, content: bytes) -> None:
	"""Read a file; it is a table of texts, or refused in words."""
	try:
		table = read_table(name, content)
	except DripError as error:
		assert str(error).strip()
	else:
		assert all(isinstance(cell, str) for line in table for cell in line.cells)


@examples(60)
@given(st.binary(max_size=2000))
@example(b"sep=")
@example(b"sep=;\n")
@example(b'sep="\r\n""')
@example(b"\xff\xfe")
@example(b"\xff\xfea")
@example(b'"' * 200_000)
@example(b"," * 200_000)
def test_csv_of_any_bytes_is_read_or_refused(site, content):
	check("people.csv", content)


@examples(60)
@given(
	lines, st.sampled_from((",", ";", "\t", "|")), st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252"))
)
def test_csv_of_hostile_cells_is_read_or_refused(site, rows, delimiter, encoding):
	text = "\n".join(delimiter.join(row) for row in [list(COLUMN_NAMES), *rows])

	check("people.csv", text.encode(encoding, "replace"))


@examples(20)
@given(lines)
def test_workbook_of_hostile_cells_is_read(site, rows):
	check("people.xlsx", make_book(rows))


@examples(40)
@given(st.one_of(broken_books(), st.binary(max_size=500)))
def test_broken_workbook_is_refused_in_words(site, content):
	check("people.xlsx", content)
