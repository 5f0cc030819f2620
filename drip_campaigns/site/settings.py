"""What Drip Settings say about sending, with the meaning of an empty field in one place."""

from dataclasses import dataclass
from datetime import time, timedelta

import frappe
from frappe.utils import cint, get_time

from drip_campaigns.core.schedule.confirmation import ConfirmationTimes

DEFAULT_BATCH_SIZE = 500
DEFAULT_RELEASE_MINUTES = 10
DEFAULT_ATTEMPTS = 5
DEFAULT_EXPIRY_DAYS = 14
DEFAULT_REMINDER_DAYS = 3
DEFAULT_PROOF_DAYS = 1095  # the period of limitation in most countries
DEFAULT_SIGN_UP_DAYS = 30
# Frappe's flush counts nothing: what a limit or a brake is about is left to us for so long.
COUNTED_BY_US = timedelta(days=1)


def may_send() -> bool:
	"""Say whether anything may leave this site now: not held, not muted, not suspended. Never answered from a cache."""
	suspended = cint(frappe.db.get_default("suspend_email_queue"))
	return not (is_sending_paused() or suspended or frappe.are_emails_muted())


def is_sending_paused() -> bool:
	"""Say whether Hold All Sending is on now. Never answered from a cache."""
	return bool(cint(frappe.db.get_single_value("Drip Settings", "pause_sending", cache=False)))


def batch_size() -> int:
	"""Return how many enrollments one transaction takes, from 1 to 5000; 0 or empty means 500."""
	return min(max(_number("batch_size"), 0), 5000) or DEFAULT_BATCH_SIZE


def release_after() -> timedelta:
	"""Return for how long a queued email is ours before Frappe's flush may take it: 5 to 14 minutes, else 10.

	A day where there are sending limits: no queue of jobs that is stuck shall exceed them.
	"""
	if any(row.per_hour or row.per_day for row in _settings().get("limits") or []):
		return COUNTED_BY_US
	minutes = _number("release_after_minutes")
	return timedelta(minutes=minutes if 5 <= minutes <= 14 else DEFAULT_RELEASE_MINUTES)


def dispatch_workers() -> int:
	"""Return how many background jobs may queue emails at once, from 1 to 16; 0 or empty means 1."""
	return min(max(_number("dispatch_workers"), 1), 16)


def max_attempts() -> int:
	"""Return how often making an email is tried before its enrollment is Failed; 0 or empty means 5."""
	return _number("max_attempts") or DEFAULT_ATTEMPTS


@dataclass(frozen=True)
class Frequency:
	"""How often an address may be written to: at most `count` emails in `days` days; 0 is no cap."""

	count: int
	days: int
	one_per_day: bool


def frequency_settings() -> Frequency:
	"""Return the frequency cap; nothing set means that there is none."""
	return Frequency(_number("cap_count"), _number("cap_days"), bool(_number("one_per_day")))


def quiet_hours() -> tuple[time, time] | None:
	"""Return from when to when no marketing email leaves, on the recipient's clock; None unless both are set."""
	begins, ends = _settings().get("quiet_from"), _settings().get("quiet_to")
	return (get_time(begins), get_time(ends)) if begins and ends else None


def confirmation_times() -> ConfirmationTimes:
	"""Return how long a confirmation is waited for: a reminder after 3 days if nothing is set, the end after 14."""
	written = _written("confirmation_reminder_days")
	days = DEFAULT_REMINDER_DAYS if written is None else cint(written)
	return ConfirmationTimes(
		remind_after=timedelta(days=days) if days else None,
		expire_after=timedelta(days=_number("confirmation_expiry_days") or DEFAULT_EXPIRY_DAYS),
	)


def consent_proof_retention() -> timedelta:
	"""Return how long the proof of a consent outlives an erasure: three years, if nothing is set."""
	return timedelta(days=_number("consent_proof_days") or DEFAULT_PROOF_DAYS)


def sign_up_retention() -> timedelta:
	"""Return how long a Contact is kept whose visitor never confirmed: 30 days, if nothing is set."""
	return timedelta(days=_number("sign_up_contact_days") or DEFAULT_SIGN_UP_DAYS)


def tracking_needs_consent() -> bool:
	"""Say whether only those who agreed may be tracked as persons; yes, if nothing is set."""
	written = _written("tracking_needs_consent")
	return written is None or bool(cint(written))


def postal_address() -> str:
	"""Return the address that stands at the foot of every email, or nothing."""
	return _settings().postal_address or ""


def _written(field: str) -> str | None:
	"""Return what stands in the database: None for a field that nobody has saved yet, which Frappe reads as 0."""
	return frappe.db.get_singles_dict("Drip Settings").get(field)


def footer_reason() -> str:
	"""Return the sentence at the foot of every email that says why it is sent, or nothing."""
	return _settings().footer_reason or ""


def _number(field: str) -> int:
	return cint(_settings().get(field))


def _settings():
	# From the cache, which Frappe clears when the settings are saved: a batch asks for half a dozen of them.
	return frappe.get_cached_doc("Drip Settings")
