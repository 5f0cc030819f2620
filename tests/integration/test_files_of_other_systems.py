"""Files of people from other systems: each is read, its columns are understood, or it is refused with the remedy."""

import io
import json
import time
import zipfile

import pytest
from openpyxl import Workbook
from openpyxl.styles import Font

from drip_campaigns.api.enroll import enroll_people_file, preview_people_file
from drip_campaigns.people.people_file import PeopleFile
from drip_campaigns.people.table_file import UnreadableFileError, read_table
from tests.factories import DOMAIN

FACTS = ("email_address", "first_name", "last_name", "company")


@pytest.fixture
def read(upload):
	"""Upload content under a name, and read it as a file of people."""
	return lambda content, name="drip people.csv": PeopleFile(upload(content, name))


def make_book(change=None, *, sheets=(("Email", "Vorname"), ("ann@x.example", "Ann"))) -> bytes:
	book, content = Workbook(), io.BytesIO()
	for row in sheets:
		book.active.append(row)
	if change:
		change(book)
	book.save(content)
	return content.getvalue()


@pytest.mark.parametrize(
	("headings", "expected"),
	[
		(
			"Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Email,Email Opt Out,Contact ID",
			(6, 1, 2, 4),
		),
		("Id,FirstName,LastName,Company,Email,EmailBouncedDate,Name", (4, 1, 2, 3)),
		(
			"Name,Given Name,Family Name,Yomi Name,Organization 1 - Name,E-mail 1 - Type,E-mail 1 - Value",
			(6, 1, 2, 4),
		),
		(
			"First Name,Last Name,Phonetic First Name,Name Prefix,Organization Name,Organization Title,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value",
			(7, 0, 1, 4),
		),
		("Record ID,First Name,Last Name,Email,Contact owner,Company name,Email Domain", (3, 1, 2, 5)),
		(
			"First Seen,Last Activity Date,Number of Emails,Email,First Name,Associated Company ID",
			(3, 4, None, None),
		),
		("Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,LEID", (0, 1, 2, None)),
		("EMAIL,FNAME,LNAME,EMAIL_STATUS", (0, 1, 2, None)),
		("Anrede,Nachname,Vorname,Firma,E-Mail-Adresse", (4, 2, 1, 3)),
		("Name,Vorname,Unternehmen,Mail", (3, 1, 0, 2)),
		("Nom,Prénom,Société,Adresse e-mail", (3, 1, 0, 2)),
		("Nom de famille,Prénom,Entreprise,Courriel", (3, 1, 0, 2)),
		("Prénom,Nom,Société,Adresse de messagerie", (3, 0, 1, 2)),
		("Nombre,Apellidos,Empresa,Correo electrónico", (3, 0, 1, 2)),
		("Primer nombre,Primer apellido,Organización,Dirección de correo electrónico", (3, 0, 1, 2)),
		("Full Name,Contact", (1, 0, None, None)),
		("الاسم الأول,اسم العائلة,الشركة,البريد الإلكتروني", (3, 0, 1, 2)),
		("Kontakt,Wer,Wo,Irgendwas", (3, None, None, None)),
	],
	ids=[
		*(
			"salesforce report",
			"salesforce api",
			"google old",
			"google new",
			"hubspot",
			"hubspot more",
			"mailchimp",
		),
		*("mailchimp tags", "german", "german name", "french", "french family", "outlook french", "spanish"),
		*("spanish outlook", "full name", "arabic", "by the values"),
	],
)
def test_headings_of_other_systems_are_mapped(read, headings, expected):
	names = headings.split(",")
	address = names[expected[0]]
	values = ["ann@x.example" if name == address else "7" for name in names]

	mapping = read(f"{headings}\n{','.join(values)}\n").guess_mapping()

	assert tuple(mapping.get(fact) for fact in FACTS) == tuple(
		None if n is None else names[n] for n in expected
	)


def test_number_of_another_system_is_not_taken_for_a_record(read):
	mapping = read("Record ID,Email\n51,ann@x.example\n").guess_mapping()

	assert mapping == {"email_address": "Email"}


