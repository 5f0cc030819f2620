"""Check a target list's sources before it is saved. Each problem names its row and what to do."""

import json
from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.triggers import find_loop
from drip_campaigns.core.lists import LogQuestion, SourceKind
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.lists.labels import describe
from drip_campaigns.people.audience import EVERYBODY_FROM, Audience
from drip_campaigns.people.list_filters import check_filters
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.record_scope import may_read_some
from drip_campaigns.people.row_rights import may_see_people_of

NEEDS = {
	SourceKind.FILTERS: ("recipient_type",),
	SourceKind.REPORT: ("recipient_type", "report", "report_column"),
	SourceKind.EMAIL_GROUP: ("email_group",),
	SourceKind.CAMPAIGN_ACTIVITY: ("campaign", "log_event"),
	SourceKind.TARGET_LIST: ("included_list",),
}
FIELDS = frozenset({field for fields in NEEDS.values() for field in fields} | {"link_url"})
_WITH_DEFAULT = ("report_column", "log_event")


def prepare_sources(target_list) -> None:
	"""Clear the fields that a row's kind does not use, and fill in its sentence."""
	for row in target_list.sources:
		kind = SourceKind(row.kind)
		kept = {*NEEDS[kind], *_WITH_DEFAULT, *(["link_url"] if kind is SourceKind.CAMPAIGN_ACTIVITY else [])}
		for field in FIELDS - kept:
			row.set(field, None)
		if kind is not SourceKind.FILTERS:
			row.filters = "[]"
		row.sentence = describe(row)


def find_source_problems(target_list) -> Iterator[str]:
	"""Yield each problem that prevents saving the list."""
	if (target_list.refresh_hours or 0) < 0:
		yield _("Refresh Every (Hours) is {0}. Enter 0 or more.").format(target_list.refresh_hours)
	for row in target_list.sources:
		for problem in _find_problems_of(row, target_list.owner or frappe.session.user):
			yield _("Source {0}: {1}").format(row.idx, problem)
	yield from _find_loop_problem(target_list)


def _find_problems_of(row, owner: str) -> Iterator[str]:
	kind = SourceKind(row.kind)
	missing = [field for field in NEEDS[kind] if not row.get(field)]
	for field in missing:
		yield _("{0} is empty. Choose one.").format(_(row.meta.get_label(field)))
	if missing:
		return
	if row.recipient_type and row.recipient_type not in available_types():
		message = _("{0} records can't be on a list. Choose one of: {1}.")
		yield message.format(_(row.recipient_type), ", ".join(available_types()))
		return
	yield from _CHECKS[kind](row, owner) if kind in _CHECKS else ()


def _find_filter_problem(row, owner: str) -> Iterator[str]:
	if not may_read_some(owner, row.recipient_type):
		message = _("{0}, the owner of the list, may not read {1} records. Choose other records.")
		yield message.format(owner, _(row.recipient_type))
		return
	try:
		check_filters(row.recipient_type, row.filters, owner, frappe.session.user)
	except DripError as error:
		yield str(error)


def _find_report_problem(row, _owner: str) -> Iterator[str]:
	try:
		if not isinstance(json.loads(row.report_filters or "{}"), dict):
			raise ValueError(_("they are not an object of fields and values"))
	except ValueError as error:
		yield _("The filters of the report cannot be read: {0}. Write JSON such as {1}.").format(
			error, '{"company": "Example Ltd"}'
		)
	if frappe.db.get_value("Report", row.report, "disabled"):
		yield _("Report {0} is disabled. Choose another one.").format(row.report)


def _find_log_problem(row, owner: str) -> Iterator[str]:
	"""Yield a problem if the campaign does not record opens: then “opened none” would match everyone."""
	yield from _find_hidden_people("Drip Campaign", row.campaign, owner)
	mode = frappe.db.get_value("Drip Campaign", row.campaign, "tracking_mode")
	asks_for_nothing = row.log_event in (LogQuestion.NOT_OPENED, LogQuestion.NOT_CLICKED)
	if asks_for_nothing and mode != TrackingMode.INDIVIDUAL.value:
		yield _(
			"Campaign {0} does not record who opens and clicks (Tracking: {1}), so “{2}” would match everyone. Choose Sent, or another campaign."
		).format(row.campaign, _(mode or "None"), _(row.log_event))


def _find_list_problem(row, owner: str) -> Iterator[str]:
	yield from _find_hidden_people("Drip Target List", row.included_list, owner)


def _find_hidden_people(doctype: str, name: str, owner: str) -> Iterator[str]:
	for user in dict.fromkeys((owner, frappe.session.user)):
		if not may_see_people_of(doctype, name, user):
			message = _("{0} does not see the people of {1} {2}. Ask its owner to share it.")
			yield message.format(user, _(doctype), name)
			return


_CHECKS = {
	SourceKind.FILTERS: _find_filter_problem,
	SourceKind.REPORT: _find_report_problem,
	SourceKind.CAMPAIGN_ACTIVITY: _find_log_problem,
	SourceKind.TARGET_LIST: _find_list_problem,
}


def _find_loop_problem(target_list) -> Iterator[str]:
	"""Yield the loop, if the list includes itself, directly or through other lists."""
	name = target_list.name or target_list.list_name
	rows = frappe.get_all(
		"Drip Target List Source",
		filters={"kind": SourceKind.TARGET_LIST.value, "parent": ["!=", name]},
		fields=["parent", "included_list"],
	)
	includes: dict[str, list[str]] = {}
	own = [(name, row.included_list) for row in target_list.sources if row.included_list]
	for parent, included in [*((row.parent, row.included_list) for row in rows), *own]:
		includes.setdefault(parent, []).append(included)
	loop = find_loop(includes, name)
	if loop:
		yield _("The list would include itself: {0}. Remove one of these sources.").format(" → ".join(loop))


def find_everybody(target_list) -> tuple[str, int] | None:
	"""Return the recipient type and count of filters that match every record, or None."""
	for row in target_list.sources:
		if row.kind == SourceKind.FILTERS.value:
			audience = Audience(row.recipient_type, row.filters)
			total = audience.count()
			if total >= EVERYBODY_FROM and audience.is_everybody(total):
				return row.recipient_type, total
	return None
