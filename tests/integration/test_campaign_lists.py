"""Lists that a campaign includes and excludes: joining enrolls, removal ends, a return resumes, and exclusion prevents."""

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.enrollment.preview import preview_audience
from drip_campaigns.enrollment.why_not import explain
from drip_campaigns.jobs import bulk_enrollment, dispatch_due, run_triggers
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers import api_triggers, backfill
from tests import factories
from tests.factories import DOMAIN
from tests.verbs import resume

OPEN = [["email_id", "like", f"%@{DOMAIN}"], ["status", "=", "Open"]]


@pytest.fixture
def people(site):
	"""Ada and Bob, open Contacts."""
	return [
		factories.make_contact(name, f"{name.lower()}@{DOMAIN}", status="Open") for name in ("Ada", "Bob")
	]


@pytest.fixture
def open_ones(people):
	"""A list of the open Contacts, not filled yet."""
	return factories.make_list("Drip Test Open", sources=[factories.source(filters=OPEN)])


def include(clock, target_list, **fields):
	"""Return an active campaign that includes a list."""
	row = {"target_list": target_list.name, **fields}
	return factories.make_active_campaign(
		clock, target_lists=[row], name=f"Drip Test {len(fields)} {target_list.name}"
	)


def refresh_and_work(target_list, clock):
	"""Refresh a list, and work off what joining it has fired."""
	run = factories.refresh(target_list)
	assert run.status == "Completed", run.error
	run_triggers.run(max(clock.now, utc_now()))


def status_of(campaign) -> dict[str, str]:
	"""Return the status of each enrollment by its recipient's name."""
	rows = frappe.get_all(
		"Drip Enrollment", filters={"campaign": campaign.name}, fields=["recipient_name", "status"]
	)
	return {row.recipient_name: row.status for row in rows}


def set_status(contact, status: str) -> None:
	"""Change a Contact as a user does."""
	frappe.get_doc("Contact", contact.name).update({"status": status}).save()
	frappe.db.commit()


def test_who_joins_an_included_list_is_enrolled_through_it_by_refresh_and_by_hand(people, open_ones, clock):
	campaign = include(clock, open_ones)
	refresh_and_work(open_ones, clock)
	eve = factories.make_contact("Eve", f"eve@{DOMAIN}", status="Passive")
	factories.add_to_list(open_ones, eve)
	frappe.db.commit()

	run_triggers.run(utc_now())

	assert status_of(campaign) == dict.fromkeys(("Ada", "Bob", "Eve"), "In Progress")
	assert factories.count("Drip Enrollment", target_list=open_ones.name) == 3


def test_joining_twice_enrolls_once(people, open_ones, clock):
	campaign = include(clock, open_ones)
	for _time in range(2):
		refresh_and_work(open_ones, clock)

	assert factories.count("Drip Enrollment", campaign=campaign.name) == 2
	assert factories.count("Drip Trigger Firing") == 2


def test_list_that_does_not_enroll_and_a_campaign_that_does_not_run_enroll_nobody(people, open_ones, clock):
	quiet = include(clock, open_ones, enroll_joining=0)
	draft = factories.make_campaign(target_lists=[{"target_list": open_ones.name}])

	refresh_and_work(open_ones, clock)

	assert status_of(quiet) == status_of(draft) == {}


def test_who_drops_out_leaves_the_campaign_and_goes_on_when_coming_back(people, open_ones, clock, smtp):
	campaign = include(clock, open_ones)
	refresh_and_work(open_ones, clock)
	clock.now = utc_now()
	factories.run(clock)
	set_status(people[0], "Replied")
	refresh_and_work(open_ones, clock)
	left = status_of(campaign)
	reason = frappe.db.get_value("Drip Enrollment", {"recipient_name": "Ada"}, "exit_reason")
	set_status(people[0], "Open")

	refresh_and_work(open_ones, clock)

	assert (left["Ada"], reason, left["Bob"]) == ("Exited", "Left List", "In Progress")
	assert status_of(campaign) == {"Ada": "In Progress", "Bob": "In Progress"}
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 2
	assert factories.count("Drip Email", campaign=campaign.name) == 2


