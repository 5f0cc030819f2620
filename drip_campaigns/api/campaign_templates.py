"""Templates in Desk: the gallery, drafts from templates, and export and import of campaign files. For signed-in users."""

import json

import frappe
from frappe import _

from drip_campaigns.api.errors import explained
from drip_campaigns.campaign_templates import catalog, preview
from drip_campaigns.campaign_templates import make_draft as make
from drip_campaigns.core.campaign_file import read_campaign_file
from drip_campaigns.pages.rate_limits import count_request
from drip_campaigns.site.messages import refuse

IMPORTS_PER_HOUR = 60  # of one user


@frappe.whitelist(methods=["GET"])
@explained
def list_templates() -> list[dict]:
	"""Return every template with its schedule and its first email."""
	_may_create()
	return [preview.describe(template) for template in catalog.list_templates()]


@frappe.whitelist(methods=["GET"])
@explained
def preview_template(template: str, number: int) -> dict:
	"""Return one email of a template, rendered for a sample recipient; the first has number 0."""
	_may_create()
	return preview.render_step(catalog.find_template(template), int(number))


@frappe.whitelist(methods=["POST"])
@explained
def create_from_template(template: str, campaign_name: str) -> dict:
	"""Create a draft from a template; return its name and the parts that this site does not support."""
	_may_create()
	return _answer(catalog.find_template(template).content, campaign_name)


@frappe.whitelist(methods=["POST"])
@explained
def save_as_template(campaign: str, title: str, description: str = "") -> dict:
	"""Save the plan of a campaign as a template of this site."""
	return {"template": make.save_as_template(_read(campaign), title, description).name}


@frappe.whitelist(methods=["GET"])
@explained
def export_campaign(campaign: str) -> dict:
	"""Return the name and text of a campaign file, without people and secrets."""
	document = _read(campaign)
	frappe.has_permission("Drip Campaign", "export", throw=True)
	text = json.dumps(make.export_content(document), indent=1, ensure_ascii=False)
	return {"file_name": f"{frappe.scrub(document.name)}.json", "text": text}


@frappe.whitelist(methods=["POST"])
@explained
def import_campaign(text: str, campaign_name: str = "") -> dict:
	"""Create a draft from the text of a campaign file; it sends nothing until it is activated."""
	_may_create()
	count_request("import", frappe.session.user, IMPORTS_PER_HOUR)
	content = read_campaign_file(text)
	return _answer(content, campaign_name or content["title"])


def _answer(content: dict, campaign_name: str) -> dict:
	if not campaign_name.strip():
		refuse(_("Enter a name for the campaign."))
	campaign, left_out = make.make_draft(content, campaign_name)
	return {"campaign": campaign.name, "left_out": left_out}


def _may_create() -> None:
	frappe.has_permission("Drip Campaign", "create", throw=True)


def _read(campaign: str):
	document = frappe.get_doc("Drip Campaign", campaign)
	document.check_permission("read")
	return document
