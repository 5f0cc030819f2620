"""Templates: each of ours renders and makes a draft; own ones are saved, exported without people, and imported as drafts."""

import json
from zoneinfo import ZoneInfo

import frappe
import pytest
from frappe.utils.data import get_system_timezone

from drip_campaigns.api import campaign_templates as api
from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.step_days import list_step_days
from drip_campaigns.campaign_templates import catalog
from tests import factories
from tests.factories import DOMAIN
from tests.receiver import make_webhook

OURS = [
	"welcome_series",
	"birthday",
	"purchase_thank_you",
	"trial_onboarding",
	"win_back",
	"event_countdown",
	"renewal_reminder",
]
HOURS = {"welcome_series": [0, 24, 168], "purchase_thank_you": [0, 72], "birthday": [0]}


@pytest.mark.parametrize("key", OURS)
def test_each_of_ours_renders_every_e_mail_and_makes_a_draft_that_can_be_activated(key, site, clock, smtp):
	template = catalog.find_template(f"built-in:{key}")

	rendered = [
		api.preview_template(template.key, number) for number in range(len(template.content["steps"]))
	]
	made = api.create_from_template(template.key, f"Drip Test {key}")
	campaign = frappe.get_doc("Drip Campaign", made["campaign"])
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	lifecycle.activate(campaign, clock.now)
	frappe.db.commit()
	clock.now = clock.now.astimezone(ZoneInfo(get_system_timezone())).replace(hour=10)  # in its window
	factories.enroll(campaign.reload(), contact, clock)
	factories.run(clock)

	for mail in rendered:
		assert "Maria" in mail["html"]
		assert "{{" not in mail["subject"] + mail["html"]
	assert len(smtp.messages) == 1
	assert "Hello Ada" in smtp.messages[0].part("plain")


def test_gallery_has_ours_in_their_order_with_schedule_and_preview(site):
	cards = {card["key"].removeprefix("built-in:"): card for card in api.list_templates()}

	assert list(cards) == OURS
	for key, hours in HOURS.items():
		assert [step["hours"] for step in cards[key]["steps"]] == hours
	assert all("<html" in card["html"] for card in cards.values())


def test_gallery_shows_the_days_that_the_form_shows(site):
	content = {
		"format": "drip-campaign",
		"version": 1,
		"title": "Drip Test Days",
		"steps": [
			{"step_type": "Action", "action": "Add Tag", "action_tag": "Left", "run_when": "On Exit"},
			{"subject": "Last", "message": "<p>x</p>", "send_after_days": 9, "label": "Last"},
			{"subject": "Hello", "message": "<p>x</p>", "label": "Hello"},
			{
				**{"step_type": "Wait Until", "wait_for": "Opened", "wait_step": "Hello"},
				**{"send_after_days": 1, "wait_limit_days": 2},
			},
			{"subject": "Soon", "message": "<p>x</p>", "send_after_days": 1, "counted_from": "Previous Step"},
		],
	}
	made = api.import_campaign(json.dumps(content), "Drip Test Days")
	campaign = frappe.get_doc("Drip Campaign", made["campaign"])
	template = api.save_as_template(campaign.name, "Drip Test Days", "")["template"]

	card = next(card for card in api.list_templates() if card["key"] == template)

	of_form = {row.name: row.idx - 1 for row in campaign.steps}
	days = [(of_form[day["step"]], day["when"]) for day in list_step_days(campaign)]
	assert [(step["number"], step["when"]) for step in card["steps"]] == [*days, (0, "")]
	assert [when for _number, when in days] == ["Day 0", "Day 1", "Day 2–4", "Day 9–11"]
	assert (card["shown"], card["subject"]) == (2, "Hello")


def test_text_without_a_first_name_reads_well(site, clock, smtp):
	made = api.create_from_template("built-in:welcome_series", "Drip Test nameless")
	step = frappe.get_doc("Drip Campaign", made["campaign"]).steps[0]

	assert "{% if recipient.first_name %}" in step.subject


