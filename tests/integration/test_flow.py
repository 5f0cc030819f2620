"""The flow on a site: conditions of every kind, branches, waits, and what becomes of those who do not meet them."""

import json
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.campaign_templates.make_draft import export_content, make_draft
from drip_campaigns.core.flow.conditions import read_conditions
from drip_campaigns.core.model import EventType
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.wake_waiting import wake
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.plans.flow_labels import describe_conditions
from drip_campaigns.rendering.expressions import ExpressionError, evaluate
from drip_campaigns.site.clock import to_site
from tests import factories
from tests.factories import DOMAIN, step
from tests.trigger_steps import trigger


def asks(*tests: dict, match: str = "all") -> str:
	return json.dumps({"match": match, "tests": list(tests)})


def happen(enrollment, event: EventType, label: str, now, **fields) -> None:
	campaign = frappe.get_doc("Drip Campaign", enrollment.campaign)
	row = next(row for row in campaign.steps if row.label == label)
	event = {"event_type": event.value, "campaign": campaign.name, "enrollment": enrollment.name}
	record_events(
		[{**event, "step": row.name, "email_address": enrollment.email_address, **fields}], to_site(now)
	)
	frappe.db.commit()


def subjects(smtp) -> list[str]:
	return [str(received.message["subject"]) for received in smtp.messages]


def log_of(enrollment, event: EventType) -> list[str]:
	filters = {"enrollment": enrollment.name, "event_type": event.value}
	return frappe.get_all("Drip Event", filters=filters, pluck="detail", order_by="occurred_at")


def test_each_kind_of_condition_sends_to_those_who_meet_it_and_to_nobody_else(site, smtp, clock):
	target_list, other = factories.make_list(), factories.make_active_campaign(clock)
	frappe.get_doc(doctype="Tag", name="Hot").insert(ignore_if_duplicate=True)
	frappe.get_doc(doctype="Email Group", title="Drip Test Group").insert()
	conditions = {
		"field": {"kind": "field", "doctype": "Contact", "field": "status", "operator": "=", "value": "Open"},
		"linked": {
			"kind": "field",
			"field": "first_name",
			"link": "user",
			"operator": "like",
			"value": "ann%",
		},
		"tag": {"kind": "tag", "tag": "hot"},
		"list": {"kind": "list", "list": target_list.name},
		"group": {"kind": "group", "group": "Drip Test Group"},
		"campaign": {"kind": "campaign", "campaign": other.name, "stands": "now"},
		"event": {"kind": "event", "event": "opened", "step": "Hello"},
		"expression": {
			"kind": "expression",
			"expression": "doc.department == 'Sales' and today.year == 2026",
		},
	}
	steps = [step(1, subject=f"By {name}", conditions=asks(test)) for name, test in conditions.items()]
	campaign = factories.make_active_campaign(clock, step(0, subject="Hello", label="Hello"), *steps)
	user = factories.make_user("annette", "Drip User")
	meets = factories.make_contact("Ada", status="Open", department="Sales", user=user)
	misses = factories.make_contact("Bob", status="Passive")
	meets.add_tag("Hot")
	factories.add_to_list(target_list, meets)
	frappe.get_doc(doctype="Email Group Member", email_group="Drip Test Group", email=meets.email_id).insert()
	enrollment = factories.enroll(campaign, meets, clock)
	factories.enroll(campaign, misses, clock)
	factories.enroll(other, meets, clock)
	factories.run(clock)
	happen(enrollment, EventType.OPENED, "Hello", clock.now)
	smtp.reset()

	clock.advance(days=1)
	factories.run(clock)

	to_meets = [str(m.message["subject"]) for m in smtp.messages if m.recipient == meets.email_id]
	assert sorted(to_meets) == sorted(f"By {name}" for name in conditions)
	assert not [m for m in smtp.messages if m.recipient == misses.email_id]
	reasons = frappe.get_all(
		"Drip Email", filters={"recipient": misses.name, "status": "Skipped"}, pluck="reason"
	)
	assert "Not met: Status = Open." in reasons
	assert "Not met: Hello was opened." in reasons


