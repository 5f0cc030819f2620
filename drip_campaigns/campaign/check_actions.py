"""Check the actions of a campaign before it is saved and before it is activated. Each problem names the step, and what to do."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.action_texts import KNOWN_NAMES
from drip_campaigns.actions.labels import describe
from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.actions.rights import describe_missing, find_missing_rights
from drip_campaigns.core.flow.actions import RunWhen
from drip_campaigns.core.model import StepType
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.templates import find_problem
from drip_campaigns.rendering.text_rights import rights_of
from drip_campaigns.site.messages import tell

LINKS = (
	("action_list", "Drip Target List"), ("action_campaign", "Drip Campaign"), ("webhook", "Webhook"),
	("action_doctype", "DocType"),
)  # fmt: skip


def prepare_actions(campaign) -> None:
	"""Write the sentence of each action, and clear what a step of another type has of an action."""
	for row in campaign.steps:
		if row.step_type != StepType.ACTION:
			row.action, row.sentence, row.wait_for_todo = None, None, 0
			continue
		kind = ACTION_KINDS.find(row.action)
		if not kind or "wait_for_todo" not in kind.fields or row.run_when == RunWhen.ON_EXIT:
			row.wait_for_todo = 0
		row.sentence = describe(row)


def find_action_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a campaign with these actions."""
	for row in campaign.steps:
		label = _("Step {0}").format(row.idx)
		if row.run_when == RunWhen.ON_EXIT and row.step_type != StepType.ACTION:
			yield _(
				"{0}: only an action can run on exit. To email people who reached a goal, enroll them in another campaign."
			).format(label)
		elif row.step_type == StepType.ACTION:
			for problem in _find_problems_of(campaign, row):
				yield f"{label}: {problem}"


def find_right_problems(campaign) -> Iterator[str]:
	"""Yield the rights that the owner of a campaign lacks for its actions."""
	for row in campaign.steps:
		if row.step_type == StepType.ACTION and row.enabled and not row.is_draft:
			for right in find_missing_rights(row, campaign.owner):
				yield describe_missing(row, right, campaign.owner)


def warn_of_missing_values(campaign) -> None:
	"""Warn the user of what may be wrong with the actions; the campaign is saved all the same."""
	for row in campaign.steps:
		kind = ACTION_KINDS.find(row.action) if row.step_type == StepType.ACTION else None
		for sentence in kind.find_warnings(row) if kind and all(map(row.get, kind.needed)) else ():
			text = _("Step {0}: {1}").format(row.idx, sentence)
			tell(text, title=_("A value that may be missing"), indicator="orange")


def find_enroll_edges(campaign) -> list[tuple[str, str]]:
	"""Return (this campaign, the campaign in which an action enrolls) for each such step, for the search for loops."""
	name, enrolling = campaign.name or campaign.campaign_name, ACTION_KINDS.labels_with("enrolls_in_campaign")
	return [
		(name, row.action_campaign)
		for row in campaign.steps
		if row.enabled
		and row.step_type == StepType.ACTION
		and row.action in enrolling
		and row.action_campaign
	]


def _find_problems_of(campaign, row) -> Iterator[str]:
	"""A draft may be incomplete, but must not be wrong."""
	if not row.action:
		if not row.is_draft:
			yield _("Action is empty. Choose one.")
		return
	kind = ACTION_KINDS.get(row.action)
	missing = [field for field in kind.needed if not row.get(field)]
	if missing:
		for field in missing if not row.is_draft else ():
			yield _("{0} is empty. Enter one.").format(_(row.meta.get_label(field)))
		return
	gone = list(_links(row))
	yield from gone
	yield from _texts(campaign, row)
	if not gone:
		yield from kind.find_problems(campaign, row)
	if _is_changed(campaign, row):
		# Otherwise a user who may write the campaign could make its owner do what the user may not do.
		user = frappe.session.user
		yield from (describe_missing(row, right, user) for right in find_missing_rights(row, user))


def _is_changed(campaign, row) -> bool:
	before = campaign.get_doc_before_save()
	was = next((old for old in before.steps if old.name == row.name), None) if before else None
	fields = ("action", "action_doctype", "action_field", "action_value", "action_values", "webhook")
	return was is None or any(was.get(field) != row.get(field) for field in fields)


def _links(row) -> Iterator[str]:
	for field, doctype in LINKS:
		name = row.get(field)
		if name and not frappe.db.exists(doctype, name):
			yield _("{0} {1} doesn't exist. Choose another one.").format(_(doctype), name)


def _texts(campaign, row) -> Iterator[str]:
	rights = rights_of(campaign, row)
	for field in ("action_value", "action_text"):
		problem = find_problem(row.get(field) or "", available_types(), rights, KNOWN_NAMES)
		if problem:
			yield _("{0}: {1}.").format(_(row.meta.get_label(field)), problem.message)
