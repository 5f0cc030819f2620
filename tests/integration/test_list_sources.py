"""Target lists with sources: filled, refreshed, resumed; who drops out is marked, who opted out stays out."""

import json
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.core.errors import DripError
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.jobs import refresh_lists
from drip_campaigns.site.clock import to_site, utc_now
from tests import factories
from tests.factories import DOMAIN

MEMBER = "Drip Target List Member"
OPEN = [["email_id", "like", f"%@{DOMAIN}"], ["status", "=", "Open"]]


@pytest.fixture
def people(site):
	"""Three Contacts: two open, one passive."""
	return [
		factories.make_contact("Ada", f"ada@{DOMAIN}", status="Open"),
		factories.make_contact("Bob", f"bob@{DOMAIN}", status="Open"),
		factories.make_contact("Eve", f"eve@{DOMAIN}", status="Passive"),
	]


@pytest.fixture
def open_ones(people):
	"""A list of the open Contacts, filled once."""
	target_list = factories.make_list("Drip Test Open", sources=[factories.source(filters=OPEN)])
	factories.refresh(target_list)
	return target_list


def on_list(target_list) -> set[str]:
	"""Return the names of those who are on a list now."""
	still = {"target_list": target_list.name, "opted_out": 0, "removed_at": ("is", "not set")}
	return set(frappe.get_all(MEMBER, filters=still, pluck="recipient_name"))


def set_status(contact, status: str) -> None:
	"""Change a Contact as a user does."""
	frappe.get_doc("Contact", contact.name).update({"status": status}).save()
	frappe.db.commit()


def test_list_is_filled_by_its_filters_and_says_what_it_adds(open_ones):
	run = frappe.get_last_doc("Drip Target List Refresh")

	assert on_list(open_ones) == {"Ada", "Bob"}
	assert (run.status, run.total, run.processed, run.joined, run.dropped_out) == ("Completed", 2, 2, 2, 0)
	assert open_ones.reload().member_count == 2
	assert "Status = Open" in open_ones.sources[0].sentence


def test_refreshing_twice_changes_nothing(open_ones):
	before = frappe.get_all(MEMBER, fields=["name", "joined_at", "removed_at"], order_by="name")

	run = factories.refresh(open_ones)

	assert frappe.get_all(MEMBER, fields=["name", "joined_at", "removed_at"], order_by="name") == before
	assert (run.status, run.joined, run.came_back, run.dropped_out) == ("Completed", 0, 0, 0)


def test_who_matches_no_more_drops_out_and_comes_back_as_the_same_member(open_ones, people):
	member = frappe.get_value(MEMBER, {"recipient_name": "Ada"})
	set_status(people[0], "Replied")
	first = factories.refresh(open_ones)
	gone = on_list(open_ones)
	set_status(people[0], "Open")

	second = factories.refresh(open_ones)

	assert (first.dropped_out, second.came_back, second.joined) == (1, 1, 0)
	assert gone == {"Bob"}
	assert on_list(open_ones) == {"Ada", "Bob"}
	assert frappe.get_value(MEMBER, {"recipient_name": "Ada"}) == member
	assert open_ones.reload().member_count == 2


def test_who_opted_out_stays_out_whatever_the_sources_say(open_ones, people):
	unsubscribe_from_list(open_ones.name, f"ada@{DOMAIN}", utc_now())
	factories.refresh(open_ones)
	set_status(people[0], "Replied")
	factories.refresh(open_ones)
	set_status(people[0], "Open")

	factories.refresh(open_ones)

	assert on_list(open_ones) == {"Bob"}
	assert factories.count(MEMBER, recipient_name="Ada", opted_out=1) == 1
	assert open_ones.reload().member_count == 1


def test_who_was_added_by_hand_stays_when_no_source_names_them(open_ones, people):
	factories.add_to_list(open_ones, people[2])

	run = factories.refresh(open_ones)

	assert run.dropped_out == 0
	assert on_list(open_ones) == {"Ada", "Bob", "Eve"}


def test_who_dropped_out_can_be_added_by_hand(open_ones, people):
	set_status(people[0], "Replied")
	factories.refresh(open_ones)

	factories.add_to_list(open_ones, people[0])
	factories.refresh(open_ones)

	assert on_list(open_ones) == {"Ada", "Bob"}


