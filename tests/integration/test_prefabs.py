"""Prefabs: each of ours renders and makes a draft; own ones are saved, exported without people, and imported as drafts."""

import json
from zoneinfo import ZoneInfo

import frappe
import pytest
from frappe.utils.data import get_system_timezone

from drip_campaigns.api import prefabs as api
from drip_campaigns.campaign import lifecycle
from drip_campaigns.prefabs import catalog
from tests import factories
from tests.factories import DOMAIN

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
	prefab = catalog.find_prefab(f"built-in:{key}")

	rendered = [api.preview_prefab(prefab.key, number) for number in range(len(prefab.content["steps"]))]
	made = api.create_from_prefab(prefab.key, f"Drip Test {key}")
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
	cards = {card["key"].removeprefix("built-in:"): card for card in api.list_prefabs()}

	assert list(cards) == OURS
	for key, hours in HOURS.items():
		assert [step["hours"] for step in cards[key]["steps"]] == hours
	assert all("<html" in card["html"] for card in cards.values())


def test_text_without_a_first_name_reads_well(site, clock, smtp):
	made = api.create_from_prefab("built-in:welcome_series", "Drip Test nameless")
	step = frappe.get_doc("Drip Campaign", made["campaign"]).steps[0]

	assert "{% if recipient.first_name %}" in step.subject


def test_trigger_that_the_site_has_no_use_for_is_left_out_and_said(site):
	made = api.create_from_prefab("built-in:purchase_thank_you", "Drip Test bought")

	if frappe.db.exists("DocType", "Sales Invoice"):
		assert made["left_out"] == []
	else:
		assert made["left_out"] == ["When a Sales Invoice is submitted"]


@pytest.fixture
def campaign(site):
	"""A campaign with people, lists, an Email Template, triggers and filters."""
	frappe.get_doc(
		doctype="Email Template",
		name="Drip Test Text",
		subject="From {{ sender_name }}",
		response="<p>Templated</p>",
	).insert()
	frappe.get_doc(doctype="Tag", name="Hot").insert(ignore_if_duplicate=True)
	target_list = factories.make_list("Drip Test Secret List")
	secret = json.dumps([["Contact", "email_id", "=", f"vip@{DOMAIN}"]])
	return factories.make_campaign(
		factories.step(0),
		{"send_after_days": 3, "email_template": "Drip Test Text"},
		name="Drip Test Mine",
		sender="Administrator",
		target_lists=[{"target_list": target_list.name}],
		exclusions=[{"kind": "E-mail Address", "value": f"rival@{DOMAIN}"}],
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


def test_own_campaign_is_in_the_gallery_once_it_is_saved_as_a_prefab(campaign):
	name = api.save_as_prefab(campaign.name, "Mine", "For us")["prefab"]

	card = api.list_prefabs()[-1]

	assert (card["key"], card["title"], card["is_own"]) == (name, "Mine", True)
	assert api.create_from_prefab(name, "Drip Test From Mine")["campaign"] == "Drip Test From Mine"


@pytest.mark.parametrize(
	("changes", "words"),
	[
		({"version": 99}, "newer version of the app"),
		({"secret": "x"}, "secret is not known"),
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


def test_prefab_whose_text_does_not_render_shows_why(site):
	content = {
		"format": "drip-campaign",
		"version": 1,
		"title": "Odd",
		"steps": [factories.step(0, message="<p>{{ doc.nothing }}</p>")],
	}
	prefab = frappe.get_doc(doctype="Drip Prefab", title="Odd", definition=json.dumps(content)).insert()

	assert "nothing" in api.preview_prefab(prefab.name, 0)["html"]
	with pytest.raises(frappe.ValidationError):
		api.preview_prefab(prefab.name, 7)


def test_prefab_record_that_is_no_file_is_refused(site):
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc(doctype="Drip Prefab", title="Bad", definition="{}").insert()


@pytest.mark.parametrize(
	"method",
	[
		"list_prefabs",
		"preview_prefab",
		"create_from_prefab",
		"import_campaign",
		"save_as_prefab",
		"export_campaign",
	],
)
@pytest.mark.parametrize("who", ["stranger", "Guest"])
def test_prefabs_are_for_those_who_may_make_campaigns(method, who, campaign):
	user = "Guest" if who == "Guest" else factories.make_user("stranger", "Sales User")
	text = api.export_campaign(campaign.name)["text"]
	values = {
		"preview_prefab": {"prefab": "built-in:birthday", "number": 0},
		"create_from_prefab": {"prefab": "built-in:birthday", "campaign_name": "x"},
		"import_campaign": {"text": text},
		"save_as_prefab": {"campaign": campaign.name, "title": "x"},
		"export_campaign": {"campaign": campaign.name},
	}.get(method, {})
	frappe.set_user(user)

	with pytest.raises(frappe.PermissionError):
		getattr(api, method)(**values)


def test_unknown_prefab_is_an_error_that_says_so(site):
	with pytest.raises(frappe.ValidationError) as caught:
		api.create_from_prefab("built-in:../../etc/passwd", "x")

	assert "There is no prefab" in str(caught.value)
