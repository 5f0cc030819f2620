"""Lists, exclusions, triggers, goals, and senders of a running campaign are edited: the dialog says what the save then does."""

import re

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.api.editing import preview_edit
from drip_campaigns.campaign.preview_impact import preview_impact
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.site.clock import to_site
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.fuzz.depth import examples

NAMES = ("Ada", "Bob", "Cyd", "Dan", "Eve")
ON_ONE_SITE = examples(25)


@pytest.fixture
def listed(site, smtp, clock):
	"""An active campaign with two lists: all but Eve came through the first, Dan is on both, and Eve came by hand."""
	people = [factories.make_contact(name, f"{name.lower()}@{DOMAIN}") for name in NAMES]
	first = factories.make_list("Drip Test First", *people[:4])
	second = factories.make_list("Drip Test Second", people[3])
	rows = [{"target_list": one.name, "when_left": "End"} for one in (first, second)]
	campaign = factories.make_active_campaign(clock, step(0), step(2), target_lists=rows)
	names = [person.name for person in people]
	list(enroll_many(campaign.name, "Contact", names[:4], clock.now, target_list=first.name))
	list(enroll_many(campaign.name, "Contact", names[4:], clock.now))
	frappe.db.commit()
	return campaign.reload()


def statuses(campaign) -> dict[str, tuple[str, str]]:
	fields = ["recipient_name", "status", "exit_reason"]
	rows = frappe.get_all("Drip Enrollment", filters={"campaign": campaign.name}, fields=fields)
	return {row.recipient_name: (row.status, row.exit_reason or "") for row in rows}


def remove_list(campaign, number: int = 0):
	campaign.remove(campaign.target_lists[number])
	return campaign


def exclude(campaign, **values):
	campaign.append("exclusions", {"kind": "Email Address", **values})
	return campaign


def test_people_of_a_removed_list_stop_and_go_on_when_it_is_put_back(listed, smtp, clock):
	factories.run(clock)
	clock.advance(days=1)
	[first, _second] = [row.target_list for row in listed.target_lists]
	edited = remove_list(listed)
	told = preview_edit(frappe.as_json(edited))["sentences"]

	edited.save()
	frappe.db.commit()
	stopped = statuses(listed)
	clock.advance(days=9)
	factories.run(clock)
	sent_meanwhile = sorted({message.recipient for message in smtp.messages[5:]})
	edited.reload().append("target_lists", {"target_list": first, "when_left": "End"})
	told_again = preview_edit(frappe.as_json(edited))["sentences"]
	edited.save()
	frappe.db.commit()
	smtp.reset()
	for _day in range(2):
		clock.advance(days=1)
		factories.run(clock)

	assert told == ["3 leave the campaign and get no more emails from it: Left List."]
	assert {name for name, state in stopped.items() if state == ("Exited", "Left List")} == {
		"Ada",
		"Bob",
		"Cyd",
	}
	assert sent_meanwhile == [f"dan@{DOMAIN}", f"eve@{DOMAIN}"]
	assert told_again[0] == "3 return through the list and continue where they stopped."
	assert sorted(message.recipient for message in smtp.messages) == [
		f"{name}@{DOMAIN}" for name in ("ada", "bob", "cyd")
	]
	assert {message.message["Subject"] for message in smtp.messages} == {"Day 2"}


def test_list_whose_people_may_stay_says_so(listed):
	listed.target_lists[0].when_left = "Continue"
	listed.save()

	told = preview_edit(frappe.as_json(remove_list(listed.reload())))["sentences"]
	listed.save()

	assert told == ["List Drip Test First: 4 who came through it stay in the campaign."]
	assert {state for state, _reason in statuses(listed).values()} == {"In Progress"}


def test_goal_that_some_have_met_ends_them_at_once(listed):
	frappe.db.set_value("Contact", {"email_id": f"ada@{DOMAIN}"}, "status", "Replied")
	goal = {"goal": "Record Matches", "goal_recipient_type": "Contact"}
	listed.update({**goal, "goal_filters": '[["Contact", "status", "=", "Replied"]]'})

	told = preview_edit(frappe.as_json(listed))["sentences"]
	listed.save()

	assert told == ["1 leave the campaign and get no more emails from it: Goal."]
	assert statuses(listed)["Ada"] == ("Exited", "Goal")


