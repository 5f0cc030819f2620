"""Check that a text can be sent: a subject, a message, and valid Jinja. Each problem says where it is and what to do."""

from collections.abc import Collection, Iterator

import frappe
from frappe import _

from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.markup_limits import find_markup_problem
from drip_campaigns.rendering.step_text import StepText, load_step_text
from drip_campaigns.rendering.templates import find_problem


def find_enrolled_types(campaign) -> set[str]:
	"""Return the recipient types that the triggers and target lists of a campaign name."""
	types = {row.recipient_type for row in campaign.triggers if row.enabled and row.recipient_type}
	lists = [row.target_list for row in campaign.target_lists]
	filters = {"parent": ["in", lists], "parenttype": "Drip Target List", "recipient_type": ["is", "set"]}
	if lists:
		types.update(frappe.get_all("Drip Target List Source", filters=filters, pluck="recipient_type"))
	return types & set(available_types())


def find_row_problems(
	label: str, row, rights: FieldRights, *, enrolled: Collection[str] = (), is_draft: bool = False
) -> Iterator[str]:
	"""Yield the problems of the text of a step's or variant's row; a draft may be incomplete, but needs valid Jinja."""
	if row.email_template and not frappe.db.exists("Email Template", row.email_template):
		yield _("{0}: Email Template {1} does not exist. Choose another one.").format(
			label, row.email_template
		)
		return
	text = load_step_text(row)
	if not is_draft and not text.subject.strip():
		yield _("{0} has no subject. Enter one, or choose an Email Template.").format(label)
	if not is_draft and not _has_text(text.html):
		yield _("{0} has no text. Write a message, or choose an Email Template.").format(label)
	yield from find_text_problems(label, text, rights, enrolled=enrolled)


def find_text_problems(
	label: str,
	text: StepText,
	rights: FieldRights,
	also_known: tuple[str, ...] = (),
	enrolled: Collection[str] = (),
) -> Iterator[str]:
	"""Yield where the Jinja of a text is not valid, and why."""
	if problem := find_markup_problem(text.html):
		yield f"{label}, {_('Message')}: {problem}."
	parts = ((_("Subject"), text.subject), (_("Preview Text"), text.preview), (_("Message"), text.html))
	for part, source in parts:
		problem = find_problem(source, available_types(), rights, also_known, enrolled)
		if problem:
			where = _("line {0}").format(problem.line) if problem.line else ""
			yield f"{label}, {part} {where}: {problem.message}.".replace(" :", ":")


def _has_text(html: str) -> bool:
	return bool(frappe.utils.strip_html(html).strip()) or "<img" in html
