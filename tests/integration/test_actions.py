"""Actions beside email: each kind by the real documents of Frappe, once, with the owner's rights; and what leavers get."""

import json
from collections import Counter
from collections.abc import Iterator

import frappe
import pytest
from frappe.custom.doctype.property_setter.property_setter import make_property_setter
from frappe.utils.background_jobs import get_queues

from drip_campaigns.actions import action_rows, webhooks
from drip_campaigns.actions.queue import ActionTask, record_actions
from drip_campaigns.api import enrollments
from drip_campaigns.api.results import get_results
from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.model import ExitReason
from drip_campaigns.jobs import dispatch_due, run_actions
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.stats import progress
from tests import factories, verbs
from tests.factories import DOMAIN, step
from tests.receiver import Receiver, make_webhook

HOOK = "Drip Test Hook"


def action(kind: str, days: int = 0, **fields) -> dict:
	"""Return the values of a step that is an action."""
	return {"step_type": "Action", "action": kind, "send_after_days": days, **fields}


def on_leaving(kind: str, **fields) -> dict:
	"""Return the values of an action for those who leave."""
	return action(kind, run_when="On Exit", **fields)


def act(clock) -> None:
	"""Dispatch, and do what a worker would do after its commit."""
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.db.commit()
	run_actions.run(clock.now)


def deeds(campaign) -> list[tuple[str, str]]:
	"""Return status and outcome of each action of a campaign."""
	fields = ["status", "outcome"]
	rows = frappe.get_all(
		"Drip Action", filters={"campaign": campaign.name}, fields=fields, order_by="creation"
	)
	return [(row.status, row.outcome) for row in rows]


def tags_of(record_actions) -> set[str]:
	"""Return the tags of a record."""
	filters = {"document_type": record_actions.doctype, "document_name": record_actions.name}
	return set(frappe.get_all("Tag Link", filters=filters, pluck="tag"))


@pytest.fixture
def contact(site):
	"""Somebody to act on."""
	return factories.make_contact("Ada")


def test_fields_and_tags_are_set_on_the_record_once_and_stand_in_the_log(site, clock, contact):
	campaign = factories.make_active_campaign(
		clock,
		action(
			"Set Field",
			action_doctype="Contact",
			action_field="department",
			action_value="{{ doc.first_name }} & Co",
		),
		action("Add Tag", action_tag="Drip Warm"),
		step(1),
		action("Remove Tag", 2, action_tag="drip warm"),
	)
	enrollment = factories.enroll(campaign, contact, clock)

	for _ in range(2):
		act(clock)

	assert contact.reload().department == "Ada & Co"
	assert tags_of(contact) == {"Drip Warm"}
	assert [status for status, _outcome in deeds(campaign)] == ["Done", "Done"]
	events = frappe.get_all(
		"Drip Event", {"enrollment": enrollment.name, "event_type": "Action Done"}, pluck="detail"
	)
	assert sorted(events) == ["Department of Ada was set to “Ada & Co”", "Tag Drip Warm was added to Ada"]
	clock.advance(days=2)
	factories.run(clock)
	clock.advance(days=1)
	act(clock)
	assert tags_of(contact) == set()


def test_list_and_campaign_actions_follow_the_rules_of_the_list_and_the_campaign(site, clock, contact):
	news, old = factories.make_list(), factories.make_list("", contact)
	other, former = factories.make_active_campaign(clock), factories.make_active_campaign(clock)
	leaving = factories.enroll(former, contact, clock)
	campaign = factories.make_active_campaign(
		clock,
		action("Add to List", action_list=news.name),
		action("Remove from List", action_list=old.name),
		action("Enroll in Campaign", action_campaign=other.name),
		action("Enroll in Campaign", action_campaign=other.name),
		action("Remove from Campaign", action_campaign=former.name),
		step(9),
	)
	factories.enroll(campaign, contact, clock)

	act(clock)

	assert factories.count("Drip Target List Member", target_list=news.name, recipient=contact.name) == 1
	dropped = {"target_list": old.name, "removed_at": ("is", "set")}
	assert factories.count("Drip Target List Member", **dropped) == 1
	assert factories.count("Drip Enrollment", campaign=other.name, recipient=contact.name) == 1
	assert (leaving.reload().status, leaving.exit_reason) == ("Exited", "Removed")
	assert {status for status, _outcome in deeds(campaign)} == {"Done"}
	assert sum("Not enrolled in" in outcome for _status, outcome in deeds(campaign)) == 1