def test_new_trigger_list_and_sender_are_announced(listed):
	third = factories.make_list("Drip Test Third")
	listed.append("triggers", {"kind": "Record Created", "recipient_type": "Contact", "enabled": 1})
	listed.append("target_lists", {"target_list": third.name})
	listed.sender = factories.make_user("other", "Drip Manager")

	told = preview_edit(frappe.as_json(listed))["sentences"]

	assert len(told) == 3
	assert "Drip Test Third" in told[0]
	assert "Triggers" in told[1]
	assert told[2] == "5 keep the sender with whom they were enrolled."


def test_edit_that_replans_nobody_announces_no_return(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), reopen_completed=0)
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	campaign.reload().append("steps", step(3, enabled=1))
	campaign.save()
	frappe.db.set_value("Drip Campaign", campaign.name, "reopen_completed", 1)
	frappe.db.commit()
	edited, stored = (frappe.get_doc("Drip Campaign", campaign.name) for _ in range(2))
	edited.description = "Another"

	impact, sentences = preview_impact(stored, edited)
	edited.save()

	assert (impact.reopened, sentences) == (0, [])
	assert list(statuses(campaign).values()) == [("Completed", "")]


EDITS = {
	"first list": lambda campaign: remove_list(campaign, 0),
	"second list": lambda campaign: remove_list(campaign, 1),
	"address": lambda campaign: exclude(campaign, value=f"bob@{DOMAIN}"),
	"domain": lambda campaign: exclude(campaign, kind="Mail Domain", value=DOMAIN),
	"new step": lambda campaign: campaign.append("steps", step(5, "New", enabled=1)),
	"earlier": lambda campaign: campaign.steps[1].update({"send_after_days": 1}),
	"disabled": lambda campaign: campaign.steps[1].update({"enabled": 0}),
	"nothing": lambda campaign: campaign.update({"description": "Another"}),
}
STATES = (
	"Scheduled",
	"In Progress",
	"In Progress",
	"Paused",
	"Completed",
	"Unsubscribed",
	"Exited",
	"Failed",
)


def paused(status: str, clock) -> dict:
	return {"paused_at": to_site(clock.now), "next_send_at": None} if status == "Paused" else {}


@ON_ONE_SITE
@given(
	states=st.lists(st.sampled_from(STATES), min_size=len(NAMES), max_size=len(NAMES)),
	edits=st.sets(st.sampled_from(sorted(EDITS)), min_size=1, max_size=3),
)
def test_whatever_is_edited_the_numbers_told_are_what_happens(listed, clock, states, edits):
	try:
		for name, status in zip(NAMES, states, strict=True):
			is_live = status in ("Scheduled", "In Progress", "Paused")
			keys = {} if is_live else {"live_recipient": None, "live_address": None}
			frappe.db.set_value(
				"Drip Enrollment",
				{"recipient_name": name},
				{"status": status, **keys, **paused(status, clock)},
			)
		edited, stored = (frappe.get_doc("Drip Campaign", listed.name) for _ in range(2))
		for change in sorted(edits):
			EDITS[change](edited)
		before = statuses(listed)
		impact, sentences = preview_impact(stored, edited)

		edited.save()
		after = statuses(listed)

		left = [name for name in NAMES if before[name][0] != "Exited" and after[name][0] == "Exited"]
		told = [int(found[1]) for line in sentences if (found := re.match(r"(\d+) leave the campaign", line))]
		back = [name for name in NAMES if before[name][0] == "Completed" and after[name][0] == "In Progress"]
		assert sum(told) == len(left)
		assert impact.reopened == len(back)
	finally:
		frappe.db.rollback()


def test_removed_enrollment_stays_removed_when_a_list_is_put_back(listed, clock):
	name = frappe.db.get_value("Drip Enrollment", {"recipient_name": "Ada"})
	verbs.remove(frappe.get_doc("Drip Enrollment", name), clock.now)
	first = listed.target_lists[0].target_list
	remove_list(listed).save()

	listed.reload().append("target_lists", {"target_list": first})
	listed.save()

	assert statuses(listed)["Ada"] == ("Exited", "Removed")
	assert statuses(listed)["Bob"][0] == "In Progress"
