"""What must be right about the triggers of a campaign before it is saved. Each problem names its row, its field and the remedy."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.campaign.check_actions import find_enroll_edges
from drip_campaigns.core.flow.actions import ActionKind
from drip_campaigns.core.flow.triggers import TriggerKind, find_loop
from drip_campaigns.people.audience import Audience, InvalidFiltersError
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.triggers.find_people import find_matching, read_filters
from drip_campaigns.triggers.labels import describe

STANDARD_FIELDS = {"name": "Data", "owner": "Link", "creation": "Datetime", "modified": "Datetime"}
DATE_TYPES = ("Date", "Datetime")
NEEDS_TYPE = frozenset(
	{
		TriggerKind.RECORD_CREATED,
		TriggerKind.FIELD_REACHED_VALUE,
		TriggerKind.TAG_ADDED,
		TriggerKind.DATE_REACHED,
		TriggerKind.SIGN_UP_ANNIVERSARY,
		TriggerKind.WEB_FORM_SUBMITTED,
		TriggerKind.EMAIL_RECEIVED,
	}
)
NEEDS = {
	TriggerKind.FIELD_REACHED_VALUE: ("field_name",),
	TriggerKind.DATE_REACHED: ("field_name", "repeat", "days_from", "local_day"),
	TriggerKind.SIGN_UP_ANNIVERSARY: ("days_from", "local_day"),
	TriggerKind.PURCHASE: ("purchase_document",),
	TriggerKind.CAMPAIGN_COMPLETED: ("source_campaign",),
	TriggerKind.EMAIL_RECEIVED: ("email_account",),
	TriggerKind.API_CALL: ("event_name",),
}
# Fields that mean something for some kinds only; a row of another kind does not keep them.
OPTIONAL = {
	TriggerKind.TAG_ADDED: ("tag",),
	TriggerKind.JOINED_EMAIL_GROUP: ("email_group",),
	TriggerKind.JOINED_TARGET_LIST: ("target_list",),
	TriggerKind.FIELD_REACHED_VALUE: ("field_value",),
	TriggerKind.DATE_REACHED: ("days",),
	TriggerKind.SIGN_UP_ANNIVERSARY: ("days",),
	TriggerKind.PURCHASE: ("purchased", "purchased_name"),
	TriggerKind.LINK_CLICKED: ("source_campaign", "link_url"),
	TriggerKind.EMAIL_OPENED: ("source_campaign",),
	TriggerKind.WEB_FORM_SUBMITTED: ("web_form",),
}
_SPECIAL = frozenset(field for fields in (*NEEDS.values(), *OPTIONAL.values()) for field in fields)
_WITH_DEFAULT = ("days_from", "local_day", "repeat", "purchase_document", "days")


def prepare_triggers(campaign) -> None:
	"""Clear what does not belong to a row's kind, keep how far its dates were looked at, and say what it does."""
	before = campaign.get_doc_before_save()
	known = {row.name: row for row in before.triggers} if before else {}
	for row in campaign.triggers:
		kind = TriggerKind(row.kind)
		for field in _SPECIAL.difference(NEEDS.get(kind, ()), OPTIONAL.get(kind, ()), _WITH_DEFAULT):
			row.set(field, None)
		_choose_recipient_type(row, kind)
		was = known.get(row.name)
		# One that is switched on again begins anew: nobody gets the dates of the time between.
		row.checked_until = was.checked_until if was and was.enabled and row.enabled else None
		row.sentence = describe(row)


def _choose_recipient_type(row, kind: TriggerKind) -> None:
	if kind is TriggerKind.JOINED_EMAIL_GROUP:
		row.recipient_type = "Email Group Member"
	if kind is TriggerKind.WEB_FORM_SUBMITTED and row.web_form:
		row.recipient_type = frappe.db.get_value("Web Form", row.web_form, "doc_type")


