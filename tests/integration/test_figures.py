"""Counters: equal to the log, kept when the log is cleared, and shown on the campaign; lists made from the log."""

import json
import os
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.api import results as api
from drip_campaigns.core.model import UnsubscribeScope
from drip_campaigns.core.tracking.visits import Visit, VisitKind
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment import unsubscribe
from drip_campaigns.jobs import daily, dispatch_due
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.stats import campaign_results, counters, verify_counters, visit_buffer
from tests import factories
from tests.processes import run_together

LATER = timedelta(minutes=2)


@pytest.fixture
def campaign(site, smtp, clock):
	"""A campaign whose two emails two people got; one opened and clicked, a machine clicked, one bounced before."""
	text = '<p>Hello <a href="https://shop.example/">Shop</a></p>'
	campaign = factories.make_active_campaign(
		clock, factories.step(0, "First", text), factories.step(1, "Second"), tracking_mode="Individual"
	)
	people = [factories.make_contact(name) for name in ("Ada", "Bob", "Cleo")]
	smtp.answer(people[2].email_id, "550 5.1.1 no such user")
	factories.send_tracked(campaign, people, clock)
	url = frappe.get_all("Drip Tracking URL", pluck="name")[0]
	first = frappe.get_all(
		"Drip Email", {"campaign": campaign.name, "subject": "First"}, pluck="name", order_by="name"
	)
	mail = next(
		name
		for name in first
		if frappe.db.get_value("Drip Email", name, "email_address") == people[0].email_id
	)
	moment = utc_now() - timedelta(minutes=5)
	for number, agent in enumerate(("Firefox", "Firefox", "curl/8")):
		visit_buffer.push(
			Visit(
				f"click{number}", VisitKind.CLICK, mail, moment + timedelta(minutes=number), url, agent=agent
			)
		)
	visit_buffer.push(Visit("open", VisitKind.OPEN, mail, moment, agent="Firefox"))
	frappe.db.commit()
	return campaign


def count() -> None:
	"""Count visits and events, as the scheduler does."""
	dispatch_due.count_visits(utc_now() + LATER)
	dispatch_due.count_events()
	frappe.db.commit()


def equal_to_a_recount() -> bool:
	"""Return whether all counters equal the log."""
	frappe.db.commit()
	return not verify_counters.find_differences() and not verify_counters.find_wrong_urls()


def shown(campaign) -> dict:
	"""Return what the form shows in all, without what is 0."""
	return {name: number for name, number in api.get_results(campaign.name)["total"].items() if number}


EXPECTED = {
	"sent": 4,
	"people": 2,
	"opened": 1,
	"clicked": 1,
	"clicked_by_bot": 1,
	"bounced": 1,
}


def test_form_shows_what_happened_before_and_after_it_is_counted(campaign):
	dispatch_due.count_visits(utc_now() + LATER)
	before = shown(campaign)
	count()

	assert before == shown(campaign) == EXPECTED
	first, second = api.get_results(campaign.name)["steps"]
	assert (first["sent"], first["clicked"], first["bounced"], second["sent"], second["clicked"]) == (
		2,
		1,
		1,
		2,
		0,
	)
	assert equal_to_a_recount()


def test_list_of_campaigns_shows_for_each_what_the_form_shows_in_all(campaign, clock):
	dispatch_due.count_visits(utc_now() + LATER)
	other = factories.make_active_campaign(clock)
	factories.enroll(other, factories.make_contact(), clock)
	frappe.db.commit()

	before = api.get_summaries(json.dumps([campaign.name, other.name, "no such campaign"]))
	count()
	with factories.count_statements() as seen:
		after = api.get_summaries(json.dumps([campaign.name, other.name]))

	assert before == after
	assert seen.count <= 6
	whole, glance = api.get_results(campaign.name)["total"], after[campaign.name]
	assert {name: glance[name] for name in campaign_results.COLUMNS} == {
		name: whole[name] for name in campaign_results.COLUMNS
	}
	assert glance["clicked"] == 1
	assert (after[other.name]["live"], after[other.name]["sent"]) == (1, 0)


