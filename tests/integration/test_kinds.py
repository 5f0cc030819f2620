"""A kind of trigger, action or condition is one file: registered, it is offered, checked, described and done everywhere."""

import json
import re
from dataclasses import dataclass
from datetime import time
from pathlib import Path

import frappe
import pytest
from frappe.custom.doctype.property_setter.property_setter import make_property_setter

from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.kind import Action, quote
from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.api import boot, campaign_templates, editing
from drip_campaigns.core.flow.condition_test import MembershipTest
from drip_campaigns.core.flow.conditions import read_conditions
from drip_campaigns.core.flow.wait_kind import Awaited, end_at
from drip_campaigns.core.json_fields import Fields
from drip_campaigns.core.schedule.wall_clock import next_time_of_day
from drip_campaigns.jobs import dispatch_due, run_actions
from drip_campaigns.plans.condition_kind import MembershipKind
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.plans.flow_labels import describe_flow, describe_step
from drip_campaigns.plans.wait_kind import WaitKind
from drip_campaigns.triggers import trigger_cache
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import TriggerKind, is_new, make_firing
from drip_campaigns.triggers.registry import TRIGGER_KINDS
from tests import factories
from tests.factories import step
from tests.trigger_steps import enrolled, make_campaign, trigger, work_off

PACKAGE = Path(frappe.get_module("drip_campaigns").__file__).parent
LABELS_OF_WAITS = ("Field Value", "Date Field", "Clock Time")  # the others are also events of the log
HERE = "tests.integration.test_kinds"


class NoteWritten(TriggerKind):
	"""Enrolls the Contact that a Note names in its title."""

	label = "Note Written"
	needed = ("event_name",)
	watches = "Note"

	def describe(self, row) -> str:
		return f"When a Note contains {row.event_name}"

	def find_problems(self, row):
		if len(row.event_name) < 3:
			yield "Event Name is too short. Enter 3 letters or more."

	def match(self, document, trigger) -> Firing | None:
		is_meant = is_new(document) and trigger.event_name in (document.content or "")
		return make_firing(document, trigger, "written") if is_meant else None

	def find_people(self, trigger, rows):
		people = super().find_people(trigger, rows)
		return {
			name: one._replace(recipient_type="Contact", recipient=_title(one))
			for name, one in people.items()
		}


class AddComment(Action):
	"""Adds a comment to the recipient's record."""

	label = "Add Comment"
	needed = ("action_text",)

	def describe(self, step) -> str:
		return f"Add the comment {quote(step.action_text)}"

	def find_problems(self, campaign, step):
		if "@" in step.action_text:
			yield "Text must not mention anybody. Remove the @."

	def do(self, context: ActionContext) -> ActionResult:
		document = frappe.get_doc(context.row.recipient_type, context.row.recipient)
		comment = document.add_comment("Comment", context.html(context.step.action_text))
		return ActionResult(f"Commented on {context.who}", "Comment", comment.name)


class MentionTest(MembershipTest):
	"""Asks whether a Note mentions the recipient's record."""

	kind = "mention"


class MentionCondition(MembershipKind):
	"""The Note must exist."""

	test = MentionTest
	label = "Mentioned in Note"
	doctype = "Note"

	def describe(self, test: MentionTest) -> str:
		return f"is mentioned in {test.name}"

	def load(self, batch):
		"""Load the Notes that mention each record."""
		asked = {"name": ["in", [test.name for test in batch.tests_of(MentionTest)]]}
		notes = frappe.get_all("Note", filters=asked, fields=["name", "content"])
		return {
			person: {note.name for note in notes if person[1] in note.content} for person in batch.recipients
		}


@dataclass(frozen=True)
class MidnightWait(Awaited):
	"""Ends at midnight on the recipient's clock."""

	kinds = ("Midnight",)

	@classmethod
	def take(cls, fields: Fields, kind: str, **limit) -> "MidnightWait":
		return cls(**limit)

	def look(self, waiting):
		return end_at(self.find_end(waiting.began, waiting.zone), waiting)

	def find_end(self, began, zone):
		return next_time_of_day(began, time.min, zone)