def find_trigger_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a campaign with these triggers."""
	types = available_types()
	for row in campaign.triggers:
		label = _("Trigger {0}").format(row.idx)
		for problem in _find_problems_of(row, types):
			yield f"{label}: {problem}"
	yield from _find_circle(campaign)


def _find_problems_of(row, types: list[str]) -> Iterator[str]:
	kind = TriggerKind(row.kind)
	needed = [*NEEDS.get(kind, ()), *(["recipient_type"] if kind in NEEDS_TYPE else [])]
	missing = [field for field in needed if not row.get(field)]
	for field in missing:
		yield _("{0} is empty. Choose one.").format(_(row.meta.get_label(field)))
	for field in ("delay_days", "delay_hours", "days"):
		if (row.get(field) or 0) < 0:
			yield _("{0} is {1}. Enter 0 or more.").format(_(row.meta.get_label(field)), row.get(field))
	if row.recipient_type and row.recipient_type not in types:
		message = _("{0} records cannot be enrolled. Choose one of: {1}.")
		yield message.format(_(row.recipient_type), ", ".join(types))
	elif not missing:
		yield from _find_field_problem(row, kind)
		yield from _find_purchase_problem(row, kind)
		yield from _find_filter_problem(row)


def _find_field_problem(row, kind: TriggerKind) -> Iterator[str]:
	if not row.field_name:
		return
	field = frappe.get_meta(row.recipient_type).get_field(row.field_name)
	fieldtype = field.fieldtype if field else STANDARD_FIELDS.get(row.field_name)
	if fieldtype is None or (field and field.get("is_virtual")):
		message = _("{0} has no field {1}. Choose one of its fields.")
		yield message.format(_(row.recipient_type), row.field_name)
	elif kind is TriggerKind.DATE_REACHED and fieldtype not in DATE_TYPES:
		message = _("{0} of {1} is no date but {2}. Choose a field of type Date or Datetime.")
		yield message.format(row.field_name, _(row.recipient_type), _(fieldtype))


def _find_purchase_problem(row, kind: TriggerKind) -> Iterator[str]:
	if kind is not TriggerKind.PURCHASE:
		return
	if not frappe.db.exists("DocType", row.purchase_document):
		yield _("There are no {0} records on this site. Purchases need ERPNext.").format(
			row.purchase_document
		)
	elif row.purchased and not row.purchased_name:
		yield _("{0} is empty. Choose one, or empty Only For.").format(_(row.purchased))


def _find_filter_problem(row) -> Iterator[str]:
	try:
		filters = read_filters(row)
		if filters and not row.recipient_type:
			yield _("Filters need a Recipient Type. Choose one.")
		elif filters:
			Audience(row.recipient_type, row.filters)
			find_matching(row.recipient_type, filters, ["", "-"])
	except InvalidFiltersError as error:
		yield str(error)
	except (ValueError, TypeError, KeyError, frappe.ValidationError, frappe.DataError) as error:
		yield _("The filters cannot be used: {0}. Clear them and choose again.").format(error)


def _find_circle(campaign) -> Iterator[str]:
	"""Yield the way round, if completing this campaign leads back into it."""
	starters: dict[str, list[str]] = {}
	others = [*_load_starters(campaign.name), *_load_enrolling(campaign.name)]
	for source, started in [*others, *_own_starters(campaign), *find_enroll_edges(campaign)]:
		starters.setdefault(source, []).append(started)
	circle = find_loop(starters, campaign.name or campaign.campaign_name)
	if circle:
		message = _(
			"These campaigns would start each other for ever: {0}. Remove one of the triggers or actions."
		)
		yield message.format(" → ".join(circle))


def _own_starters(campaign) -> list[tuple[str, str]]:
	name = campaign.name or campaign.campaign_name
	return [
		(row.source_campaign, name)
		for row in campaign.triggers
		if row.enabled and row.kind == TriggerKind.CAMPAIGN_COMPLETED and row.source_campaign
	]


def _load_enrolling(but: str | None) -> list[tuple[str, str]]:
	"""Return which campaigns enroll in which others by an action."""
	row, campaign = frappe.qb.DocType("Drip Campaign Step"), frappe.qb.DocType("Drip Campaign")
	return (
		frappe.qb.from_(row)
		.inner_join(campaign)
		.on(campaign.name == row.parent)
		.select(row.parent, row.action_campaign)
		.where((row.action == ActionKind.ENROLL.value) & (row.enabled == 1))
		.where((campaign.status != "Ended") & (row.parent != (but or "")))
		.run()
	)


def _load_starters(but: str | None) -> list[tuple[str, str]]:
	row, campaign = frappe.qb.DocType("Drip Campaign Trigger"), frappe.qb.DocType("Drip Campaign")
	return (
		frappe.qb.from_(row)
		.inner_join(campaign)
		.on(campaign.name == row.parent)
		.select(row.source_campaign, row.parent)
		.where((row.kind == TriggerKind.CAMPAIGN_COMPLETED.value) & (row.enabled == 1))
		.where((campaign.status != "Ended") & (row.parent != (but or "")))
		.run()
	)
