"""Why Not?: for one record and one campaign, rule by rule and filter by filter, whether it would be enrolled. Reads only."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.campaign_checks import check_campaign, check_recipient_type, find_start
from drip_campaigns.enrollment.eligibility import RULES, Eligibility
from drip_campaigns.people.list_filters import check_filters as check
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.record_scope import list_readable
from drip_campaigns.site.clock import site_date


@dataclass(frozen=True)
class Check:
	"""One question, whether its result allows enrolling, and what was found if it does not."""

	question: str
	is_met: bool
	finding: str = ""


def explain(
	campaign: str, recipient_type: str, recipient: str, now: datetime, filters: str | None = None
) -> dict[str, Any]:
	"""Return {"would_enroll": bool, "checks": [...]} with every check, in the order of the rules."""
	document = frappe.get_doc("Drip Campaign", campaign)
	checks = [
		*_check_campaign(document, recipient_type, now),
		*check_filters(recipient_type, recipient, filters),
	]
	if recipient_type in available_types():
		checks += _check_rules(document, recipient_type, recipient, now)
	return {
		"would_enroll": all(check.is_met for check in checks),
		"checks": [asdict(check) for check in checks],
	}


def _check_campaign(campaign, recipient_type: str, now: datetime) -> Iterator[Check]:
	yield _try(_("Is the campaign open?"), lambda: check_campaign(campaign))
	yield _try(_("Can an enrollment start today?"), lambda: find_start(site_date(now), campaign, None, now))
	question = _("Can {0} records be enrolled?").format(_(recipient_type))
	yield _try(question, lambda: check_recipient_type(recipient_type))


def _check_rules(campaign, recipient_type: str, recipient: str, now: datetime) -> Iterator[Check]:
	facts = Eligibility(campaign, recipient_type, now).load_facts([recipient])
	[candidate] = facts.candidates
	for rule in RULES:
		refusal = rule.find_refusal(facts, candidate)
		yield Check(_(rule.question), not refusal, refusal.reason if refusal else "")
		if refusal and rule.is_needed_by_others:
			return


def check_filters(recipient_type: str, recipient: str, filters: str | None) -> Iterator[Check]:
	"""Yield a check for each filter: a few queries, however many records match."""
	for row in check(recipient_type, filters, frappe.session.user):
		doctype, field, operator, value = row
		names = list_readable(
			recipient_type,
			filters=[row, [recipient_type, "name", "=", recipient]],
			pluck="name",
			limit_page_length=1,
		)
		label = _(frappe.get_meta(doctype).get_label(field))
		question = _("Filter: {0} {1} {2}").format(label, _(operator), value)
		is_own = doctype == recipient_type and frappe.get_meta(doctype).has_field(field)
		finding = _describe_value(recipient_type, recipient, field) if is_own else ""
		yield Check(question, bool(names), "" if names else finding)


def _describe_value(recipient_type: str, recipient: str, field: str) -> str:
	"""Return what a field holds, if the session's user may read the record and the field."""
	filters = [[recipient_type, "name", "=", recipient]]
	rows = list_readable(recipient_type, filters=filters, fields=[field], limit_page_length=1)
	return _("It is {0}.").format(rows[0][field] or _("empty")) if rows and field in rows[0] else ""


def _try(question: str, check: Callable[[], Any]) -> Check:
	try:
		check()
	except DripError as error:
		return Check(question, False, str(error))
	return Check(question, True)