def test_trigger_that_the_site_has_no_use_for_is_left_out_and_said(site):
	made = api.create_from_template("built-in:purchase_thank_you", "Drip Test bought")

	if frappe.db.exists("DocType", "Sales Invoice"):
		assert made["left_out"] == []
	else:
		assert made["left_out"] == ["When a Sales Invoice is submitted"]


@pytest.fixture
def campaign(site):
	"""A campaign with people, lists, an Email Template, triggers and filters."""
	factories.make_email_template("Drip Test Text", "From {{ sender_name }}", "<p>Templated</p>")
	frappe.get_doc(doctype="Tag", name="Hot").insert(ignore_if_duplicate=True)
	target_list = factories.make_list("Drip Test Secret List")
	secret = json.dumps([["Contact", "email_id", "=", f"vip@{DOMAIN}"]])
	return factories.make_campaign(
		factories.step(0),
		{"send_after_days": 3, "email_template": "Drip Test Text"},
		name="Drip Test Mine",
		sender="Administrator",
		target_lists=[{"target_list": target_list.name}],
		exclusions=[{"kind": "Email Address", "value": f"rival@{DOMAIN}"}],
		triggers=[
			{"kind": "Tag Added", "recipient_type": "Contact", "tag": "Hot"},
			{"kind": "Record Created", "recipient_type": "Contact", "filters": secret},
			{"kind": "Joined Target List", "target_list": target_list.name},
		],
		if_late="Keep Dates",
	)


def test_exported_campaign_has_no_people_senders_or_lists_and_comes_back_as_a_draft(campaign):
	exported = api.export_campaign(campaign.name)

	for secret in ("vip@", "rival@", "Administrator", "Secret List"):
		assert secret not in exported["text"]
	made = api.import_campaign(exported["text"], "Drip Test Copy")
	copy = frappe.get_doc("Drip Campaign", made["campaign"])
	assert exported["file_name"] == "drip_test_mine.json"
	assert (copy.status, copy.if_late, copy.sender) == ("Draft", "Keep Dates", None)
	assert [row.subject for row in copy.steps] == ["Day 0", "From {{ sender_name }}"]
	assert copy.steps[1].message_html == "<p>Templated</p>"
	assert [row.kind for row in copy.triggers] == ["Tag Added"]


def test_exporting_what_was_imported_gives_the_same_file(campaign):
	first = json.loads(api.export_campaign(campaign.name)["text"])
	made = api.import_campaign(json.dumps(first), "Drip Test Copy")

	second = json.loads(api.export_campaign(made["campaign"])["text"])

	assert {**second, "title": ""} == {**first, "title": ""}


def test_own_campaign_is_in_the_gallery_once_it_is_saved_as_a_template(campaign):
	name = api.save_as_template(campaign.name, "Mine", "For us")["template"]

	card = api.list_templates()[-1]

	assert (card["key"], card["title"], card["is_own"]) == (name, "Mine", True)
	assert api.create_from_template(name, "Drip Test From Mine")["campaign"] == "Drip Test From Mine"


@pytest.mark.parametrize(
	("changes", "words"),
	[
		({"version": 99}, "newer version of the app"),
		({"secret": "x"}, "secret is unknown"),
		({"steps": [{"subject": "Hi", "message": "{{ frappe.db.sql('select 1') }}"}]}, ""),
		({"steps": [{"subject": "{{ nonsense }}", "message": "<p>x</p>"}]}, "nonsense"),
		({"campaign": {"if_late": "Explode"}}, "Explode"),
		({"campaign": {"window_from": "half past"}}, "half past"),
		({"triggers": [{"kind": "Explode"}]}, ""),
	],
)
def test_bad_file_makes_no_campaign_that_does_harm(site, changes, words):
	content = {
		"format": "drip-campaign",
		"version": 1,
		"title": "Drip Test Bad",
		"steps": [factories.step(0)],
	}
	before = factories.count("Drip Campaign")

	try:
		made = api.import_campaign(json.dumps({**content, **changes}))
	except frappe.ValidationError as error:
		assert words in str(error)
		assert factories.count("Drip Campaign") == before
	else:
		assert not words
		assert frappe.db.get_value("Drip Campaign", made["campaign"], "status") == "Draft"


