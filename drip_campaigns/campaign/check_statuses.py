"""Find the triggers that wait for a status which forbids email, so that they can enroll nobody. Reads only."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from frappe import _

from drip_campaigns.people.recipient_types import available_types, get_type
from drip_campaigns.people.status_flags import find_stop_flags
from drip_campaigns.site.messages import tell
from drip_campaigns.triggers.find_people import read_trigger_filters


def warn_of_forbidding_statuses(campaign) -> None:
	"""Warn the user of triggers that enroll nobody; the campaign is saved all the same."""
	if lines := list(_find_dead_triggers(campaign).values()):
		tell("\n".join(lines), title=_("Nobody can be enrolled"), indicator="orange")


def find_status_problems(campaign) -> Iterator[str]:
	"""Yield what forbids activating a campaign whose triggers all enroll nobody."""
	dead, enabled = _find_dead_triggers(campaign), [row for row in campaign.triggers if row.enabled]
	if enabled and not campaign.target_lists and len(dead) == len(enabled):
		yield from dead.values()


def _find_dead_triggers(campaign) -> dict[int, str]:
	"""Return the sentence about each trigger that can enroll nobody, by its number."""
	known = available_types()
	dead = {}
	for row in campaign.triggers:
		asked = row.enabled and row.recipient_type in known
		if asked and (said := _explain(row, bool(campaign.also_to_closed))):
			dead[row.idx] = _("Trigger {0}: {1}").format(row.idx, said)
	return dead


def _explain(row, also_to_closed: bool) -> str:
	flags = find_stop_flags(get_type(row.recipient_type))
	forbidden: dict[str, set[str]] = defaultdict(set)
	closed: dict[str, set[str]] = defaultdict(set)
	for flag in flags:
		values = map(_as_text, flag.values)
		(closed if flag.is_closed else forbidden)[flag.fieldname].update(values)
	for field, wanted in _find_wanted(row):
		names = ", ".join(sorted(wanted))
		if wanted <= forbidden[field]:
			sentence = _("{0} records with {1} get no email, so it enrolls nobody. Choose another value.")
			return sentence.format(_(row.recipient_type), names)
		if not also_to_closed and wanted <= forbidden[field] | closed[field]:
			sentence = _(
				"{0} records with {1} are closed, so it enrolls nobody. Tick {2}, or choose another value."
			)
			return sentence.format(_(row.recipient_type), names, _("Also to Closed Records"))
	return ""


def _find_wanted(row) -> Iterator[tuple[str, set[str]]]:
	"""Yield each field that must have one of some values for the trigger to enroll somebody."""
	if row.field_name and row.field_value:
		yield row.field_name, {_as_text(row.field_value)}
	for doctype, field, operator, value in read_trigger_filters(row):
		if doctype == row.recipient_type and operator == "=":
			yield field, {_as_text(value)}
		elif doctype == row.recipient_type and operator == "in":
			values = value.split(",") if isinstance(value, str) else value
			yield field, set(map(_as_text, values))


def _as_text(value: Any) -> str:
	return str(value).strip().casefold()
