"""Check the goal of a campaign before it is saved."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.core.flow.goals import GoalKind
from drip_campaigns.exit_rules.documents import has_doctype
from drip_campaigns.exit_rules.find_exits import goal_filters
from drip_campaigns.people.audience import Audience, InvalidFiltersError
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.triggers.find_people import find_matching

_FIELDS = {GoalKind.RECORD_MATCHES: "goal_recipient_type", GoalKind.DOCUMENT_CREATED: "goal_document"}


def prepare_goal(campaign) -> None:
	"""Clear what does not belong to the kind of goal."""
	for kind, field in _FIELDS.items():
		if campaign.goal != kind:
			campaign.set(field, None)
	if not campaign.goal:
		campaign.goal_filters, campaign.goal_within_days = None, 0


def find_goal_problems(campaign) -> Iterator[str]:
	"""Yield what forbids saving a campaign with this goal."""
	if not campaign.goal:
		return
	field = _FIELDS[GoalKind(campaign.goal)]
	doctype = campaign.get(field)
	if not doctype:
		yield _("Goal: {0} is empty. Choose one.").format(_(campaign.meta.get_label(field)))
	elif not has_doctype(doctype):
		yield _("Goal: this site has no {0} records. Choose another one.").format(_(doctype))
	elif campaign.goal == GoalKind.RECORD_MATCHES and doctype not in available_types():
		yield _("Goal: {0} records cannot be enrolled. Choose one of: {1}.").format(
			_(doctype), ", ".join(available_types())
		)
	else:
		yield from _filters(campaign, doctype)


def _filters(campaign, doctype: str) -> Iterator[str]:
	try:
		filters = goal_filters(campaign)
		if not filters and campaign.goal == GoalKind.RECORD_MATCHES:
			yield _("Goal: without filters, every record reaches it. Choose at least one.")
			return
		Audience(doctype, campaign.goal_filters)
		find_matching(doctype, filters, ["", "-"])
	except InvalidFiltersError as error:
		yield _("Goal: {0}").format(error)
	except (ValueError, TypeError, KeyError, frappe.ValidationError, frappe.DataError) as error:
		yield _("Goal: the filters cannot be used: {0}. Clear them and choose again.").format(error)
