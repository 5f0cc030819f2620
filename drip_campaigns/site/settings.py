"""Read Drip Settings: one function for each setting, with its default where the field is empty."""

from dataclasses import dataclass
from datetime import time, timedelta

import frappe
from frappe.utils import cint, flt, get_time

from drip_campaigns.core.schedule.confirmation import ConfirmationTimes

DEFAULT_BATCH_SIZE = 500
DEFAULT_RELEASE_MINUTES = 10
DEFAULT_ATTEMPTS = 5
DEFAULT_EXPIRY_DAYS = 14
DEFAULT_REMINDER_DAYS = 3
DEFAULT_PROOF_DAYS = 1095  # the period of limitation in most countries
DEFAULT_SIGN_UP_DAYS = 30
DEFAULT_DAYS_WHEN_AWAY = 7
DEFAULT_SOFT_BOUNCES, DEFAULT_SOFT_BOUNCE_DAYS = 3, 7
DEFAULT_BOUNCE_RATE, DEFAULT_COMPLAINT_RATE, DEFAULT_SAMPLE = 5.0, 0.3, 100
# How long Frappe's flush, which counts nothing, must not send an email that a limit or a block applies to
COUNTED_BY_US = timedelta(days=1)


def may_send() -> bool:
	"""Return True unless sending is paused, muted, or suspended now. Reads the database, not a cache."""
	suspended = cint(frappe.db.get_default("suspend_email_queue"))
	return not (is_sending_paused() or suspended or frappe.are_emails_muted())


def is_sending_paused() -> bool:
	"""Return True if Pause All Sending is set now. Reads the database, not a cache."""
	return bool(cint(frappe.db.get_single_value("Drip Settings", "pause_sending", cache=False)))


def batch_size() -> int:
	"""Return the size of a dispatch batch, from 1 to 5000; 0 or empty means 500."""
	return min(max(_number("batch_size"), 0), 5000) or DEFAULT_BATCH_SIZE


def release_after() -> timedelta:
	"""Return how long our delivery job has before Frappe's flush may send an email: 5 to 14 minutes, by default 10.

	With sending limits it is a day, because Frappe's flush ignores them.
	"""
	if any(row.per_hour or row.per_day for row in _settings().get("limits") or []):
		return COUNTED_BY_US
	minutes = _number("release_after_minutes")
	return timedelta(minutes=minutes if 5 <= minutes <= 14 else DEFAULT_RELEASE_MINUTES)


def dispatch_workers() -> int:
	"""Return how many background jobs may queue emails at the same time, from 1 to 16; 0 or empty means 1."""
	return min(max(_number("dispatch_workers"), 1), 16)


def max_attempts() -> int:
	"""Return how many attempts to make an email are allowed before its enrollment fails; 0 or empty means 5."""
	return _number("max_attempts") or DEFAULT_ATTEMPTS


@dataclass(frozen=True)
class Frequency:
	"""The frequency cap: at most `count` emails to an address in `days` days; 0 means no cap."""

	count: int
	days: int
	one_per_day: bool


def frequency_settings() -> Frequency:
	"""Return the frequency cap; empty settings mean no cap."""
	return Frequency(_number("cap_count"), _number("cap_days"), bool(_number("one_per_day")))


def quiet_hours() -> tuple[time, time] | None:
	"""Return the hours in which no marketing email is sent, on the recipient's clock; None unless both are set."""
	begins, ends = _settings().get("quiet_from"), _settings().get("quiet_to")
	return (get_time(begins), get_time(ends)) if begins and ends else None


def confirmation_times() -> ConfirmationTimes:
	"""Return when a confirmation is reminded of and expires: after 3 and 14 days unless set."""
	written = _read_saved().get("confirmation_reminder_days")
	days = DEFAULT_REMINDER_DAYS if written is None else cint(written)
	return ConfirmationTimes(
		remind_after=timedelta(days=days) if days else None,
		expire_after=timedelta(days=_number("confirmation_expiry_days") or DEFAULT_EXPIRY_DAYS),
	)


def days_when_away() -> int:
	"""Return how many days an enrollment waits after an absence without a certain day: 7 unless set, 0 for none."""
	written = _read_saved().get("days_when_away")
	return DEFAULT_DAYS_WHEN_AWAY if written is None else cint(written)


def consent_proof_retention() -> timedelta:
	"""Return how long the proof of a consent is kept after an erasure: three years unless set."""
	return timedelta(days=_number("consent_proof_days") or DEFAULT_PROOF_DAYS)


def sign_up_retention() -> timedelta:
	"""Return how long the Contact of an unconfirmed sign-up is kept: 30 days unless set."""
	return timedelta(days=_number("sign_up_contact_days") or DEFAULT_SIGN_UP_DAYS)


def tracking_needs_consent() -> bool:
	"""Return True if only people who agreed may be tracked individually; also if the setting was never saved."""
	written = _read_saved().get("tracking_needs_consent")
	return written is None or bool(cint(written))


def postal_address() -> str:
	"""Return the postal address for the footer of every email, or an empty string."""
	return _settings().postal_address or ""


def footer_reason() -> str:
	"""Return the footer's sentence that says why the email is sent, or an empty string."""
	return _settings().footer_reason or ""


@dataclass(frozen=True)
class SoftSeries:
	"""How many soft bounces in a row, within how many days, count as a hard bounce."""

	count: int
	days: int


@dataclass(frozen=True)
class Breaker:
	"""The rates in percent above which a campaign is paused, from `sample` emails on; 0 pauses nothing."""

	bounce_rate: float
	complaint_rate: float
	sample: int


def soft_series() -> SoftSeries:
	"""Return the limit of soft bounces: 3 within 7 days unless set."""
	return SoftSeries(
		_number("soft_bounce_count") or DEFAULT_SOFT_BOUNCES,
		_number("soft_bounce_days") or DEFAULT_SOFT_BOUNCE_DAYS,
	)


def breaker() -> Breaker:
	"""Return the limits of the circuit breaker: 5 % bounces and 0.3 % complaints among 100 emails unless set."""
	saved = _read_saved()
	return Breaker(
		flt(saved.get("breaker_bounce_rate", DEFAULT_BOUNCE_RATE)),
		flt(saved.get("breaker_complaint_rate", DEFAULT_COMPLAINT_RATE)),
		cint(saved.get("breaker_sample")) or DEFAULT_SAMPLE,
	)


def bot_networks() -> tuple[str, ...]:
	"""Return the networks whose clicks this site counts as bots."""
	return tuple((_settings().get("machine_networks") or "").split())


def allowed_senders() -> tuple[frozenset[str], frozenset[str]]:
	"""Return the users and the Email Accounts in whose name every Drip User may send."""
	rows = _settings().get("allowed_senders") or []
	users = frozenset(row.user for row in rows if row.user)
	return users, frozenset(row.email_account for row in rows if row.email_account)


def test_addresses() -> tuple[str, ...]:
	"""Return the addresses, one per line, that test emails may go to in addition to the users of Desk."""
	return tuple((_settings().get("test_addresses") or "").split())


def _read_saved() -> dict:
	"""Return the settings as saved: a field that was never saved is missing, where the document has 0."""
	return frappe.db.get_singles_dict("Drip Settings")


def _number(field: str) -> int:
	return cint(_settings().get(field))


def _settings():
	# Cached; Frappe clears the cache when the settings are saved. A batch reads several of them.
	return frappe.get_cached_doc("Drip Settings")
