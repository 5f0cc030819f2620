"""Enrolling from a CSV or Excel file: columns, a dry run, errors by row, records that are made, many rows."""

import io
import json
import zipfile

import frappe
import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference

from drip_campaigns.api.enroll import enroll_people_file, preview_people_file, read_people_file
from drip_campaigns.jobs import bulk_enrollment, bulk_enrollment_sources
from drip_campaigns.people import table_file
from drip_campaigns.people.opt_outs import record_opt_out
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.fakes import Clock

MAPPING = json.dumps({"email_address": "Email", "first_name": "First Name", "last_name": "Last Name"})


@pytest.fixture
def clock():
	return Clock(utc_now())


def rows(*lines: str) -> str:
	return "\n".join(["Email,First Name,Last Name", *lines])


def test_columns_are_understood_by_their_headings(upload):
	url = upload("Wer;Mail;Company Name;ID\nAda;ada@x.example;Engines;17\n")

	read = read_people_file(url)

	assert read["headings"] == ["Wer", "Mail", "Company Name", "ID"]
	assert read["mapping"] == {"email_address": "Mail", "record": "ID", "company": "Company Name"}
	assert (read["count"], read["lines"]) == (1, [["Ada", "ada@x.example", "Engines", "17"]])


@pytest.mark.parametrize(
	("content", "mapping", "first"),
	[
		("sep=;\r\nName;E-mail\r\nAnn;ann@x.example\r\n", ("E-mail", None, "Name"), ["Ann", "ann@x.example"]),
		(
			'"Name, first";"E-mail"\nAnn;ann@x.example\n',
			("E-mail", None, "Name, first"),
			["Ann", "ann@x.example"],
		),
		(
			"Name;Email;Note\nO'Brien;o@x.example;'so', 'la', x\n",
			("Email", None, "Name"),
			["O'Brien", "o@x.example"],
		),
		(
			"Anrede,Nachname,Vorname,E-Mail-Adresse\nFrau,Beispiel,Ann,ann@x.example\n",
			("E-Mail-Adresse", "Nachname", "Vorname"),
			["Frau", "Beispiel"],
		),
		(
			"First Name,Last Name,Mailing Street,Email\nAnn,Example,1 Road,ann@x.example\n",
			("Email", "Last Name", "First Name"),
			["Ann", "Example"],
		),
		("Email\nann@x.example\n", ("Email", None, None), ["ann@x.example"]),
	],
	ids=["sep", "comma in heading", "apostrophes", "german", "salesforce", "one column"],
)
def test_csv_of_other_programs_is_understood(upload, content, mapping, first):
	read = read_people_file(upload(content))

	facts = ("email_address", "last_name", "first_name")
	assert tuple(read["mapping"].get(fact) for fact in facts) == mapping
	assert (read["count"], read["lines"][0][:2]) == (1, first)


def test_sheet_that_states_a_wrong_size_is_read_to_its_end(upload):
	book, content, changed = Workbook(), io.BytesIO(), io.BytesIO()
	for line in (("Email", "First Name"), ("ann@x.example", "Ann"), ("bob@x.example", "Bob")):
		book.active.append(line)
	book.save(content)
	with zipfile.ZipFile(content) as source, zipfile.ZipFile(changed, "w") as target:
		for name in source.namelist():
			target.writestr(name, source.read(name).replace(b'ref="A1:B3"', b'ref="A1"'))

	read = read_people_file(upload(changed.getvalue(), "drip people.xlsx"))

	assert (read["headings"], read["count"]) == (["Email", "First Name"], 2)


def test_workbook_that_begins_with_a_chart_is_read(upload):
	book, content = Workbook(), io.BytesIO()
	for line in (("Email",), ("ann@x.example",)):
		book.active.append(line)
	chart = BarChart()
	chart.add_data(Reference(book.active, min_col=1, min_row=1, max_row=2))
	book.create_chartsheet("Chart", 0).add_chart(chart)
	book.active = 0
	book.save(content)

	read = read_people_file(upload(content.getvalue(), "drip people.xlsx"))

	assert (read["headings"], read["count"]) == (["Email"], 1)