def test_counting_twice_or_by_several_workers_at_once_counts_once(campaign, monkeypatch):
	monkeypatch.setattr(counters, "BATCH", 5)
	dispatch_due.count_visits(utc_now() + LATER)

	run_together(_count_events, [(), (), ()])
	count()

	assert shown(campaign) == EXPECTED
	assert equal_to_a_recount()


def _count_events() -> None:
	dispatch_due.count_events()


def _die_while_counting() -> None:
	counters.add_to_counters = lambda *_arguments: os._exit(9)
	dispatch_due.count_events()


def test_worker_that_is_killed_while_it_counts_leaves_nothing_half_counted(campaign):
	dispatch_due.count_visits(utc_now() + LATER)

	run_together(_die_while_counting, [()], deadly=True)

	count()
	assert shown(campaign) == EXPECTED
	assert equal_to_a_recount()


def test_figures_stay_when_the_log_is_cleared_and_when_an_enrollment_is_deleted(campaign, clock):
	dispatch_due.count_visits(utc_now() + LATER)
	frappe.db.commit()
	enrollments = frappe.get_all("Drip Enrollment", {"campaign": campaign.name}, pluck="name")

	frappe.delete_doc("Drip Enrollment", enrollments[0])
	frappe.db.commit()
	after_deletion = shown(campaign)
	frappe.get_doc("Log Settings").append("logs_to_clear", {"ref_doctype": "Drip Event", "days": 30})
	cleared = daily.clear_events(30)  # what the clock of the test wrote in March
	count()

	assert after_deletion == shown(campaign) == EXPECTED
	assert cleared
	assert factories.count("Drip Event", campaign=campaign.name) <= 4
	assert equal_to_a_recount()


def test_log_settings_clear_the_log_by_the_same_function(site):
	from frappe.core.doctype.log_settings.log_settings import LogType, _supports_log_clearing
	from frappe.model.base_document import get_controller

	settings = frappe.get_doc("Log Settings")
	settings.add_default_logtypes()

	assert {row.ref_doctype: row.days for row in settings.logs_to_clear}["Drip Event"] > 30
	assert issubclass(get_controller("Drip Event"), LogType)
	assert _supports_log_clearing("Drip Event")


def test_wrong_sum_is_found_and_corrected(campaign):
	count()
	figure = frappe.get_all("Drip Counter", {"event_type": "Sent"}, ["name", "total"])[0]
	frappe.db.set_value("Drip Counter", figure.name, "total", figure.total + 7)
	frappe.db.set_value("Drip Tracking URL", {"step": ["is", "set"]}, "clicks", 99)
	frappe.db.commit()
	found = verify_counters.find_differences()

	corrected = verify_counters.correct_counters()

	assert [(one.kept - one.counted, one.what.event_type) for one in found] == [(7, "Sent")]
	assert corrected == 2
	assert equal_to_a_recount()
	assert shown(campaign) == EXPECTED


def test_campaign_that_is_renamed_keeps_its_figures_and_a_new_one_of_the_old_name_has_none(campaign):
	count()
	old = campaign.name
	frappe.rename_doc("Drip Campaign", old, f"{old} renamed")
	frappe.db.commit()
	for name in frappe.get_all("Drip Enrollment", {"campaign": f"{old} renamed"}, pluck="name"):
		frappe.delete_doc("Drip Enrollment", name)
	renamed = frappe.get_doc("Drip Campaign", f"{old} renamed")

	assert shown(renamed) == EXPECTED
	renamed.delete()
	again = factories.make_campaign(name=f"{old} renamed")
	assert shown(again) == {}
	assert frappe.db.count("Drip Counter", {"tracking_url": ["is", "set"]})


