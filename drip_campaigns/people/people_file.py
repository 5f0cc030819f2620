"""A file of people, CSV or Excel: read its table and recognize its columns. Nothing here knows records or campaigns."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import frappe
from frappe import _
from openpyxl import load_workbook

from drip_campaigns.core.errors import DripError
from drip_campaigns.site.frappe_versions import read_file

MOST_ROWS = 200_000
MOST_COLUMNS = 100
LARGEST_UNPACKED = 500_000_000  # bytes of a workbook's parts; a small file can unpack to many gigabytes
DELIMITERS = ",;\t|"
# The line in which Excel names the delimiter; Excel does not count it as a row
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
# What a column can hold, and the words of its heading, the surest word first
FACTS = {
	"email_address": ("email", "mail"),
	"record": ("record", "id"),
	"company": ("company", "organization", "organisation", "firma", "empresa", "société", "entreprise"),
	"last_name": ("last", "surname", "family", "nachname", "familienname", "apellido", "apellidos"),
	"first_name": ("first", "given", "vorname", "prénom", "nombre", "name"),
}


class UnreadableFileError(DripError):
	"""The app cannot read this file."""


@dataclass(frozen=True)
class Row:
	"""One row of the file: its number as a spreadsheet shows it, and its values by fact."""

	number: int
	facts: dict[str, str]


class PeopleFile:
	"""The headings and rows of an uploaded file that the session's user may read."""

	def __init__(self, file_url: str) -> None:
		file = _find_file(file_url)
		table = read_table(file.file_name, read_file(file))
		if not table or not any(table[0]):
			raise UnreadableFileError(
				_("The file {0} is empty. Enter the headings in the first row.").format(file_url)
			)
		self.headings, self.lines = table[0], table[1:]

	def guess_mapping(self) -> dict[str, str]:
		"""Return the heading of each fact that a heading names."""
		mapping: dict[str, str] = {}
		for fact, words in FACTS.items():
			others = [heading for heading in self.headings if heading not in mapping.values()]
			if heading := _find_heading(others, words):
				mapping[fact] = heading
		return mapping

	def rows(self, mapping: str | dict[str, str]) -> list[Row]:
		"""Return the rows that are not empty; raise UnreadableFileError for a mapping to columns that do not exist."""
		columns = self._columns(_read_mapping(mapping))
		return [
			Row(number, {fact: line[column] for fact, column in columns.items() if column < len(line)})
			for number, line in enumerate(self.lines, start=2)
			if any(line)
		]

	def _columns(self, mapping: dict[str, str]) -> dict[str, int]:
		columns = {}
		for fact, heading in mapping.items():
			if fact in FACTS and heading:
				if heading not in self.headings:
					raise UnreadableFileError(
						_("The file has no column {0}. Choose one of: {1}.").format(
							heading, ", ".join(filter(None, self.headings))
						)
					)
				columns[fact] = self.headings.index(heading)
		if not {"email_address", "record"} & columns.keys():
			raise UnreadableFileError(
				_("Choose the column of the email address, or of the name of the record.")
			)
		return columns


def _read_mapping(mapping: str | dict[str, str]) -> dict[str, str]:
	try:
		read = json.loads(mapping or "{}") if isinstance(mapping, str) else mapping
	except ValueError:
		read = None
	if not isinstance(read, dict):
		raise UnreadableFileError(_("The mapping of columns cannot be read. Choose the columns again."))
	return read


def _find_heading(headings: Sequence[str], words: Sequence[str]) -> str | None:
	"""Return the heading that has one of the words, as a word of its own or else, from four letters on, as a part."""
	for is_whole in (True, False):
		for word, heading in product(words, headings):
			parts = re.split(r"[\W_]+", heading.lower())
			if word in parts if is_whole else len(word) > 3 and word in heading.lower():
				return heading
	return None


def _find_file(file_url: str):
	"""Return the File with this URL that the session's user may read."""
	names = frappe.get_all("File", filters={"file_url": file_url, "is_folder": 0}, pluck="name")
	for file in (frappe.get_doc("File", name) for name in names):
		if not file.is_remote_file and file.has_permission("read"):
			return file
	raise UnreadableFileError(
		_("You cannot read the file {0}, or it does not exist. Upload it again.").format(file_url)
	)


def read_table(file_name: str, content: bytes) -> list[list[str]]:
	"""Return the cells of a CSV or Excel file as texts; raise UnreadableFileError with the remedy for what is neither."""
	suffix = file_name.rpartition(".")[2].lower()
	if suffix not in ("csv", "xlsx"):
		raise UnreadableFileError(
			_("{0} isn't a CSV or Excel (.xlsx) file. Save it as one of these.").format(file_name)
		)
	try:
		lines = _read_csv(content) if suffix == "csv" else _read_xlsx(content)
		return [_clean(line) for line in _limited(lines)]
	except UnreadableFileError:
		raise
	except Exception as error:
		raise UnreadableFileError(
			_("Could not read {0}: {1}. Save it again as CSV or .xlsx.").format(file_name, error)
		) from error


def _read_csv(content: bytes) -> Iterator[list[str]]:
	text = _decode(content)
	if named := _SEPARATOR_LINE.match(text):
		return _split(text[named.end() :], named[1])
	# The delimiter that splits the headings most often. csv.Sniffer, which Frappe uses, also looks at the values below
	# and finds a comma where they hold apostrophes or quotes.
	return _split(text, max(DELIMITERS, key=lambda delimiter: len(next(_split(text, delimiter), ()))))


def _split(text: str, delimiter: str) -> Iterator[list[str]]:
	return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _decode(content: bytes) -> str:
	if content.startswith((b"\xff\xfe", b"\xfe\xff")):
		return content.decode("utf-16")
	try:
		return content.decode("utf-8-sig")
	except UnicodeDecodeError:
		return content.decode("cp1252", errors="replace")  # Excel's default in many countries


def _read_xlsx(content: bytes) -> Iterator[Sequence]:
	with zipfile.ZipFile(io.BytesIO(content)) as parts:
		if sum(part.file_size for part in parts.infolist()) > LARGEST_UNPACKED:
			raise UnreadableFileError(_("The file is too large when unpacked. Split it."))
	book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
	sheets = [sheet for sheet in (book.active, *book.worksheets) if sheet in book.worksheets]  # not a chart
	if not sheets:
		raise ValueError(_("it has no sheet with cells"))
	sheets[0].reset_dimensions()  # some programs state a wrong size
	return sheets[0].iter_rows(values_only=True)


def _limited(lines: Iterator[Sequence]) -> Iterator[Sequence]:
	for number, line in enumerate(lines):
		if number > MOST_ROWS:
			raise UnreadableFileError(_("The file has more than {0} rows. Split it.").format(MOST_ROWS))
		yield line[:MOST_COLUMNS]


def _clean(line: Sequence) -> list[str]:
	return ["" if value is None else str(value).strip() for value in line]
