"""Days on which nothing leaves: ERPNext's Holiday Lists, or DocTypes of the same names and fields on a site without it."""

from collections.abc import Iterator
from datetime import date, timedelta

import frappe
import pytest
from frappe.utils.background_jobs import get_queues

from drip_campaigns import install, uninstall
from drip_campaigns.campaign import holiday_field, lifecycle
from drip_campaigns.jobs import daily
from tests import factories
from tests.factories import step

LIST = "Drip Test Holidays"
TUESDAY = date(2026, 3, 3)  # the day after the clock's


@pytest.fixture(scope="module")
def holiday_lists(connected_site) -> Iterator[None]:
	"""A site that has Holiday Lists, and campaigns with the field for them."""
	is_ours = not frappe.db.exists("DocType", "Holiday List")
	if is_ours:
		make_stand_ins()
	install.after_app_install("erpnext")
	frappe.db.commit()
	yield
	if is_ours:
		uninstall.before_app_uninstall(app_of_holiday_lists())
		frappe.delete_doc("DocType", "Holiday List", force=True)
		frappe.delete_doc("DocType", "Holiday", force=True)
	frappe.db.commit()


def app_of_holiday_lists() -> str:
	"""Return the app of the module of Holiday Lists: ERPNext, or the one of the stand-ins."""
	module = frappe.db.get_value("DocType", "Holiday List", "module")
	return frappe.db.get_value("Module Def", module, "app_name")


@pytest.fixture
def make_list(site, holiday_lists) -> Iterator:
	"""Save a Holiday List with these days, the last one as a weekly holiday; afterwards it is gone."""

	def save(*days: date):
		found = frappe.db.exists("Holiday List", LIST)
		document = frappe.get_doc("Holiday List", LIST) if found else frappe.new_doc("Holiday List")
		document.update({"holiday_list_name": LIST, "from_date": "2026-01-01", "to_date": "2030-12-31"})
		document.set("holidays", [])
		for day in days:
			row = {"holiday_date": day, "description": "Closed", "weekly_off": int(day == days[-1])}
			document.append("holidays", row)
		document.save()
		frappe.db.commit()
		return document

	yield save
	frappe.db.rollback()
	for doctype, field in (("Holiday", "parent"), ("Holiday List", "name")):
		frappe.db.delete(doctype, {field: LIST})
	frappe.clear_document_cache("Holiday List", LIST)
	frappe.db.commit()


def make_stand_ins() -> None:
	"""Make DocTypes that look to us as ERPNext's do."""
	child = [("holiday_date", "Date", ""), ("description", "Text Editor", ""), ("weekly_off", "Check", "")]
	parent = [
		("holiday_list_name", "Data", ""),
		("from_date", "Date", ""),
		("to_date", "Date", ""),
		("holidays", "Table", "Holiday"),
	]
	for name, fields, options in (
		("Holiday", child, {"istable": 1}),
		("Holiday List", parent, {"autoname": "field:holiday_list_name"}),
	):
		rows = [
			{"fieldname": field, "fieldtype": kind, "options": target, "label": field}
			for field, kind, target in fields
		]
		permissions = [] if options.get("istable") else [{"role": "System Manager", "read": 1, "write": 1}]
		frappe.get_doc(
			doctype="DocType",
			name=name,
			module="Core",
			custom=1,
			fields=rows,
			permissions=permissions,
			**options,
		).insert()


def replan_as_told() -> None:
	"""Do the background jobs that saving a Holiday List has left."""
	frappe.db.commit()
	for queue in get_queues():
		for job in queue.jobs:
			if (
				job.kwargs.get("method") == holiday_field.REPLAN_JOB
				and job.kwargs["site"] == frappe.local.site
			):
				daily.replan_campaign(**job.kwargs["kwargs"])


def days_of(smtp, clock, *, days: int) -> dict[str, date]:
	"""Let days pass with a run every six hours, and return on which day each subject left."""
	seen: dict[str, date] = {}
	for _ in range(days * 4):
		factories.run(clock)
		for message in smtp.messages:
			seen.setdefault(message.message["Subject"], clock.now.date())
		clock.advance(hours=6)
	return seen


def test_nothing_leaves_on_a_holiday_or_a_weekly_holiday(make_list, smtp, clock):
	make_list(TUESDAY, TUESDAY + timedelta(days=1))
	campaign = factories.make_active_campaign(clock, step(0), step(1), step(5), holiday_list=LIST)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	left = days_of(smtp, clock, days=10)

	assert left == {
		"Day 0": TUESDAY - timedelta(days=1),
		"Day 1": TUESDAY + timedelta(days=2),
		"Day 5": TUESDAY + timedelta(days=6),
	}
	assert enrollment.reload().status == "Completed"


def test_day_that_becomes_a_holiday_moves_the_planned_e_mail_at_once(make_list, smtp, clock):
	make_list(date(2026, 12, 25))
	campaign = factories.make_active_campaign(clock, step(1), holiday_list=LIST)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	before = (enrollment.next_send_at.date(), enrollment.end_date)

	make_list(TUESDAY)
	replan_as_told()

	enrollment.reload()
	wednesday = TUESDAY + timedelta(days=1)
	assert before == (TUESDAY, TUESDAY)
	assert (enrollment.next_send_at.date(), enrollment.end_date) == (wednesday, wednesday)