def test_template_whose_text_does_not_render_shows_why(site):
	content = {
		"format": "drip-campaign",
		"version": 1,
		"title": "Odd",
		"steps": [factories.step(0, message="<p>{{ doc.nothing }}</p>")],
	}
	template = frappe.get_doc(
		doctype="Drip Campaign Template", title="Odd", definition=json.dumps(content)
	).insert()

	assert "nothing" in api.preview_template(template.name, 0)["html"]
	with pytest.raises(frappe.ValidationError):
		api.preview_template(template.name, 7)


def test_template_record_that_is_no_file_is_refused(site):
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc(doctype="Drip Campaign Template", title="Bad", definition="{}").insert()


@pytest.mark.parametrize(
	"method",
	[
		"list_templates",
		"preview_template",
		"create_from_template",
		"import_campaign",
		"save_as_template",
		"export_campaign",
	],
)
@pytest.mark.parametrize("who", ["stranger", "Guest"])
def test_templates_are_for_those_who_may_make_campaigns(method, who, campaign):
	user = "Guest" if who == "Guest" else factories.make_user("stranger", "Sales User")
	text = api.export_campaign(campaign.name)["text"]
	values = {
		"preview_template": {"template": "built-in:birthday", "number": 0},
		"create_from_template": {"template": "built-in:birthday", "campaign_name": "x"},
		"import_campaign": {"text": text},
		"save_as_template": {"campaign": campaign.name, "title": "x"},
		"export_campaign": {"campaign": campaign.name},
	}.get(method, {})
	frappe.set_user(user)

	with pytest.raises(frappe.PermissionError):
		getattr(api, method)(**values)


def test_unknown_template_is_an_error_that_says_so(site):
	with pytest.raises(frappe.ValidationError) as caught:
		api.create_from_template("built-in:../../etc/passwd", "x")

	assert "does not exist. Reload the page" in str(caught.value)


@pytest.fixture
def flow(site):
	"""A campaign with every kind of step, actions of every kind, variants, and rules by which people leave."""
	make_webhook("Drip Test Hook", "https://example.com/hook", "name")
	user = factories.make_user("flora", "Drip User")
	group = frappe.get_doc(doctype="Email Group", title="Drip Test Group").insert().name
	names = {
		"list": factories.make_list("Drip Test Named List").name,
		"campaign": factories.make_campaign(name="Drip Test Named Campaign").name,
	}
	tests = [
		{"kind": "field", "doctype": "Contact", "field": "status", "operator": "=", "value": "Open"},
		{"kind": "event", "event": "opened", "step": "First", "negated": True},
		{"kind": "list", "list": names["list"]},
		{"kind": "group", "group": group},
		{"kind": "campaign", "campaign": names["campaign"], "stands": "ever"},
		{"kind": "expression", "expression": "doc.first_name != 'x'"},
	]
	asks = [
		factories.step(2, f"On {test['kind']}", conditions=json.dumps({"match": "all", "tests": [test]}))
		for test in tests
	]
	values = json.dumps({"description": "For {{ doc.name }}"})
	yield factories.make_campaign(
		factories.step(0, "First", label="First", winner_by="Replies", winner_sample=40, control_weight=3),
		factories.step(1, "Second", in_thread=1, expires_after_hours=5),
		{"step_type": "Wait Until", "wait_for": "Replied", "wait_step": "First", "wait_limit_days": 3},
		*asks,
		act("Set Field", action_doctype="Contact", action_field="department", action_value="{{ doc.name }}"),
		act("Add Tag", action_tag="Hot"),
		act("Add to List", action_list=names["list"]),
		act("Enroll in Campaign", action_campaign=names["campaign"]),
		act("Assign ToDo", action_user=user, action_text="Call", due_in_days=2, wait_for_todo=1),
		act("Notify User", assign_to="Round Robin", action_users=f"{user}\nAdministrator", action_text="x"),
		act("Call Webhook", webhook="Drip Test Hook"),
		act("Create Document", action_doctype="ToDo", action_values=values),
		act("Remove Tag", action_tag="Hot", run_when="On Exit", on_exit_reason="Goal"),
		{"step_type": "End", "send_after_days": 30, "label": "The End"},
		name="Drip Test Flow",
		variants=[{"step_label": "First", "weight": 2, "subject": "Other", "message": "<p>Other</p>"}],
		continue_after_reply=1,
		exit_when_unmatched=1,
		goal="Record Matches",
		goal_recipient_type="Contact",
		goal_filters=json.dumps([["Contact", "status", "=", "Replied"]]),
		goal_within_days=14,
		priority=-2,
	)  # fmt: skip
	frappe.db.rollback()
	frappe.delete_doc("Webhook", "Drip Test Hook", force=True, ignore_missing=True)
	frappe.db.commit()