def test_dry_run_says_what_each_row_would_do_and_writes_nothing(campaign, upload):
	factories.make_contact("Ada", f"ada@{DOMAIN}")
	url = upload(
		rows(
			f"ADA@{DOMAIN},Ada,",
			f"ada@{DOMAIN},Again,",
			"no address,Bob,",
			f"new@{DOMAIN},New,Comer",
			",Empty,",
		)
	)
	before = factories.count("Contact"), factories.count("Drip Enrollment")

	found = preview_people_file(campaign.name, "Contact", url, MAPPING)
	with_new = preview_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)

	assert (found["total"], found["enrolled"], found["created"], found["errors_count"]) == (5, 1, 0, 4)
	assert found["errors"] == [
		{"row": 3, "text": "the same as row 2"},
		{"row": 4, "text": "“no address” is not a valid email address"},
		{"row": 5, "text": f"no Contact that you may read has the address new@{DOMAIN}"},
		{"row": 6, "text": "no email address"},
	]
	assert (with_new["enrolled"], with_new["created"], with_new["errors_count"]) == (2, 1, 3)
	assert (factories.count("Contact"), factories.count("Drip Enrollment")) == before


def test_run_does_what_the_dry_run_has_said(campaign, upload):
	factories.make_contact("Ada", f"ada@{DOMAIN}")
	factories.make_contact("Gone", f"gone@{DOMAIN}")
	record_opt_out(campaign.name, f"gone@{DOMAIN}")
	record_opt_out(campaign.name, f"never@{DOMAIN}")
	url = upload(
		rows(f"ada@{DOMAIN},Ada,", f"gone@{DOMAIN},,", f"never@{DOMAIN},,", "x,,", f"new@{DOMAIN},New,Comer")
	)

	said = preview_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)
	done = enroll_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)

	assert (done["status"], done["enrolled"], done["refused"]) == ("Completed", said["enrolled"], 3)
	made = frappe.get_doc(
		"Contact", frappe.db.get_value("Contact Email", {"email_id": f"new@{DOMAIN}"}, "parent")
	)
	assert (made.first_name, made.last_name) == ("New", "Comer")
	assert not frappe.db.exists("Contact Email", {"email_id": f"never@{DOMAIN}"}), (
		"nobody is made who has left"
	)
	errors = json.loads(frappe.db.get_value("Drip Bulk Enrollment", done["name"], "row_errors"))
	assert errors == [[error["row"], error["text"]] for error in said["errors"]]


def test_excel_file_and_the_name_of_the_record(campaign, upload):
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	book, content = Workbook(), io.BytesIO()
	for line in (("Record", "Email"), (contact.name, None), (None, None), ("drip-no-such-contact", None)):
		book.active.append(line)
	book.save(content)
	url = upload(content.getvalue(), "drip people.xlsx")

	done = enroll_people_file(campaign.name, "Contact", url, json.dumps({"record": "Record"}))

	assert (done["total"], done["enrolled"]) == (2, 1)
	errors = json.loads(frappe.db.get_value("Drip Bulk Enrollment", done["name"], "row_errors"))
	assert errors == [[4, "there is no Contact named drip-no-such-contact"]]


def test_contact_is_found_by_another_address_of_it(campaign, upload):
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	contact.append("email_ids", {"email_id": f"private@{DOMAIN}"})
	contact.save()
	url = upload(rows(f"private@{DOMAIN},,"))

	enroll_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)

	assert frappe.get_all("Drip Enrollment", pluck="email_address") == [f"ada@{DOMAIN}"]


def test_run_that_was_cancelled_goes_on_at_its_row(campaign, upload, monkeypatch):
	monkeypatch.setattr(bulk_enrollment_sources, "ROWS_A_PAGE", 2)
	monkeypatch.setattr("drip_campaigns.api.enroll.AT_ONCE", 0)
	url = upload(rows(*[f"p{n}@{DOMAIN},P{n}," for n in range(5)]))
	run = enroll_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)
	frappe.db.commit()
	cancel = "drip_campaigns.api.desk.cancel_bulk_enrollment"
	monkeypatch.setattr(
		bulk_enrollment, "_show_progress", lambda document: frappe.call(cancel, name=document.name)
	)
	bulk_enrollment.run(run["name"])
	stopped = frappe.db.get_value("Drip Bulk Enrollment", run["name"], ["status", "processed"])

	monkeypatch.undo()
	frappe.call("drip_campaigns.api.desk.resume_bulk_enrollment", name=run["name"])
	frappe.db.commit()
	bulk_enrollment.run(run["name"])

	assert tuple(stopped) == ("Cancelled", 2)
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 5
	assert frappe.db.get_value("Drip Bulk Enrollment", run["name"], "status") == "Completed"