class MidnightKind(WaitKind):
	"""Needs no field."""

	awaited = MidnightWait

	def describe(self, awaited: MidnightWait) -> str:
		return "midnight"


def _title(person) -> str:
	return frappe.db.get_value("Note", person.recipient, "title")


@pytest.fixture
def added_kinds(site, monkeypatch):
	"""The kinds above, as another app would add them: a hook, and an option of the Select field."""
	added = {
		"drip_trigger_kinds": NoteWritten,
		"drip_action_kinds": AddComment,
		"drip_condition_kinds": MentionCondition,
		"drip_wait_kinds": MidnightKind,
	}
	hooks = {hook: [f"{HERE}.{kind.__name__}"] for hook, kind in added.items()}
	get_hooks = frappe.get_hooks
	monkeypatch.setattr(
		frappe,
		"get_hooks",
		lambda hook=None, *rest, **more: hooks.get(hook) or get_hooks(hook, *rest, **more),
	)
	get_attr = frappe.get_attr  # which on Frappe 15 serves only installed apps
	ours = {f"{HERE}.{kind.__name__}": kind for kind in added.values()}
	monkeypatch.setattr(frappe, "get_attr", lambda path: ours[path] if path in ours else get_attr(path))
	fields = (
		("Drip Campaign Trigger", "kind", NoteWritten.label),
		("Drip Campaign Step", "action", AddComment.label),
		("Drip Action", "action", AddComment.label),
		("Drip Campaign Step", "wait_for", "Midnight"),
	)
	setters = []
	for doctype, field, label in fields:
		options = f"{frappe.get_meta(doctype).get_field(field).options}\n{label}"
		setters.append(make_property_setter(doctype, field, "options", options, "Text"))
	frappe.db.commit()
	yield
	frappe.db.rollback()
	for setter in setters:
		setter.delete()
	frappe.db.delete("Note", {"content": ["like", "%trial%"]})
	frappe.db.delete("Comment", {"content": "Ada is warm"})
	frappe.db.commit()
	trigger_cache.forget()


def test_trigger_of_an_added_kind_is_described_checked_offered_and_fires(added_kinds, clock):
	with pytest.raises(frappe.ValidationError, match="Event Name is too short"):
		factories.make_campaign(triggers=[trigger(NoteWritten.label, event_name="ab")])
	campaign = make_campaign(clock, trigger(NoteWritten.label, event_name="trial"))
	contact = factories.make_contact()

	for content in ("a trial has begun", "nothing"):
		frappe.get_doc(doctype="Note", title=f"{contact.name}", content=content).insert()
	work_off(clock)

	assert campaign.triggers[0].sentence == "When a Note contains trial"
	assert enrolled(campaign) == [contact.name]
	bootinfo = {}
	boot.add_kinds(bootinfo)
	assert bootinfo["drip_kinds"]["needs"]["event_name"] == ["API Call", NoteWritten.label]


def test_action_of_an_added_kind_is_described_checked_offered_and_done(added_kinds, smtp, clock):
	comment = {"step_type": "Action", "action": AddComment.label}
	with pytest.raises(frappe.ValidationError, match="Text must not mention anybody"):
		factories.make_campaign({**comment, "action_text": "@ada"})
	with pytest.raises(frappe.ValidationError, match="Text is empty"):
		factories.make_campaign(comment)
	text = "{{ recipient.first_name }} is warm"
	campaign = factories.make_active_campaign(clock, {**comment, "action_text": text}, step(3))
	contact = factories.make_contact("Ada")
	factories.enroll(campaign, contact, clock)

	for _ in range(2):
		dispatch_due.dispatch(clock.now, enqueue_delivery=False)
		frappe.db.commit()
		run_actions.run(clock.now)

	assert campaign.steps[0].sentence == "Add the comment “[first name] is warm”"
	filters = {"reference_doctype": "Contact", "reference_name": contact.name, "comment_type": "Comment"}
	assert frappe.get_all("Comment", filters=filters, pluck="content") == ["Ada is warm"]
	bootinfo = {}
	boot.add_kinds(bootinfo)
	assert AddComment.label in bootinfo["drip_kinds"]["uses"]["action_text"]


