"""Campaign files of strangers: read or refused in words, and imported as drafts that do nothing."""

import copy
import json

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.campaign.check import find_activation_problems
from drip_campaigns.campaign_templates.make_draft import make_draft
from drip_campaigns.core import campaign_file
from drip_campaigns.core.campaign_file import CampaignFileError, read_campaign_file
from drip_campaigns.core.errors import DripError
from tests import factories
from tests.core.test_campaign_file import BUILT_IN
from tests.fuzz.depth import examples
from tests.fuzz.hostile import SCRIPT, scalars, texts, trees

ORIGINALS = [json.loads(path.read_text(encoding="utf-8")) for path in BUILT_IN]


def find_places(content, path=()):
	"""Yield the path of each value in nested JSON."""
	items = (
		content.items()
		if isinstance(content, dict)
		else enumerate(content)
		if isinstance(content, list)
		else ()
	)
	for key, value in items:
		yield (*path, key)
		yield from find_places(value, (*path, key))


@st.composite
def mutated_files(draw, values=trees):
	"""Draw a file of ours in which a few values are replaced, removed, or added."""
	content = copy.deepcopy(draw(st.sampled_from(ORIGINALS)))
	for _change in range(draw(st.integers(1, 6))):
		*parents, last = draw(st.sampled_from(list(find_places(content))))
		place = content
		for key in parents:
			place = place[key]
		kind = draw(st.sampled_from(("replace", "replace", "remove", "add")))
		if kind == "remove":
			del place[last]
		elif kind == "add" and isinstance(place, dict):
			place[
				draw(
					st.sampled_from(
						(*campaign_file.STEP_FIELDS, *campaign_file.TRIGGER_FIELDS, "__class__", "owner")
					)
				)
			] = draw(values)
		else:
			place[last] = draw(values)
		if not list(find_places(content)):
			break
	return content


@given(st.one_of(st.text(), trees.map(json.dumps), mutated_files().map(json.dumps)))
def test_file_is_read_or_refused_in_words(text):
	try:
		content = read_campaign_file(text)
	except CampaignFileError as error:
		assert str(error).strip()
	else:
		assert content["steps"] and content["title"].strip()


@examples(20)
@given(mutated_files(st.one_of(texts, scalars)))
def test_file_becomes_a_draft_or_is_refused_in_words(site, content):
	frappe.db.savepoint("drip_fuzz")
	try:
		campaign, left_out = make_draft(read_campaign_file(json.dumps(content)), "Drip Test Fuzz")
		assert campaign.status == "Draft"
		assert all(isinstance(text, str) for text in left_out)
	except (DripError, frappe.ValidationError) as error:
		assert str(error).strip()
	finally:
		frappe.db.rollback(save_point="drip_fuzz")


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_markup_in_every_text_of_a_file_runs_nowhere(site, path):
	content = json.loads(path.read_text(encoding="utf-8"))
	for *parents, last in list(find_places(content)):
		place = content
		for key in parents:
			place = place[key]
		if last in (
			"title",
			"description",
			"subject",
			"preview_text",
			"label",
			"action_text",
			"message",
			"utm_content",
		):
			place[last] = SCRIPT if last == "title" else f"{place[last]} {SCRIPT}"

	try:
		campaign, _left_out = make_draft(read_campaign_file(json.dumps(content)), "Drip Test Markup")
	except (DripError, frappe.ValidationError) as error:
		assert str(error).strip()
	else:
		stored = [campaign.campaign_name, campaign.description or ""]
		stored += [
			row.get(field) or ""
			for row in campaign.steps
			for field in ("subject", "label", "message", "preview_text")
		]
		assert campaign.status == "Draft"
		assert not [text for text in stored if "onerror" in text]


@pytest.mark.parametrize(
	"step",
	[
		{"action": "Call Webhook", "webhook": "http://127.0.0.1:6379/"},
		{"action": "Create Document", "action_doctype": "Role", "action_values": '{"role_name": "x"}'},
		{"action": "Create Document", "action_doctype": "Server Script", "action_values": "{}"},
		{"action": "Set Field", "action_doctype": "User", "action_field": "api_key", "action_value": "x"},
		{"action": "Set Field", "action_field": "__class__", "action_value": "x"},
		{"action": "Set Field", "action_field": "owner", "action_value": "Administrator"},
	],
	ids=lambda step: " ".join([step["action"], step.get("action_doctype") or step.get("action_field") or ""]),
)
def test_forbidden_action_of_a_file_is_left_out_or_refused(site, step):
	frappe.set_user(factories.make_user("importer", "Drip Manager"))
	content = {
		"format": "drip-campaign",
		"version": 1,
		"title": SCRIPT,
		"steps": [
			{"subject": "Hello", "message": "<p>Hello</p>"},
			{"step_type": "Action", "label": SCRIPT, "send_after_days": 1, "action_text": SCRIPT, **step},
		],
	}

	try:
		campaign, left_out = make_draft(read_campaign_file(json.dumps(content)), "Drip Test Hostile")
	except (DripError, frappe.ValidationError, frappe.PermissionError) as error:
		assert str(error).strip()
		return

	row, problems = campaign.steps[1], [*left_out, *find_activation_problems(campaign)]
	assert (campaign.status, row.webhook or "") == ("Draft", "")
	assert "onerror" not in f"{row.label} {row.action_text}"
	assert row.is_draft or [problem for problem in problems if "2" in problem], problems
