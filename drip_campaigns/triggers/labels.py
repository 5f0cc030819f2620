"""A trigger as a sentence, for the rows of the form."""

import frappe
from frappe import _

from drip_campaigns.core.flow.triggers import Purchased, Repeat, TriggerKind


def describe(row) -> str:
	"""Return what a trigger does, in the language of the session's user: "When a Contact gets the tag Hot"."""
	parts = [_SENTENCES[TriggerKind(row.kind)](row), _describe_delay(row)]
	if (row.filters or "[]") != "[]":
		parts.append(_("if it matches the filters"))
	return ", ".join(part for part in parts if part)


def _describe_delay(row) -> str:
	days, hours = row.delay_days or 0, row.delay_hours or 0
	if days and hours:
		return _("{0} and {1} later").format(_count_days(days), _count_hours(hours))
	if days:
		return _("{0} later").format(_count_days(days))
	return _("{0} later").format(_count_hours(hours)) if hours else ""


def _count_days(days: int) -> str:
	return _("1 day") if days == 1 else _("{0} days").format(days)


def _count_hours(hours: int) -> str:
	return _("1 hour") if hours == 1 else _("{0} hours").format(hours)


def _field_label(row) -> str:
	meta = frappe.get_meta(row.recipient_type) if row.recipient_type else None
	return _(meta.get_label(row.field_name)) if meta and row.field_name else row.field_name


def _who(row) -> str:
	return _(row.recipient_type) if row.recipient_type else _("record")


def _created(row) -> str:
	return _("When a {0} is created").format(_who(row))


def _field(row) -> str:
	if row.field_value:
		return _("When {0} of a {1} becomes {2}").format(_field_label(row), _who(row), row.field_value)
	return _("When {0} of a {1} gets another value").format(_field_label(row), _who(row))


def _tag(row) -> str:
	if row.tag:
		return _("When a {0} gets the tag {1}").format(_who(row), row.tag)
	return _("When a {0} gets any tag").format(_who(row))


def _group(row) -> str:
	if row.email_group:
		return _("When somebody joins Email Group {0}").format(row.email_group)
	return _("When somebody joins any Email Group")


def _list(row) -> str:
	if row.target_list:
		return _("When somebody joins Target List {0}").format(row.target_list)
	return _("When somebody joins any Target List")


def _date(row) -> str:
	often = _("each year") if row.repeat == Repeat.EACH_YEAR else _("once")
	return _("{0} {1} of a {2}, {3}").format(_days(row), _field_label(row), _who(row), often)


def _anniversary(row) -> str:
	return _("{0} the day on which a {1} was created, each year").format(_days(row), _who(row))


def _days(row) -> str:
	if not row.days:
		return _("On")
	before = row.days_from == "Before"
	return (_("{0} before") if before else _("{0} after")).format(_count_days(row.days))


def _purchase(row) -> str:
	document = _(row.purchase_document)
	if row.purchased == Purchased.ITEM:
		return _("When a {0} with the item {1} is submitted").format(document, row.purchased_name)
	if row.purchased == Purchased.ITEM_GROUP:
		return _("When a {0} with an item of {1} is submitted").format(document, row.purchased_name)
	return _("When a {0} is submitted").format(document)


def _click(row) -> str:
	what = row.link_url or _("any link")
	if row.source_campaign:
		return _("When somebody first clicks {0} in {1}").format(what, row.source_campaign)
	return _("When somebody first clicks {0} in any campaign").format(what)


def _open(row) -> str:
	if row.source_campaign:
		return _("When somebody first opens an email of {0}").format(row.source_campaign)
	return _("When somebody first opens an email of any campaign")


def _completed(row) -> str:
	return _("When somebody completes {0}").format(row.source_campaign)


def _form(row) -> str:
	if row.web_form:
		return _("When Web Form {0} is submitted").format(row.web_form)
	return _("When any Web Form that makes a {0} is submitted").format(_who(row))


def _mail(row) -> str:
	return _("When {0} receives an email from somebody").format(row.email_account)


def _call(row) -> str:
	return _("When another system calls {0}").format(row.event_name)


_SENTENCES = {
	TriggerKind.RECORD_CREATED: _created,
	TriggerKind.FIELD_REACHED_VALUE: _field,
	TriggerKind.TAG_ADDED: _tag,
	TriggerKind.JOINED_EMAIL_GROUP: _group,
	TriggerKind.JOINED_TARGET_LIST: _list,
	TriggerKind.DATE_REACHED: _date,
	TriggerKind.SIGN_UP_ANNIVERSARY: _anniversary,
	TriggerKind.PURCHASE: _purchase,
	TriggerKind.LINK_CLICKED: _click,
	TriggerKind.EMAIL_OPENED: _open,
	TriggerKind.CAMPAIGN_COMPLETED: _completed,
	TriggerKind.WEB_FORM_SUBMITTED: _form,
	TriggerKind.EMAIL_RECEIVED: _mail,
	TriggerKind.API_CALL: _call,
}
