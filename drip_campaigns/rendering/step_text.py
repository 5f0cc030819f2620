"""What the author wrote for a step: from its row, or from the Email Template that the row names."""

from dataclasses import dataclass

import frappe


@dataclass(frozen=True)
class StepText:
	"""A step's subject, HTML, and preview text for the inbox, all with Jinja."""

	subject: str
	html: str
	preview: str = ""


def load_step_text(step) -> StepText:
	"""Return the text of a Drip Campaign Step row.

	Raises DoesNotExistError if the row's Email Template does not exist.
	"""
	if step.email_template:
		text = load_template(step.email_template)
		return StepText(step.subject or text.subject, text.html, step.preview_text or "")
	html = (step.message_html if step.use_html else step.message) or ""
	return StepText(step.subject or "", html, step.preview_text or "")


def load_template(name: str) -> StepText:
	"""Return the text of an Email Template. Raises DoesNotExistError if it does not exist."""
	template = frappe.get_cached_doc("Email Template", name)
	html = template.response_html if template.use_html else template.response
	return StepText(template.subject, html or "")
