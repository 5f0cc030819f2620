"""Create drafts from templates and files, and files from campaigns. Nothing here commits."""

import json
from typing import Any

import frappe

from drip_campaigns.campaign_templates.missing_references import remove_missing
from drip_campaigns.core.campaign_file import (
	ACTION_FIELDS,
	CAMPAIGN,
	FORMAT,
	MAIL_FIELDS,
	STEP,
	TEST_FIELDS,
	TRIGGER,
	VARIANT,
	VERSION,
	FileField,
	read_campaign_file,
)
from drip_campaigns.core.flow.flow_reader import WAIT_FIELDS
from drip_campaigns.core.model import StepType
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.step_text import load_step_text
from drip_campaigns.triggers.labels import describe
from drip_campaigns.triggers.registry import TRIGGER_KINDS

ADDRESS_SIGN = "@"  # a condition that contains it names a person


def make_draft(content: dict[str, Any], campaign_name: str):
	"""Insert a draft Drip Campaign with the permissions of the session's user. Return it and the parts that were left out.

	A step that needs something that this site lacks becomes a draft step without it.
	"""
	campaign = make_document(content)
	campaign.campaign_name = campaign_name.strip()
	left_out = remove_missing(campaign)
	for trigger in content.get("triggers", ()):
		if _is_possible(trigger):
			_make_tag(trigger.get("tag"))
			campaign.append("triggers", trigger)
		else:
			left_out.append(describe_trigger(trigger))
	return campaign.insert(), left_out


def make_document(content: dict[str, Any]):
	"""Return a new Drip Campaign document with the plan of a file, without its triggers."""
	campaign = frappe.new_doc("Drip Campaign")
	campaign.update({"description": content.get("description"), **content.get("campaign", {})})
	for field, doctype in (("steps", "Drip Campaign Step"), ("variants", "Drip Step Variant")):
		for row in content.get(field, ()):
			campaign.append(field, frappe.new_doc(doctype).update(row))  # with the defaults of its fields
	return campaign


def _make_tag(tag: str | None) -> None:
	"""Create the tag if it does not exist, as tagging a record would."""
	if tag and not frappe.db.exists("Tag", tag):
		# nosemgrep: ignore-permissions - as Frappe's own tagging
		frappe.get_doc(doctype="Tag", name=tag[:140]).insert(ignore_permissions=True)


def _is_possible(trigger: dict[str, Any]) -> bool:
	"""Return whether this site has everything that a trigger needs; ERPNext may be missing."""
	kind = TRIGGER_KINDS.find(trigger["kind"])
	if not kind or not kind.is_portable:
		return False
	doctype, field = trigger.get("recipient_type"), trigger.get("field_name")
	if doctype and doctype not in available_types():
		return False
	if doctype and field and field not in frappe.get_meta(doctype).get_valid_columns():
		return False
	return kind.is_available(trigger)


def describe_trigger(trigger: dict[str, Any]) -> str:
	"""Return the sentence of a trigger in a file."""
	if not TRIGGER_KINDS.find(trigger["kind"]):
		return trigger["kind"]
	return describe(frappe._dict(dict.fromkeys(TRIGGER), **trigger))


def export_content(campaign, title: str = "", description: str = "") -> dict[str, Any]:
	"""Return the plan of a Drip Campaign document as the content of a file, without recipients, senders, lists, and dates.

	The texts of Email Templates are copied into the steps. The file keeps the names that actions and conditions use, such
	as a list. Triggers that name records of this site are left out, and so are conditions with an email address; the steps
	of such conditions become drafts, so that an email for a few people is not sent to everyone.
	"""
	with_variants = {row.step_label for row in campaign.variants}
	portable = TRIGGER_KINDS.labels_with("is_portable")
	triggers = [
		_pick(row, TRIGGER)
		for row in campaign.triggers
		# Filters can name people.
		if row.kind in portable and not row.purchased and json.loads(row.filters or "[]") == []
	]
	content = {
		"format": FORMAT,
		"version": VERSION,
		"title": title.strip() or campaign.campaign_name,
		"description": description.strip() or campaign.description or "",
		"campaign": _pick_campaign(campaign),
		"steps": [_pick_step(row, has_variants=row.label in with_variants) for row in campaign.steps],
		"variants": [{**_pick(row, VARIANT), **_text_of(row)} for row in campaign.variants],
		"triggers": triggers,
	}
	if not content["variants"]:
		del content["variants"]
	return read_campaign_file(json.dumps(content))  # check that the file can be read again


def _pick_campaign(campaign) -> dict[str, Any]:
	picked = _pick(campaign, CAMPAIGN)
	if ADDRESS_SIGN in picked.get("goal_filters", ""):
		picked = {name: value for name, value in picked.items() if not name.startswith("goal")}
	return picked


def _pick_step(row, *, has_variants: bool) -> dict[str, Any]:
	"""Return the content of a step in a file: the fields of its type, with its text."""
	kind = row.step_type or StepType.SEND.value
	left_out = {
		*(WAIT_FIELDS if kind != StepType.WAIT.value else ()),
		*(ACTION_FIELDS if kind != StepType.ACTION.value else ()),
		*(MAIL_FIELDS if kind != StepType.SEND.value else ()),
		*(() if has_variants else TEST_FIELDS),
	}
	picked = {name: value for name, value in _pick(row, STEP).items() if name not in left_out}
	if kind == StepType.SEND.value:
		picked |= _text_of(row)
	if ADDRESS_SIGN in picked.get("conditions", ""):
		picked = {**picked, "is_draft": 1}
		del picked["conditions"]
	return picked


def _text_of(row) -> dict[str, Any]:
	text = load_step_text(row)
	is_html = bool(row.use_html or row.email_template)
	texts = {"subject": text.subject, "message_html" if is_html else "message": text.html}
	return {"use_html": int(is_html), **{name: value for name, value in texts.items() if value}}


def _pick(row, known: dict[str, FileField]) -> dict[str, Any]:
	return {
		name: field.kind(row.get(name)) for name, field in known.items() if row.get(name) not in (None, "")
	}


def save_as_template(campaign, title: str, description: str):
	"""Insert a Drip Campaign Template with a campaign's plan, with the permissions of the session's user."""
	content = export_content(campaign, title, description)
	return frappe.get_doc(
		doctype="Drip Campaign Template",
		title=content["title"],
		description=content["description"],
		definition=json.dumps(content, indent=1, ensure_ascii=False),
	).insert()
