"""Describe a source of a target list in a sentence, for the rows of the form."""

from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.lists import LogQuestion, SourceKind
from drip_campaigns.people.list_filters import InvalidFiltersError, read_filters


def describe(row) -> str:
	"""Return what a source adds, in the language of the session's user: "Contacts with Status = Open"."""
	return _SENTENCES[SourceKind(row.kind)](row)


def _filters(row) -> str:
	if not row.recipient_type:
		return ""
	try:
		conditions = [_condition(*one) for one in read_filters(row.recipient_type, row.filters)]
	except InvalidFiltersError:
		return _("{0}: filters that cannot be read").format(_(row.recipient_type))
	if not conditions:
		return _("Every {0}").format(_(row.recipient_type))
	return _("Every {0} with {1}").format(_(row.recipient_type), _(" and ").join(conditions))


def _condition(doctype: str, field: str, operator: str, value: Any) -> str:
	shown = ", ".join(map(str, value)) if isinstance(value, list) else value
	return f"{_(frappe.get_meta(doctype).get_label(field))} {_(operator)} {shown}"


def _report(row) -> str:
	return _("Every {0} in column {1} of report {2}").format(
		_(row.recipient_type or ""), row.report_column, row.report
	)


def _group(row) -> str:
	return _("The members of Email Group {0}").format(row.email_group)


def _log(row) -> str:
	if not row.log_event:
		return ""
	return _LOG[LogQuestion(row.log_event)]().format(campaign=row.campaign, link=row.link_url or _("a link"))


def _list(row) -> str:
	return _("Everyone on the list {0}").format(row.included_list)


_LOG = {
	LogQuestion.SENT: lambda: _("People who received an email of {campaign}"),
	LogQuestion.OPENED: lambda: _("People who opened an email of {campaign}"),
	LogQuestion.NOT_OPENED: lambda: _("People who received an email of {campaign} and opened none"),
	LogQuestion.CLICKED: lambda: _("People who clicked {link} in {campaign}"),
	LogQuestion.NOT_CLICKED: lambda: _("People who received an email of {campaign} and did not click {link}"),
	LogQuestion.REPLIED: lambda: _("People who replied to {campaign}"),
	LogQuestion.BOUNCED: lambda: _("People whose email of {campaign} bounced"),
	LogQuestion.COMPLAINED: lambda: _("People who complained about {campaign}"),
	LogQuestion.COMPLETED: lambda: _("People who completed {campaign}"),
	LogQuestion.UNSUBSCRIBED: lambda: _("People who unsubscribed from {campaign}"),
}
_SENTENCES = {
	SourceKind.FILTERS: _filters,
	SourceKind.REPORT: _report,
	SourceKind.EMAIL_GROUP: _group,
	SourceKind.CAMPAIGN_ACTIVITY: _log,
	SourceKind.TARGET_LIST: _list,
}
