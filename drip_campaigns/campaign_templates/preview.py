"""Previews of templates in the gallery: the schedule, and each email rendered for a sample recipient. Reads only."""

from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.labels import describe as describe_action
from drip_campaigns.campaign.preview import make_sample_recipient
from drip_campaigns.campaign.step_days import list_step_days
from drip_campaigns.campaign_templates.catalog import CampaignTemplate
from drip_campaigns.campaign_templates.make_draft import describe_trigger, make_document
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import StepType
from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.plans.campaign_plan import step_subject
from drip_campaigns.rendering.compile_step import compile_step
from drip_campaigns.rendering.links import Links
from drip_campaigns.rendering.render_email import EmailFrame, render_email
from drip_campaigns.rendering.step_text import StepText
from drip_campaigns.rendering.templates import describe_error
from drip_campaigns.site.settings import postal_address


class UnknownStepError(DripError):
	"""The template does not have this email. Reload the page."""


def describe(template: CampaignTemplate) -> dict[str, Any]:
	"""Return the data of a template's card: title, description, schedule, triggers, and first email, which is `shown`."""
	content = template.content
	steps = _list_steps(content)
	mails = (step["number"] for step in steps if _is_mail(content["steps"][step["number"]]))
	shown = next(mails, 0)
	return {
		"key": template.key,
		"title": _(content["title"]),
		"description": _(content.get("description") or ""),
		"is_own": template.is_own,
		"steps": steps,
		"triggers": [describe_trigger(row) for row in content.get("triggers", ())],
		"shown": shown,
		**render_step(template, shown),
	}


def _list_steps(content: dict[str, Any]) -> list[dict[str, Any]]:
	"""Return number, subject, hours and day of each step, in the order in which they run; those on exit have no day."""
	campaign = make_document(content)
	for number, row in enumerate(campaign.steps):
		row.name = str(number)
	days = {int(day["step"]): day for day in list_step_days(campaign)}
	no_day = {"hours": None, "when": ""}
	return [
		{**no_day, **days.get(number, {}), "number": number, "subject": _name(content["steps"][number])}
		for number in dict.fromkeys([*days, *range(len(campaign.steps))])
	]


def _is_mail(step: dict[str, Any]) -> bool:
	return step.get("step_type", StepType.SEND.value) == StepType.SEND.value


def _name(step: dict[str, Any]) -> str:
	return step_subject(
		frappe._dict(step, sentence=describe_action(frappe._dict(step)) if _acts(step) else "")
	)


def _acts(step: dict[str, Any]) -> bool:
	return step.get("step_type") == StepType.ACTION.value


def render_step(template: CampaignTemplate, number: int) -> dict[str, str]:
	"""Return the subject and HTML of a step, or the error in its text."""
	steps = template.content["steps"]
	if not 0 <= number < len(steps):
		raise UnknownStepError()
	step = steps[number]
	if not _is_mail(step):
		name = _name(step)
		return {"subject": name, "html": f"<p>{frappe.utils.escape_html(name)}</p>"}
	subject = step.get("subject", "")
	html = step.get("message_html" if step.get("use_html") else "message", "")
	links = Links()
	frame = EmailFrame(
		links.preview(),
		links.preview(Purpose.PREFERENCES),
		_(template.content["title"]),
		frappe.utils.get_fullname(frappe.session.user),
		postal_address(),
		view_url=links.preview(Purpose.VIEW),
		tracker=links.tracker(""),
		rights=FieldRights(frappe.session.user),
	)
	try:
		rendered = render_email(
			compile_step(StepText(subject, html, step.get("preview_text", ""))),
			make_sample_recipient(),
			frame,
		)
	except Exception as error:  # noqa: BLE001 - the text of a file can fail in any way
		return {"subject": subject, "html": frappe.utils.escape_html(describe_error(error))}
	return {"subject": rendered.subject, "html": rendered.html}