@pytest.mark.parametrize(
	"start", ["", "sep=,\n", "\n", "\n,,,\n", "\nsep=,\n"], ids=["", "sep", "empty", "blank", "both"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_csv_of_every_spelling_is_read(site, delimiter, start):
	lines = (
		("Name, first", "E-mail", "Note"),
		("Zoë", "zoe@x.example", "a; b, c"),
		("Bob", "bob@x.example", "\t|"),
	)
	rows = (delimiter.join(f'"{cell}"' for cell in line) + "\n" for line in lines)
	text = start.replace(",", delimiter) + "".join(rows)

	for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"):
		for end in ("\n", "\r\n", "\r"):
			table = read_table("people.csv", text.replace("\n", end).encode(encoding))
			assert [tuple(line.cells[:2]) for line in table] == [line[:2] for line in lines], (encoding, end)


@pytest.mark.parametrize(
	"content",
	[
		'E-mail;"Name, first"\nann@x.example;"Ann, A"\n',
		'E-mail;"Name, first"\n',
		'E-mail,"Name; first"\na@x.example,"A; B"\n',
	],
)
def test_delimiter_in_a_quoted_heading_splits_nothing(read, content):
	file = read(content)

	assert [len(file.headings), *(len(line.cells) for line in file.lines)] == [2] * (len(file.lines) + 1)


def test_rows_keep_the_numbers_of_the_spreadsheet(read):
	file = read("\n\nEmail\n\nann@x.example\n;\nbob@x.example\n")

	assert [row.number for row in file.rows({"email_address": "Email"})] == [5, 6, 7]


def test_columns_after_the_hundredth_are_read(read):
	headings, values = [f"c{n}" for n in range(300)] + ["Email"], ["1"] * 300 + ["ann@x.example"]
	mapping = (file := read(f"{','.join(headings)}\n{','.join(values)}\n")).guess_mapping()

	assert (mapping, file.rows(mapping)[0].facts) == (
		{"email_address": "Email"},
		{"email_address": "ann@x.example"},
	)


def test_second_column_of_the_same_name_can_be_chosen(read):
	file = read("Name,Email,Email\nAnn,,ann@x.example\n")

	assert file.guess_mapping() == {"email_address": "Email (2)", "first_name": "Name"}


def test_formatted_cell_far_below_costs_nothing(read):
	def format_far_below(book):
		book.active.cell(300_000, 1).font = Font(bold=True)
		book.active.cell(1_048_576, 5).font = Font(bold=True)

	content, start = make_book(format_far_below), time.monotonic()
	file = read(content, "drip people.xlsx")

	assert (file.headings, len(file.lines)) == (["Email", "Vorname"], 1)
	assert time.monotonic() - start < 10


def test_stated_size_of_a_sheet_is_not_believed(read):
	changed = io.BytesIO()
	with zipfile.ZipFile(io.BytesIO(make_book())) as source, zipfile.ZipFile(changed, "w") as target:
		for name in source.namelist():
			target.writestr(name, source.read(name).replace(b'ref="A1:B2"', b'ref="A1"'))

	file = read(changed.getvalue(), "drip people.xlsx")

	assert (file.headings, len(file.lines)) == (["Email", "Vorname"], 1)


@pytest.mark.parametrize("active", [0, 1, 2])
def test_first_sheet_with_values_is_read(read, active):
	def put_others_in_front(book):
		book.create_chartsheet("Chart", 0)
		book.create_sheet("Empty", 1)
		book.active = active

	file = read(make_book(put_others_in_front), "drip people.xlsx")

	assert file.headings == ["Email", "Vorname"]


def test_zero_is_a_value(read):
	file = read(make_book(sheets=(("Email", "Count"), (None, 0))), "drip people.xlsx")

	assert [line.cells for line in file.lines] == [["", "0"]]


def test_workbook_with_the_wrong_ending_is_read(read):
	assert read(make_book(), "drip people.csv").headings == ["Email", "Vorname"]


@pytest.mark.parametrize(
	("name", "content", "said"),
	[
		("people.ods", b"PK\x03\x04", "isn't a CSV or Excel (.xlsx) file. Save it as one of these."),
		("people.xlsx", b"\xd0\xcf\x11\xe0 secret", "Save it as .xlsx without a password."),
		("people.xls", b"\xd0\xcf\x11\xe0 old", "has the old Excel format"),
		("people.xlsx", b"Email\nann@x.example\n", "Save it again as CSV or .xlsx."),
	],
)
def test_other_formats_are_refused_with_the_remedy(site, name, content, said):
	with pytest.raises(UnreadableFileError) as caught:
		read_table(name, content)

	assert said in str(caught.value)


def test_open_document_under_another_name_is_refused(site):
	content = io.BytesIO()
	with zipfile.ZipFile(content, "w") as parts:
		parts.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")

	with pytest.raises(UnreadableFileError, match="isn't a CSV or Excel"):
		read_table("people.xlsx", content.getvalue())


def test_file_without_headings_is_refused_and_loses_nobody(read):
	with pytest.raises(UnreadableFileError, match="Insert a row with headings"):
		read("ann@x.example,Ann\nbob@x.example,Bob\n")


def test_run_that_reads_nothing_fails_with_the_reason_and_the_remedy(campaign, upload):
	url, mapping = upload("Email,Name\n,\n"), json.dumps({"email_address": "Email"})

	said = preview_people_file(campaign.name, "Contact", url, mapping)
	run = enroll_people_file(campaign.name, "Contact", url, mapping)

	assert "has headings, but no rows below them. Choose" in said["problem"]
	assert (run["status"], run["error"]) == ("Failed", said["problem"])


def test_run_that_reads_something_says_no_problem(campaign, upload):
	url = upload(f"Email,Name\nno{DOMAIN},\n")

	assert (
		preview_people_file(campaign.name, "Contact", url, json.dumps({"email_address": "Email"}))["problem"]
		== ""
	)
