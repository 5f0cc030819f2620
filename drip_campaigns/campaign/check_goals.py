"""Check the goal of a campaign before it is saved."""

from collections.abc import Iterator

from frappe import _

from drip_campaigns.campaign.check_filters import find_filter_problems
from drip_campaigns.core.flow.goals import GoalKind
from drip_campaigns.exit_rules.documents import has_doctype
from drip_campaigns.people.recipient_types import available_types

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
	if campaign.goal == GoalKind.RECORD_MATCHES and (campaign.goal_filters or "[]") == "[]":
		yield _("Goal: without filters, every record reaches it. Choose at least one.")
		return
	before = campaign.get_doc_before_save()
	was = before and (before.goal_recipient_type or before.goal_document, before.goal_filters)
	for problem in find_filter_problems(
		campaign, doctype, campaign.goal_filters, was == (doctype, campaign.goal_filters)
	):
		yield _("Goal: {0}").format(problem)