def act(kind: str, **fields) -> dict:
	"""Return the values of a step that acts."""
	return {"step_type": "Action", "action": kind, "send_after_days": 20, **fields}


def test_file_holds_the_whole_flow_and_comes_back_as_it_was(flow):
	exported = api.export_campaign(flow.name)["text"]

	made = api.import_campaign(exported, "Drip Test Copy")
	copy = frappe.get_doc("Drip Campaign", made["campaign"])
	again = json.loads(api.export_campaign(copy.name)["text"])

	assert made["left_out"] == [] and copy.status == "Draft"
	assert {**again, "title": ""} == {**json.loads(exported), "title": ""}
	ours = ("name", "parent", "creation", "modified", "owner", "modified_by")
	plain = [
		[
			{k: v or None for k, v in row.as_dict().items() if k not in ours}
			for row in (*doc.steps, *doc.variants)
		]
		for doc in (flow.reload(), copy)
	]
	assert plain[0] == plain[1]
	assert "In Thread" not in exported and json.loads(exported)["steps"][1]["in_thread"] == 1


def test_what_the_site_does_not_have_is_said_one_by_one_and_its_steps_are_drafts(flow):
	exported = api.export_campaign(flow.name)["text"]
	for name in ("Named List", "Named Campaign", "Group", "Hook"):
		exported = exported.replace(f"Drip Test {name}", f"Gone {name}")
	exported = exported.replace(f"flora@{DOMAIN}", "gone@example.com").replace(
		'\\"status\\"', '\\"gone_field\\"'
	)

	made = api.import_campaign(exported, "Drip Test Copy")
	copy = frappe.get_doc("Drip Campaign", made["campaign"])

	said = "\n".join(made["left_out"])
	for words in (
		*("has no field gone_field", "Step 6: Drip Target List Gone Named List doesn't exist"),
		*(
			"Step 7: Email Group Gone Group doesn't exist",
			"Step 8: Drip Campaign Gone Named Campaign doesn't exist",
		),
		*(
			"Step 12: Drip Target List Gone Named List does not exist",
			"Step 14: User gone@example.com does not exist",
		),
		*(
			"Step 15: User gone@example.com does not exist",
			"Step 16: Webhook Gone Hook does not exist",
			"Goal: ",
		),
	):
		assert words in said
	assert [row.idx for row in copy.steps if row.is_draft] == [4, 6, 7, 8, 12, 13, 14, 15, 16]
	assert copy.status == "Draft" and not copy.goal
	assert not any(copy.steps[number].conditions for number in (3, 5, 6, 7))
	assert copy.steps[14].action_users == "Administrator"
	copy.steps[11].is_draft = 0
	with pytest.raises(frappe.ValidationError, match="Step 12: List is empty|Target List is empty"):
		copy.save()


def test_template_with_steps_that_are_no_e_mails_is_shown_in_the_gallery(flow):
	name = api.save_as_template(flow.name, "Whole Flow", "")["template"]

	card = next(card for card in api.list_templates() if card["key"] == name)

	assert len(card["steps"]) == len(flow.steps) and card["subject"] == "First"
	assert "Add the tag “Hot”" in [step["subject"] for step in card["steps"]]
	assert "Add the tag “Hot”" in api.preview_template(name, 10)["html"]