def test_users_get_todos_in_turn_and_are_told_once(site, smtp, clock):
	users = [factories.make_user(name, "Drip User", "Sales User") for name in ("uma", "vic")]
	frappe.db.delete("ToDo", {"allocated_to": ("in", users)})
	frappe.db.delete("Notification Log", {"for_user": ("in", users)})
	campaign = factories.make_active_campaign(
		clock,
		action(
			"Assign ToDo",
			assign_to="Round Robin",
			action_users="\n".join(users),
			action_text="Call {{ recipient.full_name }}",
		),
		action(
			"Notify User", action_user=users[0], action_text="{{ recipient.first_name }} is warm", by_email=1
		),
		step(9),
	)
	for number in range(4):
		factories.enroll(campaign, factories.make_contact(f"P & {number}"), clock)

	for _ in range(2):
		act(clock)

	todos = frappe.get_all(
		"ToDo", {"allocated_to": ("in", users)}, ["allocated_to", "description", "reference_type"]
	)
	assert Counter(todo.allocated_to for todo in todos) == {users[0]: 2, users[1]: 2}
	assert all("P &amp; " in todo.description and todo.reference_type == "Contact" for todo in todos)
	told = frappe.get_all("Notification Log", {"for_user": users[0], "type": "Alert"}, pluck="subject")
	assert len(told) == 4 and all("is warm" in subject for subject in told)
	sent = {"reference_doctype": "Drip Enrollment", "sender": ("like", f"%{DOMAIN}%")}
	assert factories.count("Email Queue", **sent) == 4


def test_next_step_waits_for_the_todo_and_keeps_its_distance_from_the_day_it_is_closed(
	site, smtp, clock, contact
):
	campaign = factories.make_active_campaign(
		clock,
		action("Assign ToDo", action_user="Administrator", wait_for_todo=1),
		step(2, counted_from="Previous Step"),
	)
	enrollment = factories.enroll(campaign, contact, clock)
	act(clock)
	clock.advance(days=4)
	factories.run(clock)
	assert smtp.messages == [] and enrollment.reload().status == "In Progress"
	assert deeds(campaign)[0][0] == "Assigned"

	todo = frappe.get_last_doc("ToDo", {"reference_name": contact.name})
	todo.update({"status": "Closed"}).save()
	closed = frappe.get_last_doc("Drip Action", {"campaign": campaign.name})
	closed.db_set("done_at", to_site(clock.now))
	enrollment.reload().db_set("next_send_at", to_site(clock.now))
	frappe.db.commit()
	factories.run(clock)

	assert closed.status == "Done" and smtp.messages == []
	clock.advance(days=2)
	factories.run(clock)
	assert [message.recipient for message in smtp.messages] == [contact.email_id]


def test_document_is_made_of_values_filled_for_the_recipient(site, clock, contact):
	frappe.db.delete("ToDo", {"description": f"For {contact.email_id}"})
	values = {
		"description": "For {{ recipient.email }}",
		"priority": "High",
		"reference_type": "Contact",
		"reference_name": "{{ doc.name }}",
	}
	campaign = factories.make_active_campaign(
		clock, action("Create Document", action_doctype="ToDo", action_values=json.dumps(values)), step(9)
	)
	factories.enroll(campaign, contact, clock)

	for _ in range(2):
		act(clock)

	made = frappe.get_all("ToDo", {"description": f"For {contact.email_id}"}, ["description", "priority"])
	assert [(todo.description, todo.priority) for todo in made] == [(f"For {contact.email_id}", "High")]