def test_several_sources_add_up_and_an_address_is_on_the_list_once(people):
	frappe.get_doc(doctype="Email Group", title="Drip Test Group").insert(ignore_if_duplicate=True)
	for address in (f"ADA@{DOMAIN}", f"new@{DOMAIN}"):
		frappe.get_doc(doctype="Email Group Member", email_group="Drip Test Group", email=address).insert()
	gone = frappe.get_doc(
		doctype="Email Group Member", email_group="Drip Test Group", email=f"gone@{DOMAIN}", unsubscribed=1
	)
	gone.insert()
	group = {"kind": "Email Group", "email_group": "Drip Test Group"}
	target_list = factories.make_list(sources=[factories.source(filters=OPEN), group])

	run = factories.refresh(target_list)

	assert on_list(target_list) == {"Ada", "Bob", f"new@{DOMAIN}"}
	assert (run.total, run.processed, run.joined) == (4, 4, 3)


def test_record_without_an_address_is_counted_and_not_added(people):
	nobody = factories.make_contact("Nobody", None, status="Open")
	named = [["name", "in", [people[0].name, nobody.name]]]
	target_list = factories.make_list(sources=[factories.source(filters=named)])

	run = factories.refresh(target_list)

	assert (run.joined, run.unreachable) == (1, 1)


def test_new_address_of_a_record_is_the_members_from_then_on(open_ones, people):
	contact = frappe.get_doc("Contact", people[0].name)
	contact.email_ids[0].email_id = f"ada.new@{DOMAIN}"
	contact.save()

	factories.refresh(open_ones)

	assert frappe.get_value(MEMBER, {"recipient_name": "Ada"}, "email_address") == f"ada.new@{DOMAIN}"
	assert on_list(open_ones) == {"Ada", "Bob"}


@pytest.fixture
def log(people, clock):
	"""A campaign with a log: Ada clicked and opened, Bob got it only, Eve's email bounced."""
	campaign = factories.make_active_campaign(clock, tracking_mode="Individual", name="Drip Test Log")
	enrollments = [factories.enroll(campaign, person, clock) for person in people]
	happened = [
		*((enrollment, "Sent", None) for enrollment in enrollments),
		(enrollments[0], "Opened", None),
		(enrollments[0], "Clicked", "https://example.com/a"),
		(enrollments[2], "Bounced", None),
	]
	record_events(
		[
			{"event_type": kind, "detail": detail, "campaign": campaign.name, "enrollment": enrollment.name}
			for enrollment, kind, detail in happened
		],
		to_site(clock.now),
	)
	return campaign


@pytest.mark.parametrize(
	("question", "link", "expected"),
	[
		("Sent", "", {"Ada", "Bob", "Eve"}),
		("Clicked", "", {"Ada"}),
		("Clicked", "https://example.com/a", {"Ada"}),
		("Clicked", "https://example.com/b", set()),
		("Sent, Not Clicked", "https://example.com/b", {"Ada", "Bob", "Eve"}),
		("Sent, Not Clicked", "", {"Bob", "Eve"}),
		("Opened", "", {"Ada"}),
		("Sent, Not Opened", "", {"Bob", "Eve"}),
		("Bounced", "", {"Eve"}),
		("Completed", "", set()),
	],
)
def test_list_is_filled_from_a_campaigns_log(log, question, link, expected):
	row = {"kind": "Campaign Activity", "campaign": log.name, "log_event": question, "link_url": link}
	target_list = factories.make_list(sources=[row])

	run = factories.refresh(target_list)

	assert run.status == "Completed", run.error
	assert on_list(target_list) == expected
	assert run.total == len(expected)


def test_who_opened_nothing_is_not_asked_of_a_campaign_that_does_not_record_it(people, clock):
	silent = factories.make_active_campaign(clock, tracking_mode="None")
	row = {"kind": "Campaign Activity", "campaign": silent.name, "log_event": "Sent, Not Opened"}

	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_list(sources=[row])

	assert f"Source 1: Campaign {silent.name} does not record who opens and clicks" in str(caught.value)


def make_report(**fields):
	"""Insert a query report over Contacts of the tests' domain."""
	query = f"SELECT name AS contact, first_name FROM `tabContact` WHERE email_id LIKE '%@{DOMAIN}'"
	return frappe.get_doc(
		doctype="Report",
		report_name="Drip Test Report",
		ref_doctype="Contact",
		report_type="Query Report",
		is_standard="No",
		query=query.replace("%", "%%"),
		**fields,
	).insert()


@pytest.fixture
def report(people):
	"""A query report, taken away afterwards."""
	yield make_report()
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.delete_doc("Report", "Drip Test Report", force=True)
	frappe.db.commit()


def test_list_is_filled_from_a_report(report):
	row = {"kind": "Report", "recipient_type": "Contact", "report": report.name, "report_column": "contact"}
	target_list = factories.make_list(sources=[row])

	run = factories.refresh(target_list)

	assert run.status == "Completed", run.error
	assert on_list(target_list) == {"Ada", "Bob", "Eve"}