def test_condition_and_wait_of_added_kinds_are_described_offered_and_decide(added_kinds, smtp, clock):
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")
	note = frappe.get_doc(doctype="Note", title="trial", content=f"trial of {ada.name}").insert()
	conditions = json.dumps({"tests": [{"kind": "mention", "mention": note.name}]})
	campaign = factories.make_active_campaign(
		clock, {"step_type": "Wait Until", "wait_for": "Midnight"}, step(0, conditions=conditions)
	)
	for contact in (ada, bob):
		factories.enroll(campaign, contact, clock)

	factories.run(clock)
	before_midnight = len(smtp.messages)
	clock.advance(days=1)
	factories.run(clock)

	assert (before_midnight, [mail.recipient for mail in smtp.messages]) == (0, [ada.email_id])
	assert describe_step(campaign.steps[0]) == "Wait until midnight"
	assert describe_flow(campaign.steps[1]) == f"If is mentioned in {note.name}, else skip"
	bootinfo = {}
	boot.add_kinds(bootinfo)
	assert bootinfo["drip_kinds"]["conditions"]["doctypes"]["mention"] == "Note"
	with pytest.raises(frappe.ValidationError, match="wait_for must be one of: .*midnight"):
		factories.make_campaign({"step_type": "Wait Until", "wait_for": "Noon"})


def test_campaign_with_added_kinds_is_exported_and_imported(added_kinds):
	note = frappe.get_doc(doctype="Note", title="trial", content="trial").insert()
	campaign = factories.make_campaign(
		{"step_type": "Action", "action": AddComment.label, "action_text": "Hi"},
		{"step_type": "Wait Until", "wait_for": "Midnight"},
		step(0, conditions=json.dumps({"tests": [{"kind": "mention", "mention": note.name}]})),
	)
	exported = campaign_templates.export_campaign(campaign.name)

	made = campaign_templates.import_campaign(exported["text"], "Drip Test Copy")

	copy = frappe.get_doc("Drip Campaign", made["campaign"])
	assert made["left_out"] == []
	assert (copy.steps[0].action, copy.steps[1].wait_for) == (AddComment.label, "Midnight")
	assert not any(row.is_draft for row in copy.steps)


def test_imported_steps_whose_app_is_missing_become_drafts(site):
	content = {
		**{"format": "drip-campaign", "version": 1, "title": "Drip Test Lacking"},
		"steps": [
			step(0),
			{"step_type": "Action", "action": "Add Comment"},
			{"step_type": "Wait Until", "wait_for": "Midnight"},
		],
	}

	made = campaign_templates.import_campaign(json.dumps(content))

	sentence = "Step {}: the app that adds “{}” isn't installed. Choose another kind, and release the step."
	assert made["left_out"] == [sentence.format(2, "Add Comment"), sentence.format(3, "Midnight")]
	steps = frappe.get_doc("Drip Campaign", made["campaign"]).steps
	assert [row.is_draft for row in steps] == [0, 1, 1]


def test_trigger_of_a_kind_whose_app_is_gone_disturbs_no_other(site, clock):
	frappe.get_doc(doctype="Tag", name="Hot").insert(ignore_if_duplicate=True)
	campaign = make_campaign(clock, trigger("Record Created"), trigger("Tag Added", tag="Hot"))
	frappe.db.set_value("Drip Campaign Trigger", campaign.triggers[1].name, "kind", "Of Another App")
	trigger_cache.publish()

	contact = factories.make_contact()
	work_off(clock)

	assert enrolled(campaign) == [contact.name]
	with pytest.raises(frappe.ValidationError, match="“Of Another App” isn't a known kind"):
		campaign.reload().save()


def test_options_of_actions_are_the_labels_of_the_registry(site):
	for doctype in ("Drip Campaign Step", "Drip Action"):
		options = frappe.get_meta(doctype).get_field("action").options
		assert [option for option in options.split("\n") if option] == list(ACTION_KINDS.all())