def test_holiday_of_which_the_plan_does_not_know_yet_is_kept_all_the_same(make_list, smtp, clock):
	make_list(date(2026, 12, 25))
	campaign = factories.make_active_campaign(clock, step(1), holiday_list=LIST)
	factories.enroll(campaign, factories.make_contact(), clock)

	make_list(TUESDAY)
	left = days_of(smtp, clock, days=4)

	assert left == {"Day 1": TUESDAY + timedelta(days=1)}


def test_holiday_list_that_is_chosen_or_taken_off_moves_what_is_planned(make_list, clock):
	make_list(TUESDAY)
	campaign = factories.make_active_campaign(clock, step(1))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	planned = []

	for choice in (LIST, None):
		campaign.reload().update({"holiday_list": choice})
		campaign.save()
		planned.append(enrollment.reload().next_send_at.date())

	assert planned == [TUESDAY + timedelta(days=1), TUESDAY]


def test_holiday_list_that_is_not_there_is_refused_when_the_campaign_is_saved(make_list):
	with pytest.raises(frappe.ValidationError, match="Drip Test Nowhere"):
		factories.make_campaign(holiday_list="Drip Test Nowhere")


def test_holiday_list_that_leaves_no_day_is_refused_when_the_campaign_is_saved(make_list):
	today = date.today()  # noqa: DTZ011 - whoever saves a campaign does it today
	make_list(*(today + timedelta(days=number) for number in range(-2, 740)))

	with pytest.raises(frappe.ValidationError, match="allow no moment for sending within two years"):
		factories.make_campaign(holiday_list=LIST)


def test_holiday_list_that_has_come_to_leave_no_day_holds_the_campaign_and_fails_nobody(
	make_list, smtp, clock
):
	make_list(TUESDAY)
	campaign = factories.make_active_campaign(clock, step(0), holiday_list=LIST)
	other = factories.make_active_campaign(clock, step(0, subject="Other"))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.enroll(other, factories.make_contact(), clock)

	make_list(*(clock.now.date() + timedelta(days=number) for number in range(740)))
	factories.run(clock)

	campaign.reload()
	assert [message.message["Subject"] for message in smtp.messages] == ["Other"]
	assert campaign.status == "Paused"
	assert "allow no moment for sending within two years" in campaign.pause_reason
	assert (enrollment.reload().status, enrollment.attempts) == ("In Progress", 0)


@pytest.mark.parametrize("run", [factories.run, lambda clock: daily.run(clock.now, enqueue_delivery=False)])
def test_holiday_list_that_has_gone_holds_the_campaign_and_no_other(make_list, smtp, clock, run):
	make_list(TUESDAY)
	campaign = factories.make_active_campaign(clock, step(0), holiday_list=LIST)
	other = factories.make_active_campaign(clock, step(0))
	factories.enroll(campaign, factories.make_contact(), clock)
	enrollment = factories.enroll(other, factories.make_contact(), clock)
	frappe.db.delete("Holiday List", {"name": LIST})
	frappe.clear_document_cache("Holiday List", LIST)
	frappe.db.commit()

	run(clock)

	assert campaign.reload().pause_reason == (
		f"The Holiday List {LIST} does not exist. Choose another one under Timing."
	)
	assert factories.count("Drip Email", campaign=campaign.name) == 0
	assert factories.count("Drip Email", enrollment=enrollment.name) == 1


def test_field_has_a_description_and_goes_with_the_app_that_brings_the_lists(make_list):
	field = frappe.get_meta("Drip Campaign").get_field("holiday_list")
	assert "Choose the days without emails" in field.description

	uninstall.before_app_uninstall("another_app")
	with_other_gone = frappe.get_meta("Drip Campaign").has_field("holiday_list")
	uninstall.before_app_uninstall(app_of_holiday_lists())
	with_this_gone = frappe.get_meta("Drip Campaign").has_field("holiday_list")
	install.after_migrate()
	install.after_migrate()

	assert (with_other_gone, with_this_gone) == (True, False)
	assert frappe.db.count("Custom Field", {"dt": "Drip Campaign", "fieldname": "holiday_list"}) == 1


def test_migration_removes_the_field_when_the_lists_are_gone(make_list, monkeypatch):
	monkeypatch.setattr(holiday_field, "HOLIDAY_LIST", "Drip Test Nowhere")
	install.after_migrate()
	without = frappe.get_meta("Drip Campaign").has_field("holiday_list")
	monkeypatch.undo()
	install.after_migrate()

	assert not without
	assert frappe.get_meta("Drip Campaign").has_field("holiday_list")


def test_campaign_that_remembers_a_list_of_an_app_that_has_gone_sends(make_list, smtp, clock):
	make_list(clock.now.date())
	campaign = factories.make_campaign(step(0), holiday_list=LIST)
	uninstall.before_app_uninstall(app_of_holiday_lists())

	try:
		desk_copy = frappe.get_doc("Drip Campaign", campaign.name)
		lifecycle.activate(desk_copy, clock.now)
		factories.enroll(desk_copy, factories.make_contact(), clock)
		factories.run(clock)
	finally:
		install.after_migrate()
		frappe.db.commit()

	assert len(smtp.messages) == 1