def test_conditions_of_a_batch_cost_a_query_for_each_kind_and_none_for_each_recipient(site, smtp, clock):
	frappe.get_doc(doctype="Tag", name="Hot").insert(ignore_if_duplicate=True)
	tests = (
		{"kind": "field", "field": "status", "operator": "!=", "value": "Nothing"},
		{"kind": "tag", "tag": "Hot", "negated": True},
		{"kind": "event", "event": "opened", "negated": True},
	)
	counts = []
	for people in (2, 12):
		campaign = factories.make_active_campaign(clock, step(0, conditions=asks(*tests)))
		for _number in range(people):
			factories.enroll(campaign, factories.make_contact(), clock)
		with factories.count_statements() as seen:
			factories.dispatch_due.dispatch(clock.now, enqueue_delivery=False)
		counts.append(seen.count)

	assert factories.count("Drip Email", status="Queued") == 14
	assert counts[1] - counts[0] <= 1


def test_who_does_not_meet_a_condition_goes_on_elsewhere_or_leaves(site, smtp, clock):
	opened = asks({"kind": "event", "event": "opened", "step": "Hello"})
	campaign = factories.make_active_campaign(
		clock,
		step(0, subject="Hello", label="Hello"),
		step(
			2,
			subject="Thanks",
			conditions=opened,
			otherwise="Go To Step",
			otherwise_step="Reminder",
			next_step="Offer",
		),
		step(2, subject="Reminder", label="Reminder"),
		step(4, subject="Offer", label="Offer", conditions=opened, otherwise="Exit"),
	)
	reader, other = (factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2))
	factories.run(clock)
	happen(reader, EventType.OPENED, "Hello", clock.now)
	for _day in range(5):
		clock.advance(days=1)
		factories.run(clock)

	sent = {
		address: [str(m.message["subject"]) for m in smtp.messages if m.recipient == address]
		for address in (reader.email_address, other.email_address)
	}
	assert sent[reader.email_address] == ["Hello", "Thanks", "Offer"]
	assert sent[other.email_address] == ["Hello", "Reminder"]
	assert log_of(other, EventType.BRANCHED) == ["Not met: Hello was opened. Continued at Reminder."]
	assert reader.reload().status == "Completed"
	assert (other.reload().status, other.exit_reason) == ("Exited", "Condition")
	assert log_of(other, EventType.EXITED) == ["Not met: Hello was opened."]


def test_wait_ends_as_soon_as_what_it_waits_for_has_happened(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock,
		step(0, subject="Hello", label="Hello"),
		step(
			0,
			step_type="Wait Until",
			wait_for="Clicked",
			wait_step="Hello",
			wait_limit_days=3,
			on_timeout="Go To Step",
			on_timeout_step="Reminder",
			message="",
		),
		step(0, subject="Thanks", counted_from="Previous Step"),
		step(0, step_type="End", counted_from="Previous Step", message=""),
		step(0, subject="Reminder", label="Reminder", counted_from="Previous Step"),
	)
	clicker, idler = (factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2))
	factories.run(clock)
	waiting = [one.reload().waiting_since for one in (clicker, idler)]
	clock.advance(hours=5)
	happen(clicker, EventType.CLICKED, "Hello", clock.now, detail="https://example.com/a")
	woken = clicker.reload().next_send_at
	factories.run(clock)
	after_click = subjects(smtp)
	clock.advance(days=3)
	factories.run(clock)

	assert all(waiting)
	assert woken == to_site(clock.now - timedelta(days=3))
	assert after_click == ["Hello", "Hello", "Thanks"]
	assert subjects(smtp) == ["Hello", "Hello", "Thanks", "Reminder"]
	assert (clicker.reload().status, idler.reload().status) == ("Completed", "Completed")
	assert log_of(idler, EventType.BRANCHED)[0].startswith(
		"Not met within 3 days: a link in Hello was clicked."
	)