def test_leaving_can_be_without_consequence(people, open_ones, clock):
	campaign = include(clock, open_ones, when_left="Continue")
	refresh_and_work(open_ones, clock)
	set_status(people[0], "Replied")

	refresh_and_work(open_ones, clock)

	assert status_of(campaign) == {"Ada": "In Progress", "Bob": "In Progress"}


def test_who_is_taken_off_a_list_by_hand_leaves_the_campaign(people, clock):
	target_list = factories.make_list("Drip Test Static")
	campaign = include(clock, target_list)
	member = factories.add_to_list(target_list, people[0])
	frappe.db.commit()
	run_triggers.run(utc_now())

	member.reload().delete()

	assert status_of(campaign) == {"Ada": "Exited"}
	assert target_list.reload().member_count == 0


def test_who_is_on_another_included_list_stays(people, open_ones, clock):
	other = factories.make_list("Drip Test Other", people[0])
	campaign = factories.make_active_campaign(
		clock, target_lists=[{"target_list": open_ones.name}, {"target_list": other.name}]
	)
	refresh_and_work(open_ones, clock)
	for person in people:
		set_status(person, "Replied")

	refresh_and_work(open_ones, clock)

	assert status_of(campaign) == {"Ada": "In Progress", "Bob": "Exited"}


def test_what_is_queued_for_somebody_who_drops_out_is_withdrawn(people, open_ones, clock, smtp):
	include(clock, open_ones)
	refresh_and_work(open_ones, clock)
	dispatch_due.dispatch(utc_now(), enqueue_delivery=False)
	set_status(people[0], "Replied")

	refresh_and_work(open_ones, clock)

	by_status = frappe.get_all("Drip Email", fields=["status", "email_address"], order_by="status")
	assert [(row.status, row.email_address) for row in by_status] == [
		("Queued", f"bob@{DOMAIN}"),
		("Skipped", f"ada@{DOMAIN}"),
	]


def test_who_is_on_a_list_already_is_counted_and_taken_in_through_it(people, open_ones, clock):
	factories.refresh(open_ones)
	unsubscribe_from_list(open_ones.name, f"bob@{DOMAIN}", clock.now)
	campaign = include(clock, open_ones)

	[found] = backfill.count_existing(campaign, clock.now)
	[run] = api_triggers.backfill(campaign, [found], utc_now())
	frappe.db.commit()
	bulk_enrollment.run(run)

	assert (found["recipient_type"], found["count"]) == ("Contact", 1)
	assert found["sentence"] == f"Members of the list {open_ones.name}"
	assert status_of(campaign) == {"Ada": "In Progress"}
	assert factories.count("Drip Enrollment", target_list=open_ones.name) == 1


EXCLUDED = {
	"list": lambda listed: {"kind": "Target List", "target_list": listed.name},
	"domain": lambda _list: {"kind": "Mail Domain", "value": "@Sub.Rival.example"},
	"parent domain": lambda _list: {"kind": "Mail Domain", "value": "rival.example"},
	"address": lambda _list: {"kind": "Email Address", "value": "EVE@sub.rival.example"},
}


@pytest.fixture
def eve(site):
	"""Eve of a rival, a Contact on a list."""
	contact = factories.make_contact("Eve", "eve@sub.rival.example")
	yield contact
	frappe.db.rollback()
	frappe.db.delete("Contact", {"email_id": ("like", "%rival.example")})
	frappe.db.commit()


@pytest.fixture
def rivals(eve):
	"""A list with Eve on it."""
	return factories.make_list("Drip Test Rivals", eve)


