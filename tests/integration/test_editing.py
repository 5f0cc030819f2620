"""A campaign is edited while people are on board: what the dialog says beforehand is what happens then."""

from datetime import timedelta

import frappe
import pytest

from drip_campaigns.api.editing import preview_days, preview_edit
from drip_campaigns.campaign.preview_impact import preview_impact
from drip_campaigns.db.dialect import insert_rows
from drip_campaigns.site.clock import to_site
from drip_campaigns.stats.progress import list_schedule
from tests import factories, verbs
from tests.factories import step

LIVE = ("Scheduled", "In Progress", "Paused")


@pytest.fixture
def crowd(site, smtp, clock):
	"""A campaign with days 0, 2, 4, 6 and people all along it: begun on ten days in a row, one paused, one removed."""
	campaign = factories.make_active_campaign(clock, step(0), step(2), step(4), step(6))
	everybody = []
	for _day in range(10):
		everybody += [factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2)]
		factories.run(clock)
		clock.advance(days=1)
	verbs.pause(everybody[-1].reload(), clock.now)
	verbs.remove(everybody[-3].reload(), clock.now)
	frappe.db.commit()
	return campaign.reload()


def edit(campaign, change):
	"""Return the campaign as it would be saved, and as it is stored."""
	edited = frappe.get_doc("Drip Campaign", campaign.name)
	change(edited)
	return edited, frappe.get_doc("Drip Campaign", campaign.name)


def add_step(days: int):
	return lambda campaign: campaign.append("steps", step(days, f"New on day {days}", enabled=1))


def move_step(row: int, days: int):
	return lambda campaign: campaign.steps[row].update({"send_after_days": days})


def disable(row: int):
	return lambda campaign: campaign.steps[row].update({"enabled": 0})


def narrow_the_days(campaign) -> None:
	campaign.update({"monday": 0, "wednesday": 0})


def states() -> dict[str, dict]:
	fields = ["name", "status", "next_send_at"]
	return {row.name: row for row in frappe.get_all("Drip Enrollment", fields=fields)}


@pytest.mark.parametrize(
	"change",
	[add_step(1), add_step(3), add_step(9), move_step(2, 1), move_step(0, 5), disable(3), narrow_the_days],
	ids=["day 1", "day 3", "at the end", "moved earlier", "first moved later", "last disabled", "weekdays"],
)
def test_numbers_told_before_saving_are_what_happens_then(crowd, smtp, clock, change):
	edited, stored = edit(crowd, change)
	impact, _sentences = preview_impact(stored, edited)
	before = states()

	edited.save()
	frappe.db.commit()
	after = states()
	moved = [
		(before[name].next_send_at, row.next_send_at)
		for name, row in after.items()
		if before[name].status in LIVE and before[name].next_send_at and row.next_send_at
	]
	for _day in range(20):
		clock.advance(days=1)
		factories.run(clock)
	paused = factories.count("Drip Enrollment", status="Paused")
	sent = sum(message.message["Subject"].startswith("New on day") for message in smtp.messages)
	completed = [name for name, row in before.items() if row.status == "Completed"]

	assert impact.later == sum(new > old for old, new in moved)
	assert impact.earlier == sum(new < old for old, new in moved)
	assert impact.reopened == sum(after[name].status == "In Progress" for name in completed)
	assert sum(impact.gets.values()) + impact.reopened == sent + (paused if impact.gets else 0)
	assert sum((impact.gets + impact.past).values()) in (
		0,
		sum(row.status in LIVE for row in before.values()),
	)


def test_dialog_says_in_words_who_gets_a_new_step_and_who_is_past_it(crowd):
	edited, _stored = edit(crowd, add_step(3))

	told = preview_edit(frappe.as_json(edited))

	# Of those begun on ten days, who is 6 days on has completed; 4 have had day 4; of the others one was removed.
	assert told == {
		"on_board": 11,
		"sentences": [
			"Step “New on day 3”: 7 will get it. 4 are already past it and won't.",
			"4 will get their next email earlier than now planned.",
		],
	}


def test_dialog_says_nothing_of_an_edit_that_concerns_nobody_or_cannot_be_saved(crowd):
	renamed, _stored = edit(crowd, lambda campaign: campaign.update({"description": "Another"}))
	broken, _stored = edit(crowd, lambda campaign: campaign.append("steps", {"send_after_days": 1}))

	assert preview_edit(frappe.as_json(renamed))["sentences"] == []
	assert preview_edit(frappe.as_json(broken))["sentences"] == []


def test_dialog_is_only_for_those_who_may_edit_the_campaign(crowd):
	document = frappe.as_json(crowd)
	frappe.set_user(factories.make_user("reader", "Drip User"))

	with pytest.raises(frappe.PermissionError):
		preview_edit(document)
	with pytest.raises(frappe.ValidationError, match="as JSON"):
		preview_edit("[]")


