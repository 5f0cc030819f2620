"""What uninstalling does to the site's own records, and what it takes along: its two hooks, without uninstalling.

The whole of it, on real benches, is a job of the continuous integration.
"""

from pathlib import Path

import frappe
import pytest
from frappe.desk.form.assign_to import add as assign
from frappe.model.document import Document

from drip_campaigns import install, uninstall
from drip_campaigns.jobs import dispatch_due
from tests import factories, verbs


@pytest.fixture
def used(site, clock, smtp):
	"""A campaign that has sent one email, has one queued, and that somebody has left."""
	campaign = factories.make_active_campaign(clock)
	gone, stays = (factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2))
	factories.run(clock)
	verbs.unsubscribe(gone, clock.now)
	clock.advance(days=2)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	yield campaign
	frappe.db.rollback()
	frappe.clear_cache()
	install.after_install()
	frappe.db.commit()


def test_communications_refer_to_the_recipient_afterwards(used, smtp):
	sent = frappe.get_all("Drip Email", filters={"status": "Sent"}, fields=["communication", "recipient"])

	uninstall.before_uninstall()

	assert len(sent) == 2
	for mail in sent:
		kept = frappe.get_doc("Communication", mail.communication)
		assert (kept.reference_doctype, kept.reference_name) == ("Contact", mail.recipient)
	assert not frappe.db.exists("Communication", {"reference_doctype": "Drip Enrollment"})


def test_what_is_queued_is_withdrawn_and_what_was_sent_stays_in_the_queue(used):
	uninstall.before_uninstall()

	rows = frappe.get_all(
		"Email Queue", filters={"sender": factories.SENDER}, fields=["status", "reference_doctype"]
	)
	assert rows == [{"status": "Sent", "reference_doctype": None}] * 2


def test_unsubscribes_stay(used):
	before = factories.count("Email Unsubscribe")

	uninstall.before_uninstall()

	assert factories.count("Email Unsubscribe") == before
	assert frappe.db.exists(
		"Email Unsubscribe", {"reference_doctype": "Drip Campaign", "reference_name": used.name}
	)


def test_what_people_have_attached_to_our_records_goes_and_the_rest_stays(used):
	contact = frappe.get_last_doc("Contact")
	contact.add_comment("Comment", "stays")
	used.reload().add_comment("Comment", "goes")
	used.add_tag("goes")
	assign(
		{"doctype": "Drip Campaign", "name": used.name, "assign_to": ["Administrator"], "description": "goes"}
	)
	file = attach_file(used)
	frappe.get_doc(
		doctype="Custom Field", dt="Drip Campaign", fieldname="goes", fieldtype="Data", label="Goes"
	).db_insert()

	uninstall.remove_references(uninstall.find_own_doctypes())

	for doctype, field in uninstall.REFERENCES:
		assert not frappe.db.exists(doctype, {field: "Drip Campaign"}), doctype
	assert not frappe.db.exists("File", file.name) and not Path(file.get_full_path()).exists()
	assert frappe.db.exists("Comment", {"reference_doctype": "Contact", "content": "stays"})


def test_dry_run_changes_nothing(used):
	before = frappe.get_all("Email Queue", filters={"sender": factories.SENDER}, fields=["name", "status"])
	file = attach_file(used)
	frappe.db.commit()

	uninstall.before_uninstall()
	uninstall.after_uninstall()

	assert (
		frappe.get_all("Email Queue", filters={"sender": factories.SENDER}, fields=["name", "status"])
		== before
	)
	assert frappe.db.count("Communication", {"reference_doctype": "Drip Enrollment"}) == 3
	assert all(frappe.db.exists("Role", role) for role in install.ROLES)
	assert frappe.db.exists("Scheduled Job Type", {"method": ["like", "drip_campaigns.%"]})
	assert frappe.db.exists("File", file.name) and Path(file.get_full_path()).exists()
	frappe.delete_doc("File", file.name)
	frappe.db.commit()


@pytest.mark.parametrize("hook", ["before_uninstall", "after_uninstall"])
def test_dry_run_of_ours_commits_nothing_that_others_wrote(site, hook):
	assert_nothing_is_committed(hook)


@pytest.mark.parametrize(
	"hook", ["before_app_install", "after_app_install", "before_app_uninstall", "after_app_uninstall"]
)
def test_hook_for_another_app_commits_nothing_that_others_wrote(site, hook):
	assert_nothing_is_committed(hook, "erpnext")


def assert_nothing_is_committed(hook: str, *arguments: str) -> None:
	"""Call our functions of a hook while another app's record isn't committed yet, as Frappe does in a dry run."""
	todo = frappe.get_doc(doctype="ToDo", description="not committed").insert()

	for function in frappe.get_hooks(hook, app_name="drip_campaigns"):
		frappe.get_attr(function)(*arguments)

	frappe.db.rollback()
	assert not frappe.db.exists("ToDo", todo.name)


def attach_file(campaign) -> Document:
	return frappe.get_doc(
		doctype="File",
		file_name="goes.txt",
		content=frappe.generate_hash(),
		attached_to_doctype=campaign.doctype,
		attached_to_name=campaign.name,
	).insert()


def test_modules_are_read_again_because_frappe_may_remember_those_before_the_app_came(site, monkeypatch):
	before = {app: modules for app, modules in frappe.local.app_modules.items() if app != "drip_campaigns"}
	monkeypatch.setattr(frappe.local, "app_modules", before)
	frappe.cache.delete_value("app_modules")  # Frappe empties the cache, too, before it calls the hook

	install.before_install()

	assert frappe.local.app_modules["drip_campaigns"] == ["drip_campaigns"]


def test_installing_twice_makes_nothing_twice(site):
	install.after_install()
	install.after_install()

	assert [frappe.db.count("Role", {"name": role}) for role in install.ROLES] == [1, 1]


def test_jobs_of_the_app_are_known_to_the_scheduler(site):
	jobs = frappe.get_all(
		"Scheduled Job Type",
		filters={"method": ["like", "drip_campaigns.%"]},
		fields=["method", "frequency", "cron_format"],
		order_by="method",
	)

	assert [(job.method, job.frequency, job.cron_format or None) for job in jobs] == [
		("drip_campaigns.jobs.bulk_enrollment.resume_orphaned", "Cron", "*/15 * * * *"),
		("drip_campaigns.jobs.daily.run_daily", "Daily Long", None),
		("drip_campaigns.jobs.dispatch_due.dispatch_due", "Cron", "*/5 * * * *"),
		("drip_campaigns.jobs.refresh_lists.refresh_due", "Cron", "*/15 * * * *"),
	]


def test_app_adds_no_field_to_the_forms_of_others(site):
	ours = frappe.get_all("DocType", filters={"module": "Drip Campaigns"}, pluck="name")
	filters = {"module": "Drip Campaigns", "dt": ["not in", ours]}
	assert not frappe.get_all("Custom Field", filters=filters)
	assert not frappe.get_all("Property Setter", filters={"module": "Drip Campaigns"})