@pytest.mark.parametrize("how", EXCLUDED)
def test_excluded_people_are_not_enrolled_one_by_one_in_bulk_or_by_trigger(how, eve, rivals, people, clock):
	campaign = factories.make_active_campaign(clock, exclusions=[EXCLUDED[how](rivals)])
	names = [eve.name, people[0].name]

	with pytest.raises(frappe.ValidationError) as caught:
		factories.enroll(campaign, eve, clock)
	frappe.db.rollback()
	preview = preview_audience(
		campaign.name, "Contact", f'[["name", "in", {names}]]'.replace("'", '"'), clock.now
	)
	[result] = enroll_many(campaign.name, "Contact", names, clock.now)
	answer = explain(campaign.name, "Contact", eve.name, clock.now)

	assert "Remove it from the campaign's exclusions first" in str(caught.value)
	assert preview["refused"][0]["rule"] == "excluded"
	assert (result.enrolled, sum(result.refused.values())) == (1, 1)
	[finding] = [check["finding"] for check in answer["checks"] if not check["is_met"]]
	assert "exclude" in finding


def test_another_record_with_an_excluded_address_is_excluded(rivals, clock):
	twin = factories.make_contact("Twin", "EVE@sub.rival.example")
	campaign = factories.make_active_campaign(clock, exclusions=[EXCLUDED["list"](rivals)])

	[result] = enroll_many(campaign.name, "Contact", [twin.name], clock.now)

	assert dict(result.refused) == {f"Is on the list {rivals.name}, which the campaign excludes": 1}


def test_domain_is_not_excluded_by_one_that_only_ends_alike(eve, clock):
	campaign = factories.make_active_campaign(
		clock, exclusions=[{"kind": "Mail Domain", "value": "val.example"}]
	)

	assert factories.enroll(campaign, eve, clock).status == "In Progress"


def test_who_gets_on_an_excluded_list_later_leaves_before_the_next_e_mail(people, clock, smtp):
	rivals = factories.make_list("Drip Test Rivals")
	campaign = factories.make_active_campaign(
		clock, exclusions=[{"kind": "Target List", "target_list": rivals.name}]
	)
	for person in people:
		factories.enroll(campaign, person, clock)
	factories.run(clock)
	factories.add_to_list(rivals, people[0])
	frappe.db.commit()
	clock.advance(days=2)

	factories.run(clock)

	assert status_of(campaign) == {"Ada": "Exited", "Bob": "In Progress"}
	assert frappe.db.get_value("Drip Enrollment", {"recipient_name": "Ada"}, "exit_reason") == "Excluded"
	assert len(smtp.messages) == 3
	enrollment = frappe.get_last_doc("Drip Enrollment", {"recipient_name": "Ada"})
	with pytest.raises(DripError) as caught:
		resume(enrollment, clock.now)
	assert "exclusions" in str(caught.value)


@pytest.mark.parametrize(
	("rows", "words"),
	[
		(
			{"exclusions": [{"kind": "Mail Domain", "value": "no domain"}]},
			"Exclude, row 1: “no domain” isn't a mail domain",
		),
		({"exclusions": [{"kind": "Email Address", "value": "nobody"}]}, "“nobody” isn't an email address"),
		({"exclusions": [{"kind": "Target List"}]}, "Exclude, row 1: Target List is empty"),
		(
			{
				"target_lists": [{"target_list": "Drip Test Both"}],
				"exclusions": [{"kind": "Target List", "target_list": "Drip Test Both"}],
			},
			"list Drip Test Both is also included",
		),
		(
			{"target_lists": [{"target_list": "Drip Test Both"}, {"target_list": "Drip Test Both"}]},
			"Include, row 2: list Drip Test Both is already included",
		),
	],
)
def test_list_rows_that_make_no_sense_are_refused_with_row_and_remedy(site, rows, words):
	factories.make_list("Drip Test Both")

	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(**rows)

	assert words in str(caught.value)


def test_list_that_a_campaign_names_is_not_deleted(people, clock):
	target_list = factories.make_list("Drip Test Named")
	campaign = include(clock, target_list)
	lifecycle.end(campaign, clock.now)

	with pytest.raises(frappe.LinkExistsError):
		frappe.delete_doc("Drip Target List", target_list.name)