def test_record_that_cannot_be_made_is_an_error_of_its_row(campaign, upload):
	url = upload(rows(f"good@{DOMAIN},Good,", f"bad@{DOMAIN},{'x' * 200},"))

	done = enroll_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)

	errors = json.loads(frappe.db.get_value("Drip Bulk Enrollment", done["name"], "row_errors"))
	assert done["enrolled"] == 1
	assert [row for row, _text in errors] == [3]


@pytest.mark.parametrize(
	("content", "name", "said"),
	[
		(b"PK\x03\x04 no workbook", "drip.xlsx", "Could not read"),
		("a,b\n", "drip.txt", "isn't a CSV or Excel (.xlsx) file"),
		("\n\n", "drip.csv", "is empty"),
	],
	ids=["broken", "text", "empty"],
)
def test_file_that_cannot_be_read_is_refused_with_the_remedy(upload, content, name, said):
	url = upload(content, name)

	with pytest.raises(frappe.ValidationError) as caught:
		read_people_file(url)

	assert said in str(caught.value)


def test_mapping_that_leads_nowhere_is_refused(campaign, upload):
	url = upload(rows(f"ada@{DOMAIN},,"))

	for mapping, said in (
		("{}", "Choose the column of the email address"),
		(
			'{"email_address": "Mail"}',
			"The file has no column Mail. Choose one of: Email, First Name, Last Name.",
		),
		("oops", "Choose the columns again"),
	):
		with pytest.raises(frappe.ValidationError) as caught:
			preview_people_file(campaign.name, "Contact", url, mapping)
		assert said in str(caught.value)


def test_file_with_too_many_rows_is_refused(upload, monkeypatch):
	monkeypatch.setattr(table_file, "MOST_ROWS", 2)

	with pytest.raises(frappe.ValidationError, match="more than 2 rows. Split it"):
		read_people_file(upload(rows("a,,", "b,,", "c,,")))


def test_somebody_elses_private_file_is_not_read(campaign, upload):
	url = upload(rows(f"ada@{DOMAIN},,"))
	frappe.set_user(factories.make_user("seller", "Drip User"))

	with pytest.raises(frappe.ValidationError, match="You cannot read the file"):
		read_people_file(url)


def test_path_and_foreign_address_are_no_files(site):
	for url in ("/private/files/../site_config.json", "https://example.com/people.csv", "/etc/passwd"):
		with pytest.raises(frappe.ValidationError, match="You cannot read the file"):
			read_people_file(url)


def test_who_may_not_make_contacts_makes_none(campaign, upload):
	user = factories.make_user("enroller", "Drip User")
	frappe.set_user(user)
	url = upload(rows(f"new@{DOMAIN},New,"))
	may = frappe.has_permission("Contact", "create")

	if may:
		pytest.skip("this site lets everybody make Contacts")
	with pytest.raises(frappe.PermissionError):
		preview_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)


def test_users_are_not_made_from_a_file(campaign, upload):
	url = upload(rows(f"new@{DOMAIN},New,"))

	with pytest.raises(frappe.ValidationError, match="User records are not made from a file"):
		preview_people_file(campaign.name, "User", url, MAPPING, create_missing=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_that_spreadsheets_write_are_read(upload, encoding):
	url = upload(rows(f"u@{DOMAIN},Jürgen,").encode(encoding))

	assert read_people_file(url)["lines"][0][1] == "Jürgen"


def test_few_wrong_rows_of_many_are_named_and_the_others_enrolled(campaign, upload, monkeypatch):
	for number in range(300):
		factories.make_contact(f"P{number}", f"many{number}@{DOMAIN}")
	wrong = {50, 51, 299}
	lines = [f"wrong {n},," if n in wrong else f"many{n}@{DOMAIN},," for n in range(300)]
	url = upload(rows(*lines))

	with factories.count_statements() as sent:
		figures = preview_people_file(campaign.name, "Contact", url, MAPPING)
	done = enroll_people_file(campaign.name, "Contact", url, MAPPING)
	bulk_enrollment.run(done["name"])

	run = frappe.get_doc("Drip Bulk Enrollment", done["name"])
	assert (figures["enrolled"], figures["errors_count"]) == (297, 3)
	assert sent.count < 40
	assert (run.status, run.enrolled, run.refused) == ("Completed", 297, 3)
	assert [row for row, _text in json.loads(run.row_errors)] == sorted(n + 2 for n in wrong)
	assert run.reasons == "3 × The row has an error"