def test_report_without_the_column_is_an_error_that_names_those_it_has(report):
	row = {"kind": "Report", "recipient_type": "Contact", "report": report.name, "report_column": "client"}
	target_list = factories.make_list(sources=[row])

	run = factories.refresh(target_list)

	assert run.status == "Failed"
	assert "has no column client. Enter the field name of one of these: contact, first_name" in run.error


def test_report_that_the_lists_owner_may_not_run_is_an_error_and_nobody_drops_out(report):
	owner, manager = factories.make_user("lister", "Drip User"), factories.make_user("lists", "Drip Manager")
	row = {"kind": "Report", "recipient_type": "Contact", "report": report.name, "report_column": "contact"}
	target_list = factories.make_list(sources=[row])
	factories.refresh(target_list)
	frappe.db.set_value("Drip Target List", target_list.name, "owner", owner)

	run = factories.refresh(target_list)
	factories.refresh(target_list)

	assert run.status == "Failed"
	assert f"{owner}, the owner of the list, may not run report" in run.error
	assert on_list(target_list) == {"Ada", "Bob", "Eve"}
	for user in (owner, manager):
		told = [line for line in factories.notifications_of(user) if f"{target_list.name}</" in line]
		assert len(told) == 1, told
		assert "could not be refreshed" in told[0]


def test_campaigns_log_names_nobody_who_was_erased(log):
	erased = {"recipient": None, "email_address": None}
	frappe.db.set_value("Drip Enrollment", {"campaign": log.name, "recipient_name": ["like", "Ada%"]}, erased)
	target_list = factories.make_list(
		sources=[{"kind": "Campaign Activity", "campaign": log.name, "log_event": "Sent"}]
	)

	run = factories.refresh(target_list)

	assert run.status == "Completed", run.error
	assert on_list(target_list) == {"Bob", "Eve"}


def test_list_has_only_records_that_its_owner_may_read(people, log):
	owner = factories.make_user("lister", "Drip User")
	row = {"kind": "Campaign Activity", "campaign": log.name, "log_event": "Sent"}
	target_list = factories.make_list(sources=[row])
	frappe.db.set_value("Drip Target List", target_list.name, "owner", owner)

	hidden = factories.refresh(target_list)
	frappe.share.add("Drip Campaign", log.name, owner, read=1)
	shared = factories.refresh(target_list)

	assert (
		f"{owner}, the owner of the list, does not see the people of Drip Campaign {log.name}" in hidden.error
	)
	assert (shared.status, shared.joined, shared.unreachable) == ("Completed", 0, 3)


def test_another_list_is_a_source_without_those_who_left_it(open_ones):
	unsubscribe_from_list(open_ones.name, f"bob@{DOMAIN}", utc_now())
	outer = factories.make_list(sources=[{"kind": "Target List", "included_list": open_ones.name}])

	factories.refresh(outer)

	assert on_list(outer) == {"Ada"}


def test_list_that_includes_itself_is_refused_and_the_way_round_is_named(open_ones):
	middle = factories.make_list(
		"Drip Test Middle", sources=[{"kind": "Target List", "included_list": open_ones.name}]
	)
	open_ones.reload().append("sources", {"kind": "Target List", "included_list": middle.name})

	with pytest.raises(frappe.ValidationError) as caught:
		open_ones.save()

	assert "Drip Test Open → Drip Test Middle → Drip Test Open" in str(caught.value)


def test_list_that_names_itself_before_it_is_there_is_refused(site):
	with pytest.raises(frappe.ValidationError):
		factories.make_list(
			"Drip Test Self", sources=[{"kind": "Target List", "included_list": "Drip Test Self"}]
		)


@pytest.mark.parametrize(
	("row", "words"),
	[
		({"kind": "Filters"}, "Source 1: Recipient Type is empty. Choose one."),
		({"kind": "Email Group"}, "Source 1: Email Group is empty"),
		(factories.source("Role", []), "Role records can't be on a list"),
		(factories.source(filters=[["no_such_field", "=", 1]]), "Contact has no field no_such_field"),
		({**factories.source(), "filters": "{"}, "The filters cannot be used"),
	],
)
def test_source_that_makes_no_sense_is_refused_with_row_and_remedy(site, row, words):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_list(sources=[row])

	assert words in str(caught.value)


