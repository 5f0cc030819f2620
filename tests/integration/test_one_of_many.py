"""One record or row that fails stops no other: files, bulk enrollment, verbs, refreshes of lists."""

import json

import frappe
import pytest

from drip_campaigns.api.enroll import enroll_people_file, enroll_records
from drip_campaigns.db.savepoints import attempt, attempt_each
from drip_campaigns.enrollment import verbs
from drip_campaigns.enrollment.enroll import Enroller
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError
from drip_campaigns.jobs import bulk_verbs
from drip_campaigns.lists.add_members import MemberImporter
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import read_error
from tests import factories
from tests.factories import DOMAIN

MAPPING = json.dumps({"email_address": "email", "first_name": "first_name"})


@pytest.fixture
def contacts(campaign):
	return [factories.make_contact(f"P{n}", f"p{n}@{DOMAIN}").name for n in range(5)]


def fail_with(function, is_bad, error):
	"""Return `function` that raises `error` if one of its arguments is bad."""

	def wrapped(*args, **options):
		if is_bad(*args):
			raise error
		return function(*args, **options)

	return wrapped


def read_rows(run: dict) -> list[int]:
	errors = json.loads(frappe.db.get_value("Drip Bulk Enrollment", run["name"], "row_errors") or "[]")
	return [row for row, text in errors if text]


@pytest.mark.parametrize("bad", ["R&D <team>", "x" * 141, "<b>"])
def test_name_that_frappe_refuses_fails_its_row_only(campaign, upload, bad):
	url = upload(f"email,first_name\nann@{DOMAIN},Ann\nteam@{DOMAIN},{bad}\ncid@{DOMAIN},Cid\n")

	run = enroll_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)

	enrolled = set(frappe.get_all("Drip Enrollment", pluck="email_address"))
	assert run["status"] == "Completed"
	assert {f"ann@{DOMAIN}", f"cid@{DOMAIN}"} <= enrolled
	assert read_rows(run) == ([] if f"team@{DOMAIN}" in enrolled else [3])


@pytest.mark.parametrize(
	"error",
	[
		frappe.DuplicateEntryError("Contact", "R&D", "Duplicate"),
		frappe.PermissionError(),
		frappe.NameError("no such name"),
		KeyError("territory"),
	],
	ids=lambda error: type(error).__name__,
)
def test_record_that_any_error_refuses_fails_its_row_only(campaign, upload, monkeypatch, error):
	contact = type(frappe.new_doc("Contact"))
	monkeypatch.setattr(
		contact, "validate", fail_with(contact.validate, lambda doc: doc.first_name == "Bob", error)
	)
	url = upload(f"email,first_name\nann@{DOMAIN},Ann\nbob@{DOMAIN},Bob\ncid@{DOMAIN},Cid\n")

	run = enroll_people_file(campaign.name, "Contact", url, MAPPING, create_missing=True)

	assert (run["status"], run["enrolled"], read_rows(run)) == ("Completed", 2, [3])


def test_record_that_cannot_be_enrolled_stops_no_other(campaign, contacts, monkeypatch):
	is_bad = lambda _enroller, names: contacts[2] in names  # noqa: E731
	monkeypatch.setattr(Enroller, "enroll", fail_with(Enroller.enroll, is_bad, KeyError("territory")))

	run = enroll_records(campaign.name, "Contact", json.dumps([["name", "in", contacts]]))

	assert (run["status"], run["enrolled"], run["refused"]) == ("Completed", 4, 1)
	assert run["reasons"] == "1 × KeyError: 'territory'"


def test_row_that_cannot_be_enrolled_is_named(campaign, contacts, upload, monkeypatch):
	is_bad = lambda _enroller, names: contacts[2] in names  # noqa: E731
	monkeypatch.setattr(Enroller, "enroll", fail_with(Enroller.enroll, is_bad, KeyError("territory")))
	url = upload("\n".join(["email,first_name", *(f"p{n}@{DOMAIN},P{n}" for n in range(5))]))

	run = enroll_people_file(campaign.name, "Contact", url, MAPPING)

	assert (run["status"], run["enrolled"], read_rows(run)) == ("Completed", 4, [4])