def test_wait_for_a_field_a_date_and_a_time_of_day(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock,
		step(
			0,
			step_type="Wait Until",
			wait_for="Field Value",
			wait_field="status",
			wait_value="Open",
			message="",
		),
		step(0, subject="Open now", counted_from="Previous Step"),
		step(
			0,
			step_type="Wait Until",
			wait_for="Clock Time",
			wait_time="07:30",
			message="",
			counted_from="Previous Step",
		),
		step(0, subject="Good morning", counted_from="Previous Step"),
		time_zone="UTC",
	)
	contact = factories.make_contact(status="Passive")
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	polled = enrollment.reload().next_send_at
	contact.db_set("status", "Open")
	frappe.db.commit()
	clock.advance(hours=1)
	factories.run(clock)
	opened = subjects(smtp)
	until = enrollment.reload().next_send_at
	clock.now = clock.now.replace(day=3, hour=7, minute=30)
	factories.run(clock)

	assert polled == to_site(clock.now.replace(day=2, hour=10, minute=0))
	assert opened == ["Open now"]
	assert until == to_site(clock.now)
	assert subjects(smtp) == ["Open now", "Good morning"]


def test_wait_for_a_moment_of_the_record_ends_by_the_clock_of_the_site_and_not_of_the_campaign(site, clock):
	waiting = step(0, step_type="Wait Until", wait_for="Date Field", wait_field="creation", message="")
	campaign = factories.make_active_campaign(clock, waiting, step(0), time_zone="Pacific/Auckland")
	contact, later = factories.make_contact(), to_site(clock.now + timedelta(hours=5))
	contact.db_set("creation", later, update_modified=False)
	enrollment = factories.enroll(campaign, contact, clock)

	factories.run(clock)

	assert enrollment.reload().next_send_at == later


def test_wait_whose_words_are_longer_than_a_record_holds_keeps_nobody_off_the_campaign(site, clock):
	label, link = "Welcome " * 12, "https://example.com/" + "a" * 230
	waiting = step(
		1, step_type="Wait Until", wait_for="Clicked", wait_step=label.strip(), wait_link=link, message=""
	)
	campaign = factories.make_active_campaign(clock, step(0, label=label.strip()), waiting, step(2))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	factories.run(clock)

	assert enrollment.reload().next_step_subject.startswith("Wait until https://example.com/aaa")


def test_paused_wait_goes_on_with_the_rest_of_its_limit(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock,
		step(0, subject="Hello"),
		step(0, step_type="Wait Until", wait_for="Replied", wait_limit_days=3, message=""),
		step(0, subject="After", counted_from="Previous Step"),
	)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=2)
	factories.verbs.pause(enrollment.reload(), clock.now)
	frappe.db.commit()
	clock.advance(days=10)
	factories.verbs.resume(enrollment.reload(), clock.now)
	frappe.db.commit()

	clock.advance(hours=23)
	factories.run(clock)
	too_early = subjects(smtp)
	clock.advance(hours=1)
	factories.run(clock)

	assert too_early == ["Hello"]
	assert subjects(smtp) == ["Hello", "After"]


def test_waking_leaves_those_alone_who_wait_for_nothing(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	before = enrollment.reload().next_send_at

	wake([enrollment.name], clock.now)

	assert enrollment.reload().next_send_at == before


def test_overdue_step_expires(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, step(0), step(1, subject="Today only", expires_after_hours=4), step(3)
	)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=1, hours=5)
	factories.run(clock)

	assert "Today only" not in subjects(smtp)
	assert log_of(enrollment, EventType.SKIPPED) == ["Expired"]


