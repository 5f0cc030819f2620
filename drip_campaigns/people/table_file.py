"""Read the table of a CSV or Excel file that any program wrote, as texts. Nothing here knows people or records.

Rows without a value are left out, and each row keeps the number that a spreadsheet shows.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from frappe import _
from openpyxl.chartsheet import Chartsheet
from openpyxl.reader.excel import ExcelReader

from drip_campaigns.core.errors import DripError

MOST_ROWS = 200_000  # with a value
MOST_COLUMNS = 16_384  # of a worksheet, as Excel states it
LARGEST_UNPACKED = 500_000_000  # bytes of a workbook's parts; a small file can unpack to many gigabytes
DELIMITERS = ",;\t|"
TEXT_FILES = ("csv", "tsv", "tab")
_ROWS_TO_COMPARE = 50  # that show whether a delimiter is the right one
# The line in which Excel names the delimiter; Excel does not count it as a row
_SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n"])"?[^\S\r\n]*(\r\n|\r|\n)', re.IGNORECASE)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class UnreadableFileError(DripError):
	"""The app cannot read this file."""


class Line(NamedTuple):
	"""A row with values: its number as a spreadsheet shows it, and its cells up to the last one with a value."""

	number: int
	cells: list[str]


def read_table(file_name: str, content: bytes) -> list[Line]:
	"""Return the rows of a CSV or Excel file; raise UnreadableFileError with the remedy for what is neither."""
	suffix = file_name.rpartition(".")[2].lower()
	_refuse_other_formats(file_name, suffix, content)
	try:
		lines = _read_xlsx(content) if content.startswith(_ZIP) or suffix == "xlsx" else _read_csv(content)
		return list(_limited(lines))
	except UnreadableFileError:
		raise
	except Exception as error:
		raise UnreadableFileError(
			_("Could not read {0}: {1}. Save it again as CSV or .xlsx.").format(file_name, error)
		) from error


def _refuse_other_formats(file_name: str, suffix: str, content: bytes) -> None:
	if content.startswith(_OLE):
		raise UnreadableFileError(
			_(
				"{0} is protected by a password, or has the old Excel format (.xls). Save it as .xlsx without a password."
			).format(file_name)
		)
	is_open_document = content.startswith(_ZIP) and b"application/vnd.oasis" in content[:200]
	if is_open_document or suffix not in (*TEXT_FILES, "xlsx"):
		raise UnreadableFileError(
			_("{0} isn't a CSV or Excel (.xlsx) file. Save it as one of these.").format(file_name)
		)


def _limited(lines: Iterator[Line]) -> Iterator[Line]:
	for count, line in enumerate(lines):
		if count > MOST_ROWS:
			raise UnreadableFileError(_("The file has more than {0} rows. Split it.").format(MOST_ROWS))
		yield line


def _number_rows(rows: Iterator[Sequence]) -> Iterator[Line]:
	"""Return the rows that have a value."""
	for number, row in enumerate(rows, start=1):
		cells = ["" if value is None else str(value).strip() for value in row[:MOST_COLUMNS]]
		while cells and not cells[-1]:
			cells.pop()
		if cells:
			yield Line(number, cells)


def _read_csv(content: bytes) -> Iterator[Line]:
	text = _decode(content)
	blank = re.match(r"\s*", text).group()
	if named := _SEPARATOR_LINE.match(text, len(blank)):
		return _number_rows(_split(blank + text[named.end() :], named[1]))
	return _number_rows(_split(text, max(DELIMITERS, key=lambda delimiter: _rate(text, delimiter))))


def _rate(text: str, delimiter: str) -> tuple[float, int]:
	"""Return how well a delimiter splits the first rows: how many have as many cells as the headings, and how many cells.

	A quotation mark within a heading says that the delimiter split a quoted heading.
	csv.Sniffer, which Frappe uses, finds a comma where values hold apostrophes or quotes.
	"""
	rows = list(islice(filter(any, _split(text, delimiter)), _ROWS_TO_COMPARE))
	if not rows or len(rows[0]) == 1:
		return 0.0, 1
	headings, others = rows[0], rows[1:]
	same = sum(len(row) == len(headings) for row in others) / len(others) if others else 1.0
	return same / 2 if any('"' in heading for heading in headings) else same, len(headings)


def _split(text: str, delimiter: str) -> Iterator[list[str]]:
	return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _decode(content: bytes) -> str:
	if content.startswith((b"\xff\xfe", b"\xfe\xff")):
		return content.decode("utf-16")
	if b"\0" in (start := content[:1000]):  # UTF-16 without its mark: every other byte of an address is 0
		return content.decode(
			"utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be", "replace"
		)
	try:
		return content.decode("utf-8-sig")
	except UnicodeDecodeError:
		return content.decode("cp1252", errors="replace")  # Excel's default in many countries


class _WorkbookReader(ExcelReader):
	"""Reads a workbook without its charts: they have no cells, and openpyxl cannot read all of them."""

	def read_chartsheet(self, sheet, rel) -> None:
		"""Keep the place of the sheet, which the number of the sheet in front counts."""
		chart = Chartsheet()
		chart._parent, chart.title = self.wb, sheet.name
		self.wb._add_sheet(chart)


def _read_xlsx(content: bytes) -> Iterator[Line]:
	with zipfile.ZipFile(io.BytesIO(content)) as parts:
		if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
			raise UnreadableFileError(_("The file is too large when unpacked. Split it."))
	reader = _WorkbookReader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
	reader.read()
	book = reader.wb
	sheets = [sheet for sheet in book.worksheets if sheet is book.active]  # not if a chart is in front
	sheets += [sheet for sheet in book.worksheets if sheet is not book.active]
	if not sheets:
		raise ValueError(_("it has no sheet with cells"))
	for sheet in sheets:
		sheet.reset_dimensions()  # some programs state a wrong size
		lines = _number_rows(sheet.iter_rows(values_only=True))
		if first := next(lines, None):
			return chain((first,), lines)
	return iter(())
