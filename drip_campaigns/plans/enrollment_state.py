"""Converts between a Drip Enrollment's fields and the position of the pure core.

The state is a plain mapping of field names, so that a document, a row of a batch and a dict of changes work alike.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from drip_campaigns.core.model import LIVE_STATUSES, ExitReason, Plan, Position, Status
from drip_campaigns.core.plain_text import put_fields_in_brackets
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.confirmation import QUESTIONS, Confirmation
from drip_campaigns.core.schedule.wall_clock import NEVER
from drip_campaigns.people.addresses import live_key, normalize
from drip_campaigns.people.preferences import Preference
from drip_campaigns.site.clock import from_site, site_date, to_site, to_site_plan

LIVE_VALUES = frozenset(status.value for status in LIVE_STATUSES)


def read_position(row: Mapping[str, Any], done: Iterable[str]) -> Position:
	"""Return the position from the enrollment's fields and its handled steps."""
	return Position(
		start=from_site(row["started_at"]),
		timezone=row["time_zone"] or None,
		done=frozenset(done).difference(QUESTIONS),
		anchor_at=from_site(row["anchor_at"]),
		anchor_hours=row["anchor_hours"] or 0,
		reached_step=row["reached_step"] or None,
		reached_hours=row["reached_hours"] or 0,
		not_before=from_site(row["deferred_until"]),
		jump_to=row["jump_to"] or None,
		waiting_since=from_site(row["waiting_since"]),
	)


def position_fields(position: Position) -> dict[str, Any]:
	"""Return the fields that store a position."""
	return {
		"started_at": to_site(position.start),
		"time_zone": position.timezone,
		"anchor_at": to_site_plan(position.anchor_at),
		"anchor_hours": position.anchor_hours,
		"reached_step": position.reached_step,
		"reached_hours": position.reached_hours,
		"deferred_until": to_site_plan(position.not_before),
		"jump_to": position.jump_to,
		"waiting_since": to_site_plan(position.waiting_since),
	}


def plan_fields(
	plan: Plan, position: Position, subjects: Mapping[str, str], last_at: datetime | None
) -> dict[str, Any]:
	"""Return the next step, its moment, and the day of the last step, as the enrollment shows them.

	`last_at` is when the last step was handled, for an enrollment with no step to come.
	"""
	following = due_steps.next_send_at(plan, position)
	step, moment = following or (None, None)
	return {
		"next_step": step,
		"next_step_subject": put_fields_in_brackets(subjects.get(step) or "") if step else None,
		"next_send_at": plan_to_site(moment),
		"end_date": due_steps.end_date(plan, position, last_at),
	}


def plan_to_site(moment: datetime | None) -> datetime | None:
	"""Return what `next_send_at` stores for a planned moment: nothing for a step that waits until a user resumes it."""
	return None if moment == NEVER else to_site_plan(moment)


def waits_for_confirmation(row: Mapping[str, Any]) -> bool:
	"""Return whether an enrollment waits for its recipient to confirm."""
	return row["confirmation"] == Confirmation.AWAITING.value


def waiting_fields(ask_at: datetime) -> dict[str, Any]:
	"""Return the fields of an enrollment that waits for confirmation and is checked again at `ask_at`."""
	return {
		"confirmation": Confirmation.AWAITING.value,
		"status": Status.SCHEDULED.value,
		"next_step": None,
		"next_step_subject": None,
		"next_send_at": to_site_plan(ask_at),
	}


def wait_on(row: Mapping[str, Any], held_from: datetime, now: datetime) -> dict[str, Any]:
	"""Return the fields of an enrollment that still waits for confirmation after a pause; the pause does not count."""
	asked_at = from_site(row["confirmation_asked_at"])
	shifted = asked_at + (now - max(held_from, asked_at)) if asked_at else None
	return {**waiting_fields(now), "confirmation_asked_at": to_site(shifted)}


def live_keys(
	campaign: str, recipient_type: str, recipient: str | None, address: str | None
) -> dict[str, str]:
	"""Return the unique keys of a live enrollment: one by record, one by address.

	An enrollment whose record was deleted or erased has neither, and is never live again.
	"""
	return {
		"live_recipient": live_key(campaign, "recipient", recipient_type, recipient or ""),
		"live_address": live_key(campaign, "address", normalize(address or "")),
	}


def recipient_pause_fields(
	preference: Preference, plan: Plan, position: Position, now: datetime
) -> dict[str, Any]:
	"""Return the fields of an enrollment whose recipient has asked for a pause; empty without a pause."""
	if not preference.is_paused_at(now):
		return {}
	return {
		"status": Status.PAUSED.value,
		"next_send_at": None,
		"paused_at": to_site(now),
		"paused_until": to_site(preference.paused_until),
		**end_date_while_paused(plan, position, now, preference.paused_until, now),
	}


def own_pause_end(row: Mapping[str, Any], now: datetime) -> datetime | None:
	"""Return the end of a pause of the enrollment itself, not of its recipient; None if it is over or has no end."""
	until = from_site(row.get("own_paused_until"))
	return until if until and until > now else None


def is_paused_by_recipient(row: Mapping[str, Any], now: datetime) -> bool:
	"""Return whether an enrollment is paused only because its recipient has asked for a pause."""
	is_dated = row.get("status") == Status.PAUSED.value and row.get("paused_until")
	return bool(is_dated) and own_pause_end(row, now) is None


def end_date_while_paused(
	plan: Plan, position: Position, held_from: datetime, until: datetime | None, now: datetime
) -> dict[str, Any]:
	"""Return the end date of a paused enrollment, as if it resumed at `until`, or at `now` if the pause has no end."""
	goes_on = max(until or now, now)
	shifted = due_steps.shift(plan, position, held_from, goes_on)
	return {"end_date": due_steps.end_date(plan, shifted, goes_on)}


def final_fields(status: Status, now: datetime, exit_reason: ExitReason | None = None) -> dict[str, Any]:
	"""Return the fields of an enrollment that ends at `now`: nothing is due, and its keys are free again.

	An enrollment that is completed keeps the day of its last step; any other ends today. One that is unsubscribed during a
	pause keeps the pause, so that a recipient who resubscribes continues as before.
	"""
	early = {} if status is Status.COMPLETED else {"end_date": site_date(now)}
	pause = {} if status is Status.UNSUBSCRIBED else {"paused_at": None, "paused_until": None}
	return {
		**early,
		**pause,
		"status": status.value,
		"exit_reason": exit_reason.value if exit_reason else None,
		"next_step": None,
		"next_step_subject": None,
		"next_send_at": None,
		"waiting_since": None,
		"ended_at": to_site(now),
		"live_recipient": None,
		"live_address": None,
	}