BAD = (
	([step(0), step(1, next_step="Nowhere")], "Step 2, Then Go To: No step has the label 'Nowhere'."),
	([step(0, label="A"), step(1, label="A")], "Step 2, Label: Two steps have the label 'A'."),
	(
		[step(0, label="A"), step(1, next_step="A")],
		"Step 1, Then Go To: This step is in a loop. Only waits and ends can be in a loop",
	),
	(
		[
			step(
				0,
				step_type="Wait Until",
				wait_for="Clock Time",
				wait_time="09:00",
				label="A",
				next_step="A",
				message="",
			)
		],
		"Step 1, Then Go To: This step is in a loop that takes no time.",
	),
	(
		[
			step(
				0,
				conditions=asks(
					{"kind": "field", "doctype": "Contact", "field": "shoe_size", "operator": "=", "value": 1}
				),
			)
		],
		"Step 1: Contact has no field shoe_size.",
	),
	(
		[step(0, conditions='{"tests": [{"kind": "dream"}]}')],
		"Step 1, Conditions (JSON): conditions.tests[0].kind must be one of",
	),
	([step(0, conditions="{")], "Step 1, Conditions (JSON): The conditions cannot be read"),
	(
		[step(0, conditions=asks({"kind": "list", "list": "No Such"}))],
		"Step 1: Drip Target List No Such doesn't exist.",
	),
	(
		[step(0, conditions=asks({"kind": "expression", "expression": "frappe.db.sql('x')"}))],
		"Step 1: The expression frappe.db.sql('x') cannot be used",
	),
)


@pytest.mark.parametrize(("steps", "message"), BAD, ids=lambda value: None)
def test_flow_that_cannot_be_followed_is_refused_naming_step_and_field(steps, message, site):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(*steps)

	assert message in str(caught.value)


def test_step_that_nobody_reaches_is_told_and_the_campaign_is_saved(site):
	factories.make_campaign(step(0, next_step="Last"), step(1, subject="Lost"), step(2, label="Last"))

	assert "Nobody reaches “Lost”" in frappe.message_log[-1]["message"]


@pytest.mark.parametrize(
	("asked", "fields", "said"),
	[
		({"conditions": asks({"kind": "event", "event": "opened"})}, {}, "Step 1, 2: this campaign does not record"),
		({"conditions": asks({"kind": "event", "event": "replied"})}, {}, "Step 1: a reply ends the enrollment"),
		(
			{"conditions": asks({"kind": "event", "event": "replied"}, {"kind": "event", "event": "sent"})},
			{"continue_after_reply": 1, "tracking_mode": "Individual"},
			None,
		),
	],
)  # fmt: skip
def test_step_that_asks_for_what_the_campaign_never_hears_of_is_told(site, asked, fields, said):
	waiting = step(1, step_type="Wait Until", wait_for="Clicked", wait_limit_days=3, message="")
	frappe.clear_messages()

	factories.make_campaign(step(0, **asked), waiting, **fields)

	told = " ".join(entry["message"] for entry in frappe.message_log)
	assert (said in told) if said else "does not record" not in told


def test_trigger_that_waits_for_clicks_where_nobody_knows_who_clicks_is_told(site):
	silent, loud = factories.make_campaign(), factories.make_campaign(tracking_mode="Individual")
	frappe.clear_messages()

	factories.make_campaign(
		triggers=[trigger("Link Clicked", source_campaign=one.name) for one in (loud, silent)]
	)

	told = " ".join(entry["message"] for entry in frappe.message_log)
	assert f"Trigger 2: Campaign {silent.name} does not record" in told
	assert f"Campaign {loud.name} does not record" not in told


def test_field_that_is_gone_holds_the_campaign_and_loses_nobody(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock,
		step(0, conditions=asks({"kind": "field", "field": "status", "operator": "=", "value": "Open"})),
	)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	frappe.db.set_value(
		"Drip Campaign Step",
		campaign.steps[0].name,
		"conditions",
		asks({"kind": "field", "field": "shoe_size", "operator": "=", "value": 1}),
	)
	frappe.db.commit()

	factories.run(clock)

	assert campaign.reload().status == "Paused"
	assert "has no field shoe_size" in campaign.pause_reason
	assert enrollment.reload().next_send_at == to_site(clock.now)
	assert not enrollment.last_error


