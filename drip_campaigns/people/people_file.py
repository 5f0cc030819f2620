"""A file of people, CSV or Excel: read as a table, its columns understood. Knows nothing of records or campaigns."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import frappe
from frappe import _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from drip_campaigns.core.errors import DripError
from drip_campaigns.site.frappe_versions import read_file

MOST_ROWS = 200_000
MOST_COLUMNS = 100
DELIMITERS = ",;\t|"
# What a column can hold, and the words in a heading that say so; the first that fits is taken.
FACTS = {
	"email_address": ("email", "email", "mail"),
	"record": ("record", "id"),
	"company": ("company", "organization", "organisation"),
	"last_name": ("last", "surname", "family"),
	"first_name": ("first", "given", "name"),
}


class UnreadableFileError(DripError):
	"""The file cannot be used."""


@dataclass(frozen=True)
class Row:
	"""One line of the file: its number as a spreadsheet shows it, and its values by fact."""

	number: int
	facts: dict[str, str]


class PeopleFile:
	"""The headings and lines of an uploaded file that the session's user may read."""

	def __init__(self, file_url: str) -> None:
		table = _read_table(_find(file_url))
		if not table or not any(table[0]):
			raise UnreadableFileError(
				_("The file {0} is empty. The first row must hold the headings.").format(file_url)
			)
		self.headings, self.lines = table[0], table[1:]

	def guess_mapping(self) -> dict[str, str]:
		"""Return the heading of each fact, as far as the headings tell."""
		mapping: dict[str, str] = {}
		for fact, words in FACTS.items():
			for heading in self.headings:
				if heading not in mapping.values() and _says(heading, words):
					mapping[fact] = heading
					break
		return mapping

	def rows(self, mapping: str | dict[str, str]) -> list[Row]:
		"""Return the lines that hold anything; raise UnreadableFileError for a mapping that leads nowhere."""
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
				_("Say which column holds the email address, or the name of the record.")
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


def _says(heading: str, words: Sequence[str]) -> bool:
	spoken = heading.lower()
	parts = spoken.replace("_", " ").replace("-", " ").split()
	return any(word in parts if len(word) < 4 else word in spoken for word in words)


def _find(file_url: str):
	"""Return the File with this URL that the session's user may read."""
	names = frappe.get_all("File", filters={"file_url": file_url, "is_folder": 0}, pluck="name")
	for file in (frappe.get_doc("File", name) for name in names):
		if not file.is_remote_file and file.has_permission("read"):
			return file
	raise UnreadableFileError(_("There is no file {0} that you may read. Upload it again.").format(file_url))


def _read_table(file) -> list[list[str]]:
	content = read_file(file)
	suffix = file.file_name.rpartition(".")[2].lower()
	if suffix not in ("csv", "xlsx"):
		raise UnreadableFileError(
			_("{0} is no CSV or Excel (xlsx) file. Save it as one.").format(file.file_name)
		)
	try:
		lines = _read_csv(content) if suffix == "csv" else _read_xlsx(content)
		return [_clean(line) for line in _limited(lines)]
	except (csv.Error, UnicodeError, InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as error:
		raise UnreadableFileError(
			_("{0} cannot be read: {1}. Save it anew as CSV or xlsx.").format(file.file_name, error)
		) from error


def _read_csv(content: bytes) -> Iterator[list[str]]:
	text = _decode(content)
	first_line = text[: text.find("\n")] if "\n" in text else text
	delimiter = max(DELIMITERS, key=first_line.count)
	return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _decode(content: bytes) -> str:
	if content.startswith((b"\xff\xfe", b"\xfe\xff")):
		return content.decode("utf-16")
	try:
		return content.decode("utf-8-sig")
	except UnicodeDecodeError:
		return content.decode("cp1252", errors="replace")  # what Excel writes on many a desktop


def _read_xlsx(content: bytes) -> Iterator[Sequence]:
	return load_workbook(io.BytesIO(content), read_only=True, data_only=True).active.iter_rows(
		values_only=True
	)


def _limited(lines: Iterator[Sequence]) -> Iterator[Sequence]:
	for number, line in enumerate(lines):
		if number > MOST_ROWS:
			raise UnreadableFileError(_("The file has more than {0} rows. Split it.").format(MOST_ROWS))
		yield line[:MOST_COLUMNS]


def _clean(line: Sequence) -> list[str]:
	return ["" if value is None else str(value).strip() for value in line]