@pytest.mark.parametrize(
	"error", [EnrollmentRefusedError("The campaign ended."), frappe.PermissionError("no")]
)
def test_what_concerns_the_whole_run_fails_it(campaign, contacts, monkeypatch, error):
	monkeypatch.setattr(Enroller, "enroll", fail_with(Enroller.enroll, lambda *_args: True, error))

	run = enroll_records(campaign.name, "Contact", json.dumps([["name", "in", contacts]]))

	assert (run["status"], run["enrolled"], run["refused"]) == ("Failed", 0, 0)


@pytest.mark.parametrize("in_job", [False, True], ids=["request", "job"])
def test_verb_that_fails_for_one_enrollment_is_applied_to_the_others(campaign, contacts, monkeypatch, in_job):
	enroll_records(campaign.name, "Contact", json.dumps([["name", "in", contacts]]))
	frappe.db.commit()
	names = frappe.get_all("Drip Enrollment", pluck="name", order_by="name")
	pause = verbs.EnrollmentVerb.PAUSE
	broken = fail_with(
		verbs._APPLY[pause], lambda rows, *_rest: names[1] in rows, frappe.PermissionError("No right to Ann")
	)
	monkeypatch.setitem(verbs._APPLY, pause, broken)

	if in_job:
		bulk_verbs.run(names, "Pause", None, None, 0, {})
	else:
		result = verbs.apply_verb(names, verbs.VerbRequest(pause), utc_now())
		assert (result.done, dict(result.refused)) == (4, {"No right to Ann": 1})

	paused = frappe.get_all("Drip Enrollment", filters={"status": "Paused"}, pluck="name", order_by="name")
	assert paused == [name for name in names if name != names[1]]


def test_record_that_cannot_join_a_list_stops_no_other(contacts, monkeypatch):
	source = factories.source(filters=[["name", "in", contacts]])
	target_list = factories.make_list("Drip Test Many", sources=[source])
	is_bad = lambda _importer, new: contacts[1] in [recipient.name for _row, recipient in new]  # noqa: E731
	monkeypatch.setattr(MemberImporter, "_insert", fail_with(MemberImporter._insert, is_bad, KeyError("x")))

	factories.refresh(target_list)

	run = frappe.get_last_doc("Drip Target List Refresh")
	members = frappe.get_all("Drip Target List Member", {"target_list": target_list.name}, pluck="recipient")
	assert sorted(members) == sorted(set(contacts) - {contacts[1]})
	assert (run.status, run.joined, run.unreachable) == ("Completed", 4, 1)


def test_failure_is_found_by_halves_and_undoes_only_itself(site):
	calls = []
	frappe.clear_messages()

	def write(rows):
		calls.append(len(rows))
		for row in rows:
			frappe.get_doc(doctype="Note", title=f"drip {row}", public=0).insert()
			if row == 37:
				frappe.throw("no 37")

	done, failed = attempt_each(range(64), write)

	assert [(row, read_error(error)) for row, error in failed] == [(37, "no 37")]
	assert frappe.db.count("Note", {"title": ["like", "drip %"]}) == 63
	assert len(calls) == 13
	assert len(done) == 6
	assert not frappe.local.message_log


def test_batch_without_failure_is_done_at_once(site):
	calls = []

	with factories.count_statements() as sent:
		attempt_each(range(1000), calls.append)

	assert (calls, sent.count) == ([range(1000)], 2)


def test_conflict_with_another_worker_is_raised_to_be_repeated(site):
	def conflict():
		raise frappe.QueryDeadlockError

	with pytest.raises(frappe.QueryDeadlockError):
		attempt(conflict)


def test_errors_of_frappe_are_sentences():
	assert "already exists" in read_error(frappe.DuplicateEntryError("Lead", "Ann", "1062"))
	assert "permission" in read_error(frappe.PermissionError())
	assert read_error(frappe.NameError("<b>No</b> name")) == "No name"