def test_list_of_those_who_clicked_has_each_of_them_once(campaign):
	count()
	filters = [["Drip Event", "event_type", "=", "Clicked"], ["Drip Event", "is_bot", "=", 0]]

	answer = api.make_list_of_events("Drip Test Clicked", json.dumps(filters))

	assert (answer["joined"], answer["left_out"]) == (1, 0)
	members = frappe.get_all(
		"Drip Target List Member", {"target_list": answer["target_list"]}, pluck="recipient_name"
	)
	assert members == ["Ada"]


def test_list_of_ticked_lines_and_of_nobody(campaign):
	count()
	names = frappe.get_all("Drip Event", {"event_type": "Sent", "campaign": campaign.name}, pluck="name")

	answer = api.make_list_of_events("Drip Test Ticked", names=json.dumps(names))

	assert answer["joined"] == 2
	for filters in ('[["event_type","=","Replied"]]', "{", '"x"'):
		with pytest.raises(frappe.ValidationError):
			api.make_list_of_events("Drip Test Nobody", filters)


def test_counting_many_events_takes_a_handful_of_statements(campaign, clock):
	count()
	lines = [{"event_type": "Sent", "campaign": campaign.name, "step": f"s{n % 3}"} for n in range(3000)]
	record_events(lines, to_site(clock.now))
	frappe.db.commit()

	with factories.count_statements() as seen:
		dispatch_due.count_events()

	assert seen.count <= 12
	assert shown(campaign)["sent"] == 3004


def test_person_counts_once_with_each_email_and_once_in_all(campaign):
	moment, mails = (
		utc_now() - timedelta(minutes=4),
		frappe.get_all("Drip Email", {"status": "Sent"}, pluck="name"),
	)
	for number, mail in enumerate(mails * 3):
		visit_buffer.push(Visit(f"again{number}", VisitKind.OPEN, mail, moment, agent="Firefox"))
	dispatch_due.count_visits(utc_now() + LATER)

	fresh = api.get_results(campaign.name)
	count()

	assert fresh == api.get_results(campaign.name)
	assert [row["opened"] for row in fresh["steps"]] == [2, 2]
	assert (fresh["total"]["opened"], fresh["total"]["people"], fresh["total"]["sent"]) == (2, 2, 4)
	assert equal_to_a_recount()


def test_visits_that_name_nobody_are_no_people(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, tracking_mode="Anonymous Totals")
	factories.send_tracked(campaign, [factories.make_contact()], clock)
	mail = frappe.get_all("Drip Email", {"campaign": campaign.name}, pluck="name")[0]
	for number in range(3):
		moment = utc_now() - timedelta(minutes=5 + number)
		visit_buffer.push(Visit(f"unnamed{number}", VisitKind.OPEN, mail, moment, agent="Firefox"))
	dispatch_due.count_visits(utc_now() + LATER)

	fresh = shown(campaign)
	count()

	assert fresh == shown(campaign) == {"sent": 1, "people": 1, "opened_unnamed": 3}


def test_who_unsubscribes_by_a_link_left_with_the_email_they_got_last(campaign, clock):
	enrollment = frappe.get_all("Drip Email", {"status": "Sent"}, pluck="enrollment", limit=1)[0]

	unsubscribe.unsubscribe_holder(
		unsubscribe.find_link_holder(enrollment), UnsubscribeScope.CAMPAIGN, clock.now
	)
	frappe.db.commit()

	first, second = api.get_results(campaign.name)["steps"]
	assert (first["left"], second["left"], shown(campaign)["left"]) == (0, 1, 1)


def test_who_may_not_read_a_campaign_sees_no_figures_and_who_may_make_no_list_makes_none(campaign):
	stranger = factories.make_user(
		"stranger",
		"Employee Self Service" if frappe.db.exists("Role", "Employee Self Service") else "Desk User",
	)
	frappe.set_user(stranger)

	with pytest.raises(frappe.PermissionError):
		api.get_results(campaign.name)
	with pytest.raises(frappe.PermissionError):
		api.get_summaries(json.dumps([campaign.name]))
	with pytest.raises(frappe.PermissionError):
		api.make_list_of_events("Drip Test Stolen", "[]")