def test_draft_of_a_step_may_be_unfinished_and_is_sent_when_it_is_released(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(4))
	campaign.append("steps", {"send_after_days": 2, "is_draft": 1})
	campaign.save()
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=1)
	factories.run(clock)

	campaign.reload().steps[2].is_draft = 0
	with pytest.raises(frappe.ValidationError, match="has no subject"):
		campaign.save()
	frappe.db.rollback()
	campaign.reload().steps[2].update({**step(2, "Released"), "is_draft": 0})
	campaign.save()
	frappe.db.commit()
	for _day in range(3):
		clock.advance(days=1)
		factories.run(clock)

	assert [message.message["Subject"] for message in smtp.messages] == ["Day 0", "Released", "Day 4"]


def test_text_that_was_sent_to_each_stays_known_and_is_stored_once(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, step(0, "First words", "<p>Hello {{ recipient.first_name }}</p>")
	)
	early = [factories.enroll(campaign, factories.make_contact(), clock) for _ in range(3)]
	factories.run(clock)
	campaign.reload().steps[0].update({"subject": "Second thoughts"})
	campaign.save()
	late = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	texts = {
		row.enrollment: frappe.db.get_value(
			"Drip Step Version", row.step_version, ["subject", "message", "step"]
		)
		for row in frappe.get_all("Drip Email", fields=["enrollment", "step_version"])
	}

	message, row = "<p>Hello {{ recipient.first_name }}</p>", campaign.steps[0].name
	assert [texts[one.name] for one in early] == [("First words", message, row)] * 3
	assert texts[late.name] == ("Second thoughts", message, row)
	assert factories.count("Drip Step Version") == 2


def test_crowd_on_board_is_counted_by_place_and_not_one_by_one(site, clock):
	many = 3_000  # 100,000 take 1.3 seconds on two cores
	campaign = factories.make_active_campaign(clock, step(0), step(2), step(4))
	model = factories.enroll(campaign, factories.make_contact(), clock)
	columns = [column for column in frappe.db.get_table_columns("Drip Enrollment")]
	row = frappe.db.get_value("Drip Enrollment", model.name, columns, as_dict=True)
	first = campaign.steps[0].name
	rows, emails = [], []
	for number in range(many):
		begun = row.anchor_at + timedelta(minutes=5 * (number % 1000))
		name = f"crowd{number:06d}"
		mine = {**row, "name": name, "live_recipient": name, "live_address": name, "recipient": name}
		mine |= {"email_address": f"{name}@{factories.DOMAIN}", "anchor_at": begun, "reached_step": first}
		rows.append([mine[column] for column in columns])
		emails.append((f"{name}-{first}", name, campaign.name, first, "Sent"))
	insert_rows("Drip Enrollment", columns, rows)
	insert_rows("Drip Email", ("name", "enrollment", "campaign", "step", "status"), emails)
	edited, stored = edit(campaign.reload(), add_step(3))

	with factories.count_statements() as seen:
		impact, _sentences = preview_impact(stored, edited)

	assert sum(impact.gets.values()) == many + 1
	assert seen.count <= 12, seen


def draw(campaign) -> list[tuple[str, str]]:
	"""Return subject, or type, and day of each step of a document that need not be saved."""
	rows = {row.name: row.subject or row.step_type for row in campaign.steps}
	return [(rows[day["step"]], day["when"]) for day in preview_days(frappe.as_json(campaign))]


def test_days_of_an_unsaved_campaign_are_exact_until_a_wait_and_a_range_after_it(site):
	campaign = factories.make_campaign(
		step(0, "Welcome", label="Welcome"),
		{"step_type": "Wait Until", "wait_for": "Clicked", "wait_limit_days": 3, "send_after_days": 1},
		step(5, "Offer", send_after_hours=2),
		{"step_type": "Wait Until", "wait_for": "Opened", "send_after_days": 6},
		step(7, "Last"),
	)
	campaign.append("steps", step(9, "New", enabled=1, name="new-step"))

	assert draw(campaign) == [
		("Welcome", "Day 0"),
		("Wait Until", "Day 1"),
		("Offer", "Day 5 + 2 h to Day 8 + 2 h"),
		("Wait Until", "Day 6–9"),
		("Last", "Day 7 or later"),
		("New", "Day 9 or later"),
	]


def test_days_are_missing_while_the_flow_cannot_be_followed_and_for_who_may_not_read_the_campaign(site):
	campaign = factories.make_campaign(step(0, "Welcome"), step(2, "Offer"))
	campaign.steps[0].next_step = "Nowhere"

	assert draw(campaign) == [("Welcome", ""), ("Offer", "")]
	document = frappe.as_json(campaign)
	frappe.set_user(factories.make_user("stranger", "Sales User"))
	with pytest.raises(frappe.PermissionError):
		preview_days(document)


def test_planned_steps_of_an_enrollment_are_a_range_behind_its_wait(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock,
		step(0, "Welcome"),
		{"step_type": "Wait Until", "wait_for": "Clicked", "wait_limit_days": 3, "send_after_days": 0},
		step(1, "Offer", counted_from="Previous Step"),
	)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=2)

	waiting, offer = list_schedule(enrollment.reload(), clock.now)[-2:]

	assert "is_range" not in waiting
	assert offer["planned_at"] == to_site(clock.now + timedelta(days=1))
	assert offer["planned_until"] == to_site(clock.now + timedelta(days=2))