def test_leavers_get_what_waits_for_their_reason_once_and_nobody_when_the_campaign_is_ended(site, clock):
	campaign = factories.make_active_campaign(
		clock,
		step(0),
		step(5),
		on_leaving("Add Tag", action_tag="Drip Left"),
		on_leaving("Add Tag", action_tag="Drip Opted Out", on_exit_reason="Unsubscribed"),
		on_leaving("Add Tag", action_tag="Drip Later", send_after_days=3),
	)
	people = {name: factories.make_contact(name) for name in ("opted", "replied", "stays")}
	enrolled = {
		name: factories.enroll(campaign, record_actions, clock) for name, record_actions in people.items()
	}
	act(clock)
	assert deeds(campaign) == []

	for _ in range(2):
		verbs.unsubscribe(enrolled["opted"].reload(), clock.now)
	verbs.exit_enrollment(enrolled["replied"].reload(), clock.now, ExitReason.REPLY)
	act(clock)

	tags = {name: tags_of(record_actions) for name, record_actions in people.items()}
	assert tags == {"opted": {"Drip Left", "Drip Opted Out"}, "replied": {"Drip Left"}, "stays": set()}
	assert Counter(status for status, _outcome in deeds(campaign)) == {"Done": 3, "Waiting": 2}
	lifecycle.end(campaign.reload(), clock.now)
	clock.advance(days=3)
	act(clock)
	assert Counter(outcome for _status, outcome in deeds(campaign))["Skipped: the campaign was ended"] == 2


def test_email_when_somebody_leaves_is_refused(site):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(step(0), step(0, run_when="On Exit"))

	assert "only an action can run on exit" in str(caught.value)


@pytest.fixture
def receiver(site) -> Iterator[Receiver]:
	"""A web server, and a Webhook on Contact that leads to it and that nobody but campaigns calls."""
	with Receiver() as running:
		make_webhook(HOOK, running.url, "first_name")
		frappe.db.commit()
		yield running
		frappe.db.rollback()
		frappe.delete_doc("Webhook", HOOK, force=True)
		frappe.db.commit()


def test_webhook_that_answers_500_for_a_day_is_called_again_with_one_key_until_it_works(
	receiver, clock, contact
):
	campaign = factories.make_active_campaign(clock, action("Call Webhook", webhook=HOOK), step(9))
	factories.enroll(campaign, contact, clock)
	receiver.status = 500

	for _hour in range(25):
		act(clock)
		clock.advance(hours=1)
	tried = len(receiver.calls)
	receiver.status = 200
	clock.advance(hours=12)
	for _ in range(2):
		act(clock)

	assert 4 <= tried <= 8 and len(receiver.calls) == tried + 1
	assert len({headers["Idempotency-Key"] for headers, _body in receiver.calls}) == 1
	assert all(body == {"who": "Ada"} for _headers, body in receiver.calls)
	assert deeds(campaign) == [("Done", f"Webhook {HOOK} was called: 200 OK")]


def test_webhook_that_never_works_ends_as_failed_and_says_so_on_the_enrollment(receiver, clock, contact):
	campaign = factories.make_active_campaign(clock, action("Call Webhook", webhook=HOOK), step(9))
	enrollment = factories.enroll(campaign, contact, clock)
	receiver.status = 503

	for _turn in range(10):
		act(clock)
		clock.advance(hours=12)

	assert deeds(campaign)[0][0] == "Failed" and len(receiver.calls) == 8
	assert "responded with 503" in enrollment.reload().last_error
	assert factories.count("Drip Event", event_type="Action Failed") == 1


