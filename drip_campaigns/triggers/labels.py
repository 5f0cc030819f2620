"""A trigger as a sentence, for the rows of the form."""

from frappe import _

from drip_campaigns.triggers.kind import count_days
from drip_campaigns.triggers.registry import TRIGGER_KINDS


def describe(row) -> str:
	"""Return what a trigger does, in the language of the session's user: "When a Contact gets the tag Hot, 1 day later"."""
	parts = [TRIGGER_KINDS.get(row.kind).describe(row), _describe_delay(row)]
	if (row.filters or "[]") != "[]":
		parts.append(_("if it matches the filters"))
	return ", ".join(part for part in parts if part)


def _describe_delay(row) -> str:
	days, hours = row.delay_days or 0, row.delay_hours or 0
	if days and hours:
		return _("{0} and {1} later").format(count_days(days), _count_hours(hours))
	if days:
		return _("{0} later").format(count_days(days))
	return _("{0} later").format(_count_hours(hours)) if hours else ""


def _count_hours(hours: int) -> str:
	return _("1 hour") if hours == 1 else _("{0} hours").format(hours)
