"""Why not? For one record and one campaign: rule by rule and filter by filter, whether it would be enrolled. Reads only."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.admission import check_campaign, start_moment
from drip_campaigns.enrollment.eligibility import RULES, Eligibility, EligibilityData
from drip_campaigns.people.audience import Audience
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.site.clock import site_date


@dataclass(frozen=True)
class Check:
	"""One question, whether it speaks for enrolling, and what was found if it does not."""

	question: str
	is_met: bool
	finding: str = ""


def explain(
	campaign: str, recipient_type: str, recipient: str, now: datetime, filters: str | None = None
) -> dict[str, Any]:
	"""Return {"would_enroll": bool, "checks": [...]}: every check, those that are met included."""
	document = frappe.get_doc("Drip Campaign", campaign)
	checks = [
		*_ask_campaign(document, recipient_type, now),
		*ask_filters(recipient_type, recipient, filters),
	]
	if recipient_type in available_types():
		checks += _ask_rules(document, recipient_type, recipient, now)
	return {
		"would_enroll": all(check.is_met for check in checks),
		"checks": [asdict(check) for check in checks],
	}


def _ask_campaign(campaign, recipient_type: str, now: datetime) -> Iterator[Check]:
	yield _try(_("Does the campaign take anybody?"), lambda: check_campaign(campaign))
	yield _try(_("Can an enrollment start today?"), lambda: start_moment(site_date(now), campaign, None, now))
	is_type = recipient_type in available_types()
	finding = "" if is_type else _("Choose one of: {0}.").format(", ".join(available_types()))
	yield Check(_("Can {0} records be enrolled?").format(_(recipient_type)), is_type, finding)


def _ask_rules(campaign, recipient_type: str, recipient: str, now: datetime) -> Iterator[Check]:
	facts = EligibilityData(Eligibility(campaign, recipient_type, now), [recipient])
	for rule in RULES:
		reason = rule.ask(facts, recipient)
		yield Check(_(rule.label), not reason, reason or "")
		if reason and rule.is_needed_by_others:
			return


def ask_filters(recipient_type: str, recipient: str, filters: str | None) -> Iterator[Check]:
	"""Ask each filter on its own; there are a few, however many records match."""
	for row in Audience(recipient_type, filters).filters:
		field, condition, value = row[-3:] if len(row) == 3 else row[1:4]
		names = frappe.get_list(
			recipient_type,
			filters=[row, [recipient_type, "name", "=", recipient]],
			pluck="name",
			limit_page_length=1,
		)
		question = _("Filter: {0} {1} {2}").format(_label(row, recipient_type, field), _(condition), value)
		finding = _tell_value(recipient_type, recipient, field) if _is_own(row, recipient_type, field) else ""
		yield Check(question, bool(names), "" if names else finding)


def _tell_value(recipient_type: str, recipient: str, field: str) -> str:
	"""Return what a field holds, if the session's user may read the record and the field."""
	filters = [[recipient_type, "name", "=", recipient]]
	rows = frappe.get_list(recipient_type, filters=filters, fields=[field], limit_page_length=1)
	return _("It is {0}.").format(rows[0][field] or _("empty")) if rows and field in rows[0] else ""


def _is_own(row: list, recipient_type: str, field: str) -> bool:
	return (len(row) == 3 or row[0] == recipient_type) and frappe.get_meta(recipient_type).has_field(field)


def _label(row: list, recipient_type: str, field: str) -> str:
	doctype = row[0] if len(row) > 3 else recipient_type
	return _(frappe.get_meta(doctype).get_label(field))


def _try(question: str, ask) -> Check:
	try:
		ask()
	except DripError as error:
		return Check(question, False, str(error))
	return Check(question, True)