def test_failed_action_is_done_again_once_by_who_may_write_the_enrollment(receiver, clock, contact):
	campaign = factories.make_active_campaign(clock, action("Call Webhook", webhook=HOOK), step(9))
	enrollment = factories.enroll(campaign, contact, clock)
	act(clock)
	name = frappe.db.get_value("Drip Action", {"enrollment": enrollment.name})
	frappe.db.set_value("Drip Action", name, {"status": "Failed", "outcome": "The server responded with 503"})
	frappe.db.set_value("Drip Enrollment", enrollment.name, "last_error", "The server responded with 503")
	frappe.db.commit()
	before = len(receiver.calls)

	frappe.set_user(factories.make_user("stranger", "Sales User"))
	with pytest.raises(frappe.PermissionError):
		enrollments.retry_actions(json.dumps([name]))
	frappe.set_user("Administrator")
	answers = [enrollments.retry_actions(json.dumps([name, "no-such-action"])) for _twice in range(2)]
	frappe.db.commit()
	run_actions.run(max(clock.now, utc_now()))

	assert answers == [{"done": 1, "left": 1}, {"done": 0, "left": 2}]
	assert [status for status, _outcome in deeds(campaign)] == ["Done"] and len(receiver.calls) == before + 1
	assert not enrollment.reload().last_error


def test_line_of_an_enrollment_has_actions_waits_and_branches_in_their_order(site, smtp, clock, contact):
	opened = json.dumps({"tests": [{"kind": "event", "event": "opened", "step": "Welcome"}]})
	campaign = factories.make_active_campaign(
		clock,
		step(0, "Welcome", label="Welcome"),
		{"step_type": "Wait Until", "wait_for": "Clicked", "wait_limit_days": 1, "send_after_days": 0},
		action("Add Tag", 1, counted_from="Previous Step", action_tag="Drip Warm"),
		step(4, "Thanks", conditions=opened, otherwise="Go To Step", otherwise_step="Offer"),
		step(5, "Never"),
		step(6, "Offer", label="Offer"),
	)
	enrollment = factories.enroll(campaign, contact, clock)
	for _day in range(6):
		factories.run(clock)
		run_actions.run(clock.now)
		clock.advance(days=1)

	line = progress.list_schedule(enrollment.reload(), clock.now)

	assert [(row["kind"], row["status"]) for row in line] == [
		("Email", "Sent"),
		("Way", "Branched"),
		("Action", "Done"),
		("Way", "Branched"),
		("Email", "Planned"),
	]
	assert (
		line[1]["reason"].startswith("Not met within 1 day: ")
		and line[2]["subject"] == "Add the tag “Drip Warm”"
	)
	assert line[3]["reason"] == "Not met: Welcome was opened. Continued at Offer."
	figures = get_results(campaign.name)["steps"]
	assert [(row["sent"], row["acted"], row["moved_on"]) for row in figures] == [
		*((1, 0, 0), (0, 0, 1), (0, 1, 0), (0, 0, 1), (0, 0, 0), (0, 0, 0)),
	]


def test_webhook_that_does_not_answer_or_whose_worker_dies_is_in_doubt_and_not_called_again(receiver, clock):
	campaign = factories.make_active_campaign(clock, action("Call Webhook", webhook=HOOK), step(9))
	silent, killed = (factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2))
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.db.set_value(
		"Drip Action",
		{"enrollment": killed.name},
		{"status": "Running", "modified": to_site(clock.now)},
		update_modified=False,
	)
	frappe.db.commit()
	receiver.is_silent = True
	run_actions.run(clock.now)
	receiver.is_silent = False

	clock.advance(hours=1)
	for _ in range(2):
		run_actions.run(clock.now)

	assert {status for status, _outcome in deeds(campaign)} == {"In Doubt"}
	assert len(receiver.calls) == 1
	assert (
		"may have arrived" in silent.reload().last_error and "may have arrived" in killed.reload().last_error
	)


def test_webhook_whose_answer_never_ends_is_done_with_its_status(receiver, clock, contact):
	campaign = factories.make_active_campaign(clock, action("Call Webhook", webhook=HOOK), step(9))
	factories.enroll(campaign, contact, clock)
	receiver.ends.clear()

	act(clock)

	assert deeds(campaign) == [("Done", f"Webhook {HOOK} was called: 200 OK")]