def test_filters_that_match_everybody_ask_for_the_number(site, monkeypatch):
	monkeypatch.setattr("drip_campaigns.lists.check.EVERYBODY_FROM", 1)
	monkeypatch.setattr("drip_campaigns.people.audience.EVERYBODY_FROM", 1)
	factories.make_contact()
	total = factories.count("Contact")
	rows = [factories.source(filters=[])]

	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_list(sources=rows)
	confirmed = factories.make_list(sources=rows, confirmed_count=total)

	assert f"match every Contact that you can read: {total} records" in str(caught.value)
	assert confirmed.name


def test_refresh_goes_on_where_it_was_killed(people, monkeypatch):
	monkeypatch.setattr(refresh_lists, "PAGE_SIZE", 1)
	target_list = factories.make_list(sources=[factories.source()])
	name = refresh_lists.start(target_list.name, utc_now())
	take, pages = refresh_lists._Run._add_page, []

	def die_at_the_third(run, page, asks_rights):
		pages.append(page)
		if len(pages) == 3:
			raise KeyboardInterrupt
		take(run, page, asks_rights)

	monkeypatch.setattr(refresh_lists._Run, "_add_page", die_at_the_third)
	frappe.db.commit()
	with pytest.raises(KeyboardInterrupt):
		refresh_lists.run(name)
	frappe.db.rollback()
	assert on_list(target_list) == {"Ada", "Bob"} or len(on_list(target_list)) == 2
	monkeypatch.setattr(refresh_lists._Run, "_add_page", take)

	refresh_lists.run(name)

	run = frappe.get_doc("Drip Target List Refresh", name)
	assert on_list(target_list) == {"Ada", "Bob", "Eve"}
	assert (run.status, run.processed, run.joined) == ("Completed", 3, 3)


def test_cancelled_refresh_stops_and_goes_on_when_told(people, monkeypatch):
	monkeypatch.setattr(refresh_lists, "PAGE_SIZE", 1)
	target_list = factories.make_list(sources=[factories.source()])
	name = refresh_lists.start(target_list.name, utc_now())
	refresh_lists.cancel(target_list.name)
	refresh_lists.run(name)
	assert on_list(target_list) == set()

	refresh_lists.resume(name)
	refresh_lists.run(name)

	assert on_list(target_list) == {"Ada", "Bob", "Eve"}
	with pytest.raises(DripError) as caught:
		refresh_lists.resume(name)
	assert "is Completed. Start a new one" in str(caught.value)


def test_new_sources_start_a_refresh_and_end_the_one_under_way(open_ones):
	name = refresh_lists.start(open_ones.name, utc_now())

	open_ones.reload().sources[0].filters = json.dumps([["email_id", "like", f"%@{DOMAIN}"]])
	open_ones.save()

	[going_on] = frappe.get_all(
		"Drip Target List Refresh", filters={"status": "Queued", "target_list": open_ones.name}, pluck="name"
	)
	assert frappe.get_value("Drip Target List Refresh", name, "status") == "Cancelled"
	refresh_lists.run(going_on)
	assert on_list(open_ones) == {"Ada", "Bob", "Eve"}


def test_list_without_sources_keeps_its_members_and_cannot_be_refreshed(open_ones):
	open_ones.reload().set("sources", [])
	open_ones.save()

	with pytest.raises(DripError) as caught:
		refresh_lists.start(open_ones.name, utc_now())

	assert f"List {open_ones.name} has no sources" in str(caught.value)
	assert on_list(open_ones) == {"Ada", "Bob"}


def test_lists_are_refreshed_by_their_schedule_and_a_lost_run_is_taken_up(open_ones):
	never = factories.make_list(sources=[factories.source()], refresh_hours=0)
	refresh_lists.run(refresh_lists.start(never.name, utc_now()))
	now = utc_now()

	soon = refresh_lists.start_due(now + timedelta(hours=23))
	frappe.db.set_value("Drip Target List", open_ones.name, "refresh_hours", 12)
	later = refresh_lists.start_due(now + timedelta(hours=23))

	assert soon == []
	assert len(later) == 1
	assert frappe.get_value("Drip Target List Refresh", later[0], "target_list") == open_ones.name


def test_page_costs_the_same_few_statements_however_many_are_on_it(site):
	for number in range(100):
		factories.make_contact(f"Many {number}", status="Open")
	target_list = factories.make_list(sources=[factories.source()])
	name = refresh_lists.start(target_list.name, utc_now())
	frappe.db.commit()

	with factories.count_statements() as seen:
		refresh_lists.run(name)

	assert len(on_list(target_list)) == 100
	assert seen.count < 90


def test_deleted_list_takes_its_refreshes_along(open_ones):
	open_ones.reload().delete()

	assert factories.count("Drip Target List Refresh") == 0
	assert factories.count(MEMBER) == 0
