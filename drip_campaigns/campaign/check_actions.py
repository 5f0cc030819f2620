"""What must be right about the actions of a campaign, before it is saved and before it runs. Each problem names its step and the remedy."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.action_texts import KNOWN_NAMES, read_values
from drip_campaigns.actions.labels import describe
from drip_campaigns.actions.people import read_users
from drip_campaigns.actions.rights import describe_missing, find_missing_rights
from drip_campaigns.campaign.check_values import find_value_problem
from drip_campaigns.core.flow.actions import ActionKind, AssignTo, RunWhen
from drip_campaigns.core.model import StepType
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.rendering.templates import find_problem

NEEDS = {
	ActionKind.SET_FIELD: ("action_doctype", "action_field"),
	ActionKind.ADD_TAG: ("action_tag",),
	ActionKind.REMOVE_TAG: ("action_tag",),
	ActionKind.ADD_TO_LIST: ("action_list",),
	ActionKind.REMOVE_FROM_LIST: ("action_list",),
	ActionKind.ENROLL: ("action_campaign",),
	ActionKind.REMOVE: ("action_campaign",),
	ActionKind.NOTIFY: ("action_text",),
	ActionKind.WEBHOOK: ("webhook",),
	ActionKind.CREATE: ("action_doctype", "action_values"),
}
LINKS = (
	("action_list", "Drip Target List"), ("action_campaign", "Drip Campaign"), ("webhook", "Webhook"),
	("action_doctype", "DocType"),
)  # fmt: skip
_WITHOUT_VALUE = (
	"Section Break",
	"Column Break",
	"Tab Break",
	"HTML",
	"Button",
	"Fold",
	"Heading",
	"Image",
	"Table",
)


def prepare_actions(campaign) -> None:
	"""Say what each action does; a step of another type keeps nothing of an action."""
	for row in campaign.steps:
		if row.step_type != StepType.ACTION:
			row.action, row.sentence, row.wait_for_todo = None, None, 0
			continue
		if row.action != ActionKind.ASSIGN or row.run_when == RunWhen.ON_EXIT:
			row.wait_for_todo = 0
		row.sentence = describe(row)


def find_action_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a campaign with these actions."""
	for row in campaign.steps:
		label = _("Step {0}").format(row.idx)
		if row.run_when == RunWhen.ON_EXIT and row.step_type != StepType.ACTION:
			yield _(
				"{0}: nothing but an action can run when somebody leaves. To write to those who reached a goal, enroll them in a campaign of its own."
			).format(label)
		elif row.step_type == StepType.ACTION:
			for problem in _find_problems_of(campaign, row):
				yield f"{label}: {problem}"


def find_right_problems(campaign) -> Iterator[str]:
	"""Yield what the owner of a campaign is not allowed to do and its actions need."""
	for row in campaign.steps:
		if row.step_type == StepType.ACTION and row.enabled and not row.is_draft:
			for right in find_missing_rights(row, campaign.owner):
				yield describe_missing(row, right, campaign.owner)


def find_enroll_edges(campaign) -> list[tuple[str, str]]:
	"""Return (this campaign, the campaign in which an action enrolls) for each such step, for the search for circles."""
	name = campaign.name or campaign.campaign_name
	return [
		(name, row.action_campaign)
		for row in campaign.steps
		if row.enabled
		and row.step_type == StepType.ACTION
		and row.action == ActionKind.ENROLL
		and row.action_campaign
	]


def _find_problems_of(campaign, row) -> Iterator[str]:
	"""A draft may be unfinished; what it says already must be right."""
	if not row.action:
		if not row.is_draft:
			yield _("Action is empty. Choose one.")
		return
	missing = [field for field in NEEDS.get(ActionKind(row.action), ()) if not row.get(field)]
	if missing:
		for field in missing if not row.is_draft else ():
			yield _("{0} is empty. Enter one.").format(_(row.meta.get_label(field)))
		return
	gone = list(_links(row))
	yield from gone
	yield from _texts(row)
	check = _CHECKS.get(ActionKind(row.action))
	if check and not gone:
		yield from check(campaign, row)
	if _is_changed(campaign, row):
		# Else whoever may write a campaign could let its owner do what they may not do themselves.
		user = frappe.session.user
		yield from (describe_missing(row, right, user) for right in find_missing_rights(row, user))


