"""A file of people, CSV or Excel: recognize its columns, and read its rows. Nothing here knows records or campaigns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import frappe
from frappe import _

from drip_campaigns.people.addresses import is_valid
from drip_campaigns.people.column_names import ABOUT, COLUMN_NAMES, NAME, WHOLE_ONLY, contains, spell
from drip_campaigns.people.table_file import UnreadableFileError, read_table
from drip_campaigns.site.frappe_versions import read_file

_ROWS_TO_LOOK_AT = 200  # for addresses


@dataclass(frozen=True)
class Row:
	"""One row of the file: its number as a spreadsheet shows it, and its values by fact."""

	number: int
	facts: dict[str, str]

	@property
	def name(self) -> str:
		"""Return what identifies the row in its file."""
		return str(self.number)


class PeopleFile:
	"""The headings and rows of an uploaded file that the session's user may read."""

	def __init__(self, file_url: str) -> None:
		file = _find_file(file_url)
		table = read_table(file.file_name, read_file(file))
		if not table:
			raise UnreadableFileError(
				_("The file {0} is empty. Enter the headings in the first row.").format(file_url)
			)
		if any(map(is_valid, table[0].cells)):
			raise UnreadableFileError(
				_("The first row of {0} has an email address. Insert a row with headings above it.").format(
					file_url
				)
			)
		self.file_url, self.lines = file_url, table[1:]
		self.headings = _make_unique(table[0].cells, max(len(line.cells) for line in table))

	def guess_mapping(self) -> dict[str, str]:
		"""Return the heading of each fact that a heading names, or for the address, that the values show."""
		spelled = {heading: spell(heading) for heading in self.headings if heading}
		mapping: dict[str, str] = {}
		for fact in COLUMN_NAMES:
			others = {heading: name for heading, name in spelled.items() if heading not in mapping.values()}
			found = self._find_address(others) if fact == "email_address" else _find_heading(fact, others)
			if found and not (
				fact == "record" and "email_address" in mapping and spelled[found] == "record id"
			):
				mapping[fact] = found
		return _place_name(mapping, spelled)

	def rows(self, mapping: str | dict[str, str]) -> list[Row]:
		"""Return the rows; raise UnreadableFileError for a mapping to columns that do not exist."""
		columns = self._columns(_read_mapping(mapping))
		return [
			Row(number, {fact: cells[column] for fact, column in columns.items() if column < len(cells)})
			for number, cells in self.lines
		]

	def explain_nothing(self) -> str:
		"""Return why a run reads no row of this file, and the remedy; empty if it has rows."""
		if self.lines:
			return ""
		return _(
			"The file {0} has headings, but no rows below them. Choose the sheet or file with the people."
		).format(self.file_url)

	def _find_address(self, spelled: Mapping[str, str]) -> str | None:
		"""Return the column whose heading names addresses, if it holds some; else the one that holds most."""
		shares = {heading: self._share_of_addresses(heading) for heading in spelled}
		filled = {heading: name for heading, name in spelled.items() if shares[heading] > 0.5}
		return (
			_find_heading("email_address", filled)
			or max(filled, key=lambda heading: shares[heading], default=None)
			or _find_heading("email_address", spelled)
		)

	def _share_of_addresses(self, heading: str) -> float:
		column = self.headings.index(heading)
		values = [cells[column] for _number, cells in self.lines[:_ROWS_TO_LOOK_AT] if column < len(cells)]
		values = [value for value in values if value]
		return sum("@" in value and is_valid(value) for value in values) / len(values) if values else 0.0

	def _columns(self, mapping: dict[str, str]) -> dict[str, int]:
		columns = {}
		for fact, heading in mapping.items():
			if fact in COLUMN_NAMES and heading:
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


def _make_unique(headings: Sequence[str], count: int) -> list[str]:
	"""Return the headings of `count` columns; the second one with the same name gets a number."""
	unique: list[str] = []
	for heading in [*headings, *[""] * (count - len(headings))]:
		number, name = 1, heading
		while heading and name in unique:
			number += 1
			name = f"{heading} ({number})"
		unique.append(name)
	return unique


def _find_heading(fact: str, spelled: Mapping[str, str]) -> str | None:
	"""Return the heading that is a name of the fact, or else contains one and is not only about it."""
	names, about = COLUMN_NAMES[fact], ABOUT[fact]
	by_name = {name: heading for heading, name in reversed(spelled.items())}
	for name in names:
		if name in by_name:
			return by_name[name]
	for name in names if fact != "record" else ():  # "Contact ID" is a number of another system
		for heading, words in spelled.items():
			if name not in WHOLE_ONLY and contains(words, name) and not about & set(words.split()):
				return heading
	return None


def _place_name(mapping: dict[str, str], spelled: Mapping[str, str]) -> dict[str, str]:
	"""Add the column of the name: the last name next to a column of the first name, and the first name otherwise."""
	free = {name: heading for heading, name in reversed(spelled.items()) if heading not in mapping.values()}
	missing = [fact for fact in ("first_name", "last_name") if fact not in mapping]
	heading = next((free[name] for name in NAME if name in free), None)
	return {**mapping, missing[0]: heading} if missing and heading else mapping


def _read_mapping(mapping: str | dict[str, str]) -> dict[str, str]:
	try:
		read = json.loads(mapping or "{}") if isinstance(mapping, str) else mapping
	except ValueError:
		read = None
	if not isinstance(read, dict):
		raise UnreadableFileError(_("The mapping of columns cannot be read. Choose the columns again."))
	return read


def _find_file(file_url: str):
	"""Return the File with this URL that the session's user may read."""
	names = frappe.get_all("File", filters={"file_url": file_url, "is_folder": 0}, pluck="name")
	for file in (frappe.get_doc("File", name) for name in names):
		if not file.is_remote_file and file.has_permission("read"):
			return file
	raise UnreadableFileError(
		_("You cannot read the file {0}, or it does not exist. Upload it again.").format(file_url)
	)
