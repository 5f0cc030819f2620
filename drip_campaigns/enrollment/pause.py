"""Pauses of enrollments, in batches: by a user, and by the recipient for an address. Nothing here commits.

The recipient's pause is kept with the address (`people/preferences.py`), so that enrollments made meanwhile wait too.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from frappe import _

from drip_campaigns.core.model import EventType, Plan, Position, Status
from drip_campaigns.core.transitions import can_happen
from drip_campaigns.db.dialect import is_among
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.changes import (
	iterate_plans,
	lock_enrollments,
	make_event,
	refuse_status,
	write_states,
)
from drip_campaigns.enrollment.exit import find_live_of
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError, VerbResult
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.cancel import pause_queued
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.plans.enrollment_state import (
	end_date_while_paused,
	is_paused_by_recipient,
	own_pause_end,
	waits_for_confirmation,
)
from drip_campaigns.site.clock import from_site, to_site


def pause_enrollments(
	names: Sequence[str], now: datetime, *, until: datetime | None = None, detail: str | None = None
) -> VerbResult:
	"""Pause enrollments and what is queued for them; no step is lost.

	With `until` (UTC) they resume at that moment; without it, a user resumes them. A pause that the recipient asked for
	is kept beside this one, and the later end counts. Raises EnrollmentRefusedError for an `until` in the past.
	"""
	if until and until <= now:
		raise EnrollmentRefusedError(_("A pause ends in the future. Choose a later moment."))
	result, states = VerbResult(), []
	for row, position, plan, _subjects in iterate_plans(lock_enrollments(names)):
		end = until
		if is_paused_by_recipient(row, now):
			end = until and max(until, from_site(row.paused_until))
		elif not can_happen(Status(row.status), EventType.PAUSED):
			result.refusals[row.name] = refuse_status(row)
			continue
		paused = pause_fields(row, plan, position, end, now)
		states.append({**row, **paused, "own_paused_until": to_site(until)})
	_write_pauses(states, detail, now)
	result.done = len(states)
	return result


def pause_fields(
	row: Mapping[str, Any], plan: Plan, position: Position, until: datetime | None, now: datetime
) -> dict[str, Any]:
	"""Return the fields of an enrollment that is paused until `until`; one that is paused stays so since it was."""
	since = (row["status"] == Status.PAUSED.value and from_site(row["paused_at"])) or now
	waits = waits_for_confirmation(row)
	return {
		"status": Status.PAUSED.value,
		"next_send_at": None,
		"paused_at": to_site(since),
		"paused_until": to_site(until),
		**({} if waits else end_date_while_paused(plan, position, since, until, now)),
	}


def pause_address(address: str, until: datetime, now: datetime) -> None:
	"""Pause every live enrollment of `address` until then for the recipient, what is queued included, and new ones too.

	An enrollment that a user has paused stays paused by the user: the later of two ends counts. Asking again moves the end.
	"""
	save_preference(address, paused_until=to_site(until))
	paused, moved = [], []
	for row, position, plan, _subjects in iterate_plans(lock_enrollments(find_live_of(address))):
		if row.status != Status.PAUSED.value:
			paused.append({**row, **pause_fields(row, plan, position, until, now)})
		elif row.paused_until:
			later = max(until, own_pause_end(row, now) or until)
			moved.append({**row, **pause_fields(row, plan, position, later, now)})
	write_states(moved, now)
	_write_pauses(paused, _("The recipient asked for a pause."), now)


def end_address_pause(address: str, now: datetime) -> None:
	"""Resume every enrollment of `address` with the next dispatch, with the rest of the delay that was running.

	What a user has paused stays paused until the user's end.
	"""
	save_preference(address, paused_until=None)
	write_states(
		[
			{**row, **pause_fields(row, plan, position, own_pause_end(row, now) or now, now)}
			for row, position, plan, _subjects in iterate_plans(lock_enrollments(find_live_of(address)))
			if row.paused_until
		],
		now,
	)


def _write_pauses(states: Sequence[dict[str, Any]], detail: str | None, now: datetime) -> None:
	if not states:
		return
	pause_queued(is_among(emails.email_table().enrollment, [state["name"] for state in states]), now=now)
	write_states(states, now)
	record_events([make_event(state, EventType.PAUSED, detail) for state in states], to_site(now))