def _is_changed(campaign, row) -> bool:
	before = campaign.get_doc_before_save()
	was = next((old for old in before.steps if old.name == row.name), None) if before else None
	fields = ("action", "action_doctype", "action_field", "action_value", "action_values", "webhook")
	return was is None or any(was.get(field) != row.get(field) for field in fields)


def _itself(campaign, row) -> Iterator[str]:
	if row.action_campaign == (campaign.name or campaign.campaign_name):
		yield _("A campaign cannot enroll in itself. Choose another one.")


def _links(row) -> Iterator[str]:
	for field, doctype in LINKS:
		name = row.get(field)
		if name and not frappe.db.exists(doctype, name):
			yield _("There is no {0} {1}. Choose another one.").format(_(doctype), name)


def _texts(row) -> Iterator[str]:
	for field in ("action_value", "action_text"):
		problem = find_problem(row.get(field) or "", available_types(), KNOWN_NAMES)
		if problem:
			yield _("{0}: {1}.").format(_(row.meta.get_label(field)), problem.message)


def _field(campaign, row) -> Iterator[str]:
	if row.action_doctype not in available_types():
		message = _("{0} records cannot be enrolled. Choose one of: {1}.")
		yield message.format(_(row.action_doctype), ", ".join(available_types()))
		return
	yield from _settable(campaign, row.action_doctype, row.action_field, row.action_value)


def _settable(campaign, doctype: str, fieldname: str, value: object) -> Iterator[str]:
	meta = frappe.get_meta(doctype)
	field = meta.get_field(fieldname)
	owner = campaign.owner or frappe.session.user
	if field is None or field.fieldtype in _WITHOUT_VALUE or field.get("is_virtual"):
		yield _("{0} has no field {1} that can be set. Choose another one.").format(_(doctype), fieldname)
	elif field.read_only:
		yield _("{0} of {1} is read only. Choose another field.").format(_(field.label), _(doctype))
	elif field.permlevel and field.permlevel not in meta.get_permlevel_access("write", user=owner):
		message = _("{0} may not change {1} of {2}. Choose another field.")
		yield message.format(owner, _(field.label), _(doctype))
	elif problem := find_value_problem(field, value):
		yield problem


def _document(campaign, row) -> Iterator[str]:
	try:
		values = read_values(row.action_values)
	except ValueError as error:
		yield _("Values cannot be read: {0}. Write them as {1}.").format(error, '{"field": "value"}')
		return
	if frappe.get_meta(row.action_doctype).istable or frappe.get_meta(row.action_doctype).issingle:
		yield _("{0} cannot be created by itself. Choose another record type.").format(_(row.action_doctype))
		return
	for fieldname, value in values.items():
		yield from _settable(campaign, row.action_doctype, fieldname, value)
		problem = find_problem(value, available_types(), KNOWN_NAMES) if isinstance(value, str) else None
		if problem:
			yield f"{fieldname}: {problem.message}."


def _users(_campaign, row) -> Iterator[str]:
	named = []
	if row.assign_to == AssignTo.IN_TURN:
		named = read_users(row.action_users)
	elif row.assign_to != AssignTo.OWNER:
		named = [row.action_user] if row.action_user else []
	else:
		return
	if not named and not row.is_draft:
		yield _("There is nobody to whom it goes. Choose a user.")
	enabled = (
		frappe.get_all("User", filters={"name": ["in", named], "enabled": 1}, pluck="name") if named else []
	)
	for user in named:
		if user not in enabled:
			yield _("User {0} is disabled or does not exist. Choose another one.").format(user)


def _webhook(_campaign, row) -> Iterator[str]:
	doctype = frappe.db.get_value("Webhook", row.webhook, "webhook_doctype")
	if doctype and doctype not in (*available_types(), "Drip Enrollment"):
		message = _("Webhook {0} is about {1}. Choose one about a recipient's record or Drip Enrollment.")
		yield message.format(row.webhook, _(doctype))


_CHECKS = {
	ActionKind.SET_FIELD: _field,
	ActionKind.CREATE: _document,
	ActionKind.ASSIGN: _users,
	ActionKind.NOTIFY: _users,
	ActionKind.WEBHOOK: _webhook,
	ActionKind.ENROLL: _itself,
}