def test_label_of_a_kind_is_written_in_its_own_file_alone(site):
	labels = [*TRIGGER_KINDS.all(), *ACTION_KINDS.all(), *LABELS_OF_WAITS]
	sources = [
		*PACKAGE.rglob("*.py"),
		*(path for path in PACKAGE.rglob("*.js") if "node_modules" not in path.parts),
	]
	named: dict[str, set[str]] = {label: set() for label in labels}
	for path in sources:
		text = path.read_text(encoding="utf-8")
		for label in labels:
			if re.search(rf"""["']{re.escape(label)}["']""", text):
				named[label].add(path.relative_to(PACKAGE).as_posix())

	for label in LABELS_OF_WAITS:
		assert named.pop(label) == {"core/flow/wait_kind.py"}, label
	for label in ACTION_KINDS.all():
		assert named.pop(label) == {"core/flow/actions.py"}, label
	for label, files in named.items():
		name = label.lower().replace(" ", "_").replace("-", "_")
		assert files == {f"triggers/kinds/{name}.py"}, label


def test_fields_that_a_form_shows_for_a_kind_are_those_of_the_kind(site):
	bootinfo = {}
	boot.add_kinds(bootinfo)
	uses, needs = bootinfo["drip_kinds"]["uses"], bootinfo["drip_kinds"]["needs"]
	for doctype in ("Drip Campaign Trigger", "Drip Campaign Step"):
		for field in frappe.get_meta(doctype).fields:
			shown = re.findall(r"drip_kinds\.uses\.(\w+)", field.depends_on or "")
			needed = re.findall(r"drip_kinds\.(needs|uses)\.(\w+)", field.mandatory_depends_on or "")
			assert set(shown) <= set(uses), field.fieldname
			assert all(name in (needs if table == "needs" else uses) for table, name in needed), (
				field.fieldname
			)
			if field.fieldname in uses and field.fieldname != "recipient_type":
				assert field.fieldname in shown, field.fieldname


def test_every_condition_kind_is_read_described_and_offered(site):
	values = {
		"field": {"field": "status", "operator": "is", "value": "set", "link": "user", "doctype": "Contact"},
		"event": {"event": "replied", "step": "Hello", "negated": True},
		"tag": {"tag": "Hot"},
		"list": {"list": "News", "negated": True},
		"group": {"group": "Fans"},
		"campaign": {"campaign": "Spring", "stands": "ever", "negated": True},
		"expression": {"expression": "doc.status"},
	}
	tests = [{"kind": kind, **values[kind]} for kind in CONDITION_KINDS.all()]

	conditions = read_conditions({"tests": tests}, "")

	assert [CONDITION_KINDS.get(test.kind).describe(test) for test in conditions.tests] == [
		"User → Status is set",
		"Hello got no reply",
		"has the tag Hot",
		"isn't on the list News",
		"is in the Email Group Fans",
		"was never in campaign Spring",
		"doc.status",
	]
	bootinfo = {}
	boot.add_kinds(bootinfo)
	offered = bootinfo["drip_kinds"]["conditions"]
	assert list(offered["labels"]) == list(offered["doctypes"]) == ["tag", "list", "group", "campaign"]


def test_steps_of_a_form_are_described_before_they_are_saved(site):
	conditions = json.dumps({"match": "any", "tests": [{"kind": "tag", "tag": "Hot"}]})
	steps = [
		{"name": "new-1", "step_type": "Send Email", "conditions": conditions, "next_step": "Offer"},
		{"name": "new-2", "step_type": "Action", "action": "Add Tag", "action_tag": "Warm"},
		{"name": "new-3", "step_type": "Wait Until", "wait_for": "Clicked", "wait_limit_days": 3},
		{"name": "new-4", "step_type": "Wait Until", "wait_for": "Field Value"},
		{"name": "new-5", "step_type": "End"},
	]

	described = editing.describe_steps(json.dumps(steps))

	assert described["new-1"] == {
		"action": "",
		"flow": "If has the tag Hot, else skip; Then go to Offer",
		"conditions": ["has the tag Hot"],
	}
	assert [described[f"new-{number}"]["action"] for number in (2, 3, 4, 5)] == [
		"Add the tag “Warm”",
		"Wait until a link in an email was clicked",
		"Wait Until",
		"End",
	]
	assert described["new-3"]["flow"] == "At most 3 days, else continue"
	with pytest.raises(frappe.ValidationError, match="Send a JSON list of steps"):
		editing.describe_steps('[{"label": "x"}]')