def test_expression_that_runs_for_ever_is_stopped_and_stands_on_the_enrollment(site, smtp, clock):
	text = "any(a == b == c == d == e for a in doc.x for b in doc.x for c in doc.x for d in doc.x for e in doc.x)"
	endless = text.replace("doc.x", "(doc.name + doc.name + doc.name)").replace("a == b", "a + b == '#'")
	campaign = factories.make_active_campaign(
		clock, step(0, conditions=asks({"kind": "expression", "expression": endless}))
	)
	enrollment = factories.enroll(campaign, factories.make_contact("A" * 60), clock)

	factories.run(clock)

	assert not smtp.messages
	assert enrollment.reload().last_error.startswith("Step “Day 0”: The expression any(")
	assert "cannot be evaluated" in enrollment.last_error
	assert enrollment.attempts == 1


EXPRESSIONS = (
	"doc.__class__",
	"().__class__.__bases__",
	"doc.name * 10 ** 9",
	"'a' * 1000000000",
	"any(b * 9999 for b in [a * 9999 for a in ['x' * 9999]])",
	"('x' * 9999 if doc.name else 'x') * 9999",
	"['x' * 9999][0] * 9999",
	"min('x' * 9999, 'y') * 9999",
	"f'{1:>1000000000}'",
	"'%1000000000d' % 1",
	"[x for x in range(1000000000)]",
	"(lambda: 1)()",
	"frappe.get_doc('User', 'Administrator')",
	"recipient.email.format(1)",
	"(x := 5)",
	"(" * 300 + "1" + ")" * 300,
)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda value: value[:20])
def test_expression_that_reaches_out_or_fills_the_memory_is_refused(expression, site, clock):
	person = Recipient("Contact", "x", f"x@{DOMAIN}", fields={"name": "x"})

	with pytest.raises(ExpressionError):
		evaluate(expression, person, FieldRights("Administrator"), clock.now)


def test_conditions_are_told_in_words(site):
	tests = [
		{
			"kind": "field",
			"doctype": "Contact",
			"field": "status",
			"operator": "in",
			"value": ["Open", "Passive"],
		},
		{"kind": "event", "event": "clicked", "step": "Hello", "negated": True, "within_days": 3},
		{"kind": "tag", "tag": "Hot", "negated": True},
	]

	text = describe_conditions(read_conditions({"match": "any", "tests": tests}, ""))

	assert text == (
		"Status in Open, Passive or a link in Hello was not clicked in the last 3 days or doesn't have the tag Hot"
	)


def test_exported_flow_comes_back_without_conditions_that_name_records_of_the_site(site):
	opened = asks({"kind": "event", "event": "opened", "step": "Hello"})
	secret = asks({"kind": "field", "field": "email_id", "operator": "=", "value": f"vip@{DOMAIN}"})
	campaign = factories.make_campaign(
		step(0, label="Hello"),
		step(
			1, step_type="Wait Until", wait_for="Date Field", wait_field="creation", wait_days=-2, message=""
		),
		step(2, conditions=opened, otherwise="Go To Step", otherwise_step="Hello 2"),
		step(3, conditions=secret, label="Hello 2"),
	)

	content = export_content(campaign)
	draft, _left_out = make_draft(content, "Drip Test Copy")

	assert f"vip@{DOMAIN}" not in json.dumps(content)
	assert [row.is_draft for row in draft.steps] == [0, 0, 0, 1]
	assert (draft.steps[1].wait_for, draft.steps[1].wait_days) == ("Date Field", -2)
	assert (draft.steps[2].conditions, draft.steps[2].otherwise_step) == (opened, "Hello 2")


def test_condition_tells_nobody_what_they_may_not_read(site):
	profile = {"doctype": "User", "link": "role_profile_name", "field": "role_profile"}
	linked = {"kind": "field", **profile, "operator": "like", "value": "A%"}
	user = factories.make_user("nosy", "Drip Manager")

	frappe.set_user(user)
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(step(0, conditions=asks(linked)))
	frappe.set_user("Administrator")

	assert "Step 1: You may not read Role Profile, which a condition asks about." in str(caught.value)