def test_webhooks_come_after_all_else_and_what_there_is_no_time_for_is_left_to_a_job(
	receiver, clock, contact, monkeypatch
):
	calling = factories.make_active_campaign(clock, action("Call Webhook", webhook=HOOK), step(9))
	tagging = factories.make_active_campaign(clock, action("Add Tag", action_tag="Drip Warm"), step(9))
	for campaign, person in ((calling, contact), (calling, factories.make_contact()), (tagging, contact)):
		factories.enroll(campaign, person, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.db.commit()
	send, tagged = webhooks.send, []
	monkeypatch.setattr(webhooks, "send", lambda call: tagged.append(tags_of(contact)) or send(call))

	factories.drop_jobs()
	run_actions.run_briefly(clock.now, 0)
	untouched = {status for campaign in (calling, tagging) for status, _outcome in deeds(campaign)}
	called = [job for queue in get_queues() for job in queue.jobs if run_actions.WORK_JOB in str(job.kwargs)]
	factories.drop_jobs()
	run_actions.run_briefly(clock.now, 60)
	called_again = [
		job for queue in get_queues() for job in queue.jobs if run_actions.WORK_JOB in str(job.kwargs)
	]

	assert (untouched, len(called), called_again) == ({"Waiting"}, 1, [])
	assert tagged == [{"Drip Warm"}, {"Drip Warm"}] and len(receiver.calls) == 2
	assert {status for status, _outcome in deeds(calling)} == {"Done"}


def test_field_of_a_level_that_the_owner_has_lost_fails_the_action_and_is_not_called_set(
	site, clock, contact
):
	owner = factories.make_user("level", "Drip Manager", "Sales Manager", "Sales User", "System Manager")
	setting = action("Set Field", action_doctype="Contact", action_field="department", action_value="x")
	campaign = factories.make_campaign(setting, step(9))
	campaign.db_set("owner", owner)
	lifecycle.activate(campaign.reload(), clock.now)
	enrollment = factories.enroll(campaign, contact, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	level = make_property_setter(
		"Contact", "department", "permlevel", 7, "Int", validate_fields_for_doctype=False
	)
	frappe.clear_cache(doctype="Contact")
	frappe.db.commit()

	for _turn in range(10):
		run_actions.run(clock.now)
		clock.advance(hours=12)

	level.delete()
	frappe.clear_cache(doctype="Contact")
	frappe.db.commit()
	assert [status for status, _outcome in deeds(campaign)] == ["Failed"]
	assert not contact.reload().department
	assert f"{owner} may not do this for Contact {contact.name}" in enrollment.reload().last_error


def test_owner_without_the_right_is_told_at_activation_and_holds_the_campaign_when_it_is_lost(
	site, clock, contact
):
	owner = factories.make_user("weak", "Drip Manager")
	tagging = action("Set Field", action_doctype="Contact", action_field="department", action_value="x")
	campaign = factories.make_campaign(tagging, step(9))
	campaign.db_set("owner", owner)
	frappe.db.commit()
	with pytest.raises(Exception) as caught:
		lifecycle.activate(campaign.reload(), clock.now)
	frappe.db.rollback()
	assert f"{owner} has no right to write Contact records" in str(caught.value)

	factories.make_user("weak", "Drip Manager", "Sales Manager", "Sales User", "System Manager")
	lifecycle.activate(campaign.reload(), clock.now)
	factories.enroll(campaign, contact, clock)
	factories.make_user("weak", "Drip Manager")
	act(clock)

	campaign.reload()
	assert campaign.status == "Paused" and "has no right to write Contact" in campaign.pause_reason
	assert deeds(campaign) == [("Waiting", None)] and not contact.reload().department
	assert frappe.session.user == "Administrator"


def test_who_may_edit_a_campaign_cannot_let_its_owner_do_what_they_may_not(site):
	factories.make_user("editor", "Drip Manager")
	campaign = factories.make_campaign(step(0))
	frappe.db.commit()
	frappe.set_user(f"editor@{DOMAIN}")
	values = json.dumps({"role_name": "Drip Test Role"})

	campaign.append("steps", action("Create Document", action_doctype="Role", action_values=values))
	with pytest.raises(frappe.ValidationError) as caught:
		campaign.save()

	assert "has no right to create Role records" in str(caught.value)


@pytest.mark.parametrize(
	("step_of", "said"),
	[
		({"action": ""}, "Action is empty"),
		({"action": "Add Tag"}, "Tag is empty"),
		(
			{"action": "Set Field", "action_doctype": "Contact", "action_field": "nonsense"},
			"no field nonsense",
		),
		({"action": "Set Field", "action_doctype": "Contact", "action_field": "full_name"}, "is read only"),
		({"action": "Set Field", "action_doctype": "ToDo", "action_field": "status"}, "cannot be enrolled"),
		({"action": "Create Document", "action_doctype": "ToDo", "action_values": "[1]"}, "cannot be read"),
		({"action": "Create Document", "action_doctype": "ToDo", "action_values": '{"x": 1}'}, "no field x"),
		(
			{
				"action": "Notify User",
				"action_user": "Administrator",
				"action_text": "{{ frappe.db }}{{ x }}",
			},
			"x }} is not known",
		),
		(
			{"action": "Assign ToDo", "assign_to": "Round Robin", "action_users": "a@b.example"},
			"User a@b.example is disabled",
		),
		({"action": "Assign ToDo"}, "No user is chosen"),
		(
			{
				"action": "Set Field",
				"action_doctype": "Contact",
				"action_field": "status",
				"action_value": "Warm",
			},
			"Step 2: “Warm” isn't an option for Status. Choose one of: Passive, Open, Replied.",
		),
		(
			{
				"action": "Create Document",
				"action_doctype": "ToDo",
				"action_values": '{"description": "Call", "date": "soon"}',
			},
			"Step 2: Due Date needs a date; “soon” isn't one. Write it as 2026-12-31.",
		),
	],
	ids=lambda value: value if isinstance(value, str) else "",
)
def test_action_that_cannot_be_done_is_refused(site, step_of, said):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(step(0), {"step_type": "Action", **step_of})

	assert said in str(caught.value)


def test_mandatory_field_that_a_new_document_would_lack_is_told_and_the_campaign_is_saved(site):
	frappe.clear_messages()
	values = [json.dumps(fields) for fields in ({"priority": "High"}, {"description": "Call {{ doc.name }}"})]

	campaign = factories.make_campaign(
		step(0),
		*(action("Create Document", action_doctype="ToDo", action_values=text) for text in values),
	)

	told = [message["message"] for message in frappe.get_message_log()]
	assert told == [
		"Step 2: ToDo needs Description, but Values leaves it empty. Press Set Values in the step."
	]
	assert frappe.db.exists("Drip Campaign", campaign.name)


def test_campaigns_that_enroll_in_each_other_are_refused(site, clock):
	first = factories.make_campaign(step(0))
	second = factories.make_campaign(step(0), action("Enroll in Campaign", action_campaign=first.name))

	with pytest.raises(frappe.ValidationError) as caught:
		first.append("steps", action("Enroll in Campaign", action_campaign=second.name))
		first.save()

	assert "start each other forever" in str(caught.value)


def test_list_that_was_deleted_fails_the_action_visibly_and_stops_nobody(site, smtp, clock, contact):
	gone = factories.make_list()
	campaign = factories.make_active_campaign(clock, action("Add to List", action_list=gone.name), step(0))
	enrollment = factories.enroll(campaign, contact, clock)
	frappe.db.delete("Drip Target List", gone.name)

	factories.run(clock)
	for _turn in range(10):
		act(clock)
		clock.advance(hours=12)

	((status, outcome),) = deeds(campaign)
	assert status == "Failed" and "no longer exists. Choose another one" in outcome
	assert [message.recipient for message in smtp.messages] == [contact.email_id]
	assert enrollment.reload().last_error == outcome


def test_same_action_written_twice_is_one(site, clock, contact):
	campaign = factories.make_active_campaign(clock, action("Add Tag", action_tag="Drip Warm"), step(9))
	enrollment = factories.enroll(campaign, contact, clock)
	task = ActionTask(campaign.steps[0], enrollment.as_dict(), clock.now)

	for _ in range(2):
		record_actions([task], clock.now)

	assert factories.count("Drip Action") == 1
	assert action_rows.find_due_campaigns(to_site(clock.now)) == [campaign.name]


@pytest.mark.parametrize(
	"does",
	[
		action("Add Tag", action_tag="Drip Warm"),
		action("Assign ToDo", action_user="Administrator"),
		action("Notify User", action_user="Administrator", action_text="{{ doc.first_name }}"),
		action("Call Webhook", webhook=HOOK),
	],
	ids=lambda does: does["action"],
)
def test_owner_who_may_not_touch_one_record_any_more_fails_its_action_with_cause_and_remedy(
	receiver, clock, does
):
	owner = factories.make_user("narrow", "Drip Manager", "Sales Manager", "Sales User", "System Manager")
	lost, kept = factories.make_contact("Lost"), factories.make_contact("Kept")
	campaign = factories.make_campaign(does, step(9))
	campaign.db_set("owner", owner)
	lifecycle.activate(campaign.reload(), clock.now)
	enrollment = factories.enroll(campaign, lost, clock)
	factories.enroll(campaign, kept, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	allowed = frappe.get_doc(doctype="User Permission", user=owner, allow="Contact", for_value=kept.name)
	allowed.insert()
	frappe.db.commit()

	for _turn in range(10):
		run_actions.run(clock.now)
		clock.advance(hours=12)

	allowed.delete()
	frappe.db.commit()
	became = dict(
		frappe.get_all("Drip Action", {"campaign": campaign.name}, ["recipient", "status"], as_list=True)
	)
	assert became == {lost.name: "Failed", kept.name: "Done"}
	assert enrollment.reload().last_error == (
		f"{owner} may not do this for Contact {lost.name}. "
		f"Give {owner} the right, or assign another owner to the campaign."
	)
	assert tags_of(lost) == set() and factories.count("ToDo", reference_name=lost.name) == 0


@pytest.mark.parametrize(
	"named",
	[
		{"webhook_json": '{"who": "{{ doc.department }}"}'},
		{"webhook_json": '{"who": "{{ doc.get(\'department\') }}"}'},
		{"request_url": "{{ doc.department }}", "is_dynamic_url": 1},
	],
)
def test_webhook_that_names_a_field_which_the_owner_may_not_read_pauses_the_campaign(
	named, receiver, clock, contact
):
	owner = factories.make_user("level", "Drip Manager", "Sales Manager", "Sales User", "System Manager")
	campaign = factories.make_campaign(action("Call Webhook", webhook=HOOK), step(9))
	campaign.db_set("owner", owner)
	frappe.db.set_value("Webhook", HOOK, named)
	lifecycle.activate(campaign.reload(), clock.now)
	factories.enroll(campaign, contact, clock)
	level = make_property_setter(
		"Contact", "department", "permlevel", 7, "Int", validate_fields_for_doctype=False
	)
	frappe.clear_cache(doctype="Contact")
	frappe.db.commit()

	act(clock)

	level.delete()
	frappe.clear_cache(doctype="Contact")
	frappe.db.commit()
	assert campaign.reload().status == "Paused" and receiver.calls == []
	assert [status for status, _outcome in deeds(campaign)] == ["Waiting"]
	assert "may not read department of Contact" in campaign.pause_reason
