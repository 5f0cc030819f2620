"""What Drip Settings say about bounces, complaints and replies, with the meaning of an empty field in one place."""

from dataclasses import dataclass

import frappe
from frappe.utils import cint, flt

DEFAULT_SOFT_COUNT, DEFAULT_SOFT_DAYS = 3, 7
DEFAULT_BOUNCE_RATE, DEFAULT_COMPLAINT_RATE, DEFAULT_SAMPLE = 5.0, 0.3, 100


@dataclass(frozen=True)
class SoftSeries:
	"""How many soft bounces in a row, over how many days, are a hard one."""

	count: int
	days: int


@dataclass(frozen=True)
class Breaker:
	"""The rates in per cent above which a campaign is paused, of at least so many emails; 0 pauses nothing."""

	bounce_rate: float
	complaint_rate: float
	sample: int


def soft_series() -> SoftSeries:
	"""Return what is set, else three over seven days."""
	written = _written()
	count = cint(written.get("soft_bounce_count")) or DEFAULT_SOFT_COUNT
	return SoftSeries(count, cint(written.get("soft_bounce_days")) or DEFAULT_SOFT_DAYS)


def breaker() -> Breaker:
	"""Return what is set, else 5 % of bounces and 0.3 % of complaints among 100 emails."""
	written = _written()
	return Breaker(
		flt(written.get("breaker_bounce_rate", DEFAULT_BOUNCE_RATE)),
		flt(written.get("breaker_complaint_rate", DEFAULT_COMPLAINT_RATE)),
		cint(written.get("breaker_sample")) or DEFAULT_SAMPLE,
	)


def machine_networks() -> tuple[str, ...]:
	"""Return the networks from which, as this site knows, only machines follow links; none if nothing is set."""
	return tuple((_written().get("machine_networks") or "").split())


def _written() -> dict:
	"""What stands in the database: a field that nobody has saved yet is missing, and not 0."""
	return frappe.db.get_singles_dict("Drip Settings")
