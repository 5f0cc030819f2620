"""Importing the opt-outs of another tool: preview, reasons, errors by row, what ends, rights, and many rows."""

import io
import json

import frappe
import pytest
from openpyxl import Workbook

from drip_campaigns.api import suppressions
from drip_campaigns.core.errors import DripError
from drip_campaigns.jobs import dispatch_due, import_opt_outs
from drip_campaigns.people.addresses import hash_address
from tests import factories
from tests.factories import DOMAIN

MAPPING = json.dumps({"email_address": "E-Mail"})
NOTE = "Export of the old tool, 3 March 2026"


def find(address: str):
	return frappe.get_doc("Drip Suppression", hash_address(address))


@pytest.fixture
def file(upload):
	"""A file with a new address, a second spelling of it, one that is no address, none, and one that is suppressed."""
	frappe.get_doc(
		doctype="Drip Suppression", email_address=f"known@{DOMAIN}", note="asked", reason="Complaint"
	).insert()
	rows = (
		"Name;E-Mail",
		f"Ann;ann@{DOMAIN}",
		f"Ann;ANN@{DOMAIN}",
		"Bob;bob at home",
		"Cid;",
		f"Dan;known@{DOMAIN}",
	)
	return upload("sep=;\n" + "\n".join(rows))


def test_column_of_the_address_is_found(file):
	assert suppressions.read_opt_out_file(file) == {"headings": ["Name", "E-Mail"], "email_address": "E-Mail"}


def test_preview_counts_and_names_rows_and_writes_nothing(file):
	before = factories.count("Drip Suppression")

	said = suppressions.preview_opt_outs(file, MAPPING)

	assert (said["total"], said["new"], said["known"], said["errors_count"]) == (5, 1, 1, 3)
	assert said["errors"] == [
		{"row": 3, "text": "the same as row 2"},
		{"row": 4, "text": "“bob at home” is not a valid email address"},
		{"row": 5, "text": "no email address"},
	]
	assert factories.count("Drip Suppression") == before


@pytest.mark.parametrize("reason", ["Opted Out", "Hard Bounce", "Complaint", "Manual"])
def test_import_does_what_the_preview_said(file, reason):
	said = suppressions.preview_opt_outs(file, MAPPING)

	done = suppressions.import_opt_outs(file, MAPPING, NOTE, reason)

	assert {key: done[key] for key in ("new", "known", "errors")} == {
		key: said[key] for key in ("new", "known", "errors")
	}
	row = find(f"ann@{DOMAIN}")
	assert (row.reason, row.source, row.note) == (reason, "Administrator", f"{NOTE} (row 2)")
	assert find(f"known@{DOMAIN}").reason == "Complaint"


def test_second_import_changes_nothing(file):
	suppressions.import_opt_outs(file, MAPPING, NOTE)

	again = suppressions.import_opt_outs(file, MAPPING, NOTE)

	assert (again["new"], again["known"]) == (0, 2)


def test_import_does_the_same_as_a_suppression_by_hand(campaign, clock, upload, smtp):
	people = [factories.make_contact(name, f"{name}@{DOMAIN}") for name in ("file", "hand", "other")]
	enrollments = [factories.enroll(campaign, one, clock).name for one in people]
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	suppressions.import_opt_outs(upload(f"E-Mail\nFILE@{DOMAIN}\n"), MAPPING, NOTE)
	frappe.get_doc(
		doctype="Drip Suppression", email_address=f"HAND@{DOMAIN}", note="asked", reason="Opted Out"
	).insert()

	states = [
		(
			frappe.db.get_value("Drip Enrollment", name, ["status", "next_send_at", "exit_reason"]),
			sorted(frappe.get_all("Drip Email", {"enrollment": name}, pluck="status")),
			sorted(frappe.get_all("Drip Event", {"enrollment": name}, pluck="event_type")),
			frappe.db.get_value("Contact", person.name, "unsubscribed"),
		)
		for name, person in zip(enrollments, people, strict=True)
	]
	assert states[0] == states[1]
	assert states[0][0][0] == "Unsubscribed"
	assert states[2][0][0] not in ("Unsubscribed", "Exited")
	assert find(f"file@{DOMAIN}").flagged_records == f"Contact\t{people[0].name}"
	assert find(f"hand@{DOMAIN}").flagged_records == f"Contact\t{people[1].name}"


def test_lifted_address_is_suppressed_again(file):
	frappe.call(
		"drip_campaigns.api.desk.lift_suppression", suppression=find(f"known@{DOMAIN}").name, because="asked"
	)

	done = suppressions.import_opt_outs(file, MAPPING, NOTE)

	row = find(f"known@{DOMAIN}")
	assert (done["new"], row.lifted, row.reason, row.note) == (2, 0, "Opted Out", f"{NOTE} (row 6)")


def test_many_rows_run_in_the_background_with_few_statements(site, upload):
	book, content = Workbook(), io.BytesIO()
	for row in (("E-Mail",), *((f"many{n}@{DOMAIN}",) for n in range(1200))):
		book.active.append(row)
	book.save(content)
	url = upload(content.getvalue(), "drip opt-outs.xlsx")

	begun = suppressions.import_opt_outs(url, MAPPING, NOTE)
	before = factories.count("Drip Suppression")
	with factories.count_statements() as sent:
		import_opt_outs.run(url, MAPPING, "Opted Out", NOTE)

	assert (begun, before) == ({"is_running": True}, 0)
	assert factories.count("Drip Suppression") == 1200
	assert sent.count < 120
	note = frappe.get_last_doc("Notification Log")
	assert "1200 suppressed, 0 were suppressed before, 0 rows have an error" in note.subject


def test_row_that_fails_alone_is_named(file, monkeypatch):
	suppress = import_opt_outs.suppress_rows

	def fail_for_row_2(rows, *rest):
		if 2 in [row.number for row in rows]:
			raise KeyError("row 2")
		return suppress(rows, *rest)

	monkeypatch.setattr(import_opt_outs, "suppress_rows", fail_for_row_2)

	done = suppressions.import_opt_outs(file, MAPPING, NOTE)

	assert (done["new"], done["known"]) == (0, 1)
	assert {"row": 2, "text": "KeyError: 'row 2'"} in done["errors"]


@pytest.mark.parametrize(
	("reason", "note", "said"),
	[("Because", NOTE, "isn't a reason"), ("Opted Out", " ", "Enter in Note")],
)
def test_import_without_a_reason_or_a_proof_is_refused(file, reason, note, said):
	with pytest.raises((DripError, frappe.ValidationError), match=said):
		suppressions.import_opt_outs(file, MAPPING, note, reason)


def test_file_without_rows_is_refused(site, upload):
	with pytest.raises(frappe.ValidationError, match="no rows below"):
		suppressions.import_opt_outs(upload("E-Mail\n"), MAPPING, NOTE)


def test_only_managers_import(site, upload):
	manager = factories.make_user("manager", "Drip Manager")
	frappe.set_user(factories.make_user("seller", "Drip User", "Sales User"))
	url = upload(f"E-Mail\nann@{DOMAIN}\n")

	for function, args in (
		(suppressions.read_opt_out_file, (url,)),
		(suppressions.preview_opt_outs, (url, MAPPING)),
		(suppressions.import_opt_outs, (url, MAPPING, NOTE)),
	):
		with pytest.raises(frappe.PermissionError):
			function(*args)
	frappe.set_user(manager)
	assert (
		suppressions.import_opt_outs(upload(f"E-Mail\nbob@{DOMAIN}\n", "drip 2.csv"), MAPPING, NOTE)["new"]
		== 1
	)
