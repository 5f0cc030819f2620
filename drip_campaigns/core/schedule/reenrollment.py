"""What happens when a recipient is enrolled in a campaign again: refuse, resume, or restart."""

from __future__ import annotations

from datetime import datetime, timedelta

from drip_campaigns.core.model import (
	LIVE_STATUSES,
	Plan,
	Position,
	ReEnrollment,
	ReEnrollmentDecision,
	Refuse,
	Restart,
	Resume,
	Status,
)
from drip_campaigns.core.schedule.due_steps import begin, find_next, shift, zone_of
from drip_campaigns.core.schedule.wall_clock import from_wall, to_utc, to_wall


def re_enroll(
	plan: Plan, position: Position, status: Status, ended_at: datetime, now: datetime
) -> ReEnrollmentDecision:
	"""Decide what enrolling again at `now` does to an enrollment that was idle since `ended_at`.

	`ended_at` is the moment it ended or was completed, or the beginning of the pause it was in when it ended. A recipient
	who unsubscribed is always refused; a live enrollment does not change.
	"""
	if status in LIVE_STATUSES:
		return Refuse("The recipient is already in this campaign.")
	if status is Status.UNSUBSCRIBED:
		return Refuse("The recipient has unsubscribed from this campaign.")
	if plan.re_enrollment is ReEnrollment.NEVER:
		return Refuse("This campaign enrolls each recipient once.")
	if plan.re_enrollment is ReEnrollment.RESTART:
		return _restart(plan, position, ended_at, now)
	if status is Status.COMPLETED and find_next(plan, position) is None:
		return Refuse("The recipient completed this campaign, and no step was added since then.")
	return Resume(shift(plan, position, ended_at, now))


def _restart(plan: Plan, position: Position, ended_at: datetime, now: datetime) -> ReEnrollmentDecision:
	zone = zone_of(plan, position)
	earliest = from_wall(to_wall(to_utc(ended_at), zone) + timedelta(days=plan.restart_after_days), zone)
	if now < earliest:
		return Refuse(f"This campaign can restart on {to_wall(earliest, zone):%Y-%m-%d at %H:%M}.")
	return Restart(begin(now, position.timezone))
