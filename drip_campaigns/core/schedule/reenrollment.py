"""What happens to somebody who is put on a campaign again: refused, taken up where they were, or started over."""

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
	"""Say what enrolling again at `now` means for an enrollment that has been idle since `ended_at`.

	`ended_at` is the moment it ended or was completed, or that of the pause it was in when it ended. Whoever has
	unsubscribed is refused whatever the plan says; one who is on the campaign stays where they are.
	"""
	if status in LIVE_STATUSES:
		return Refuse("The recipient is on this campaign already.")
	if status is Status.UNSUBSCRIBED:
		return Refuse("The recipient has unsubscribed from this campaign.")
	if plan.re_enrollment is ReEnrollment.NEVER:
		return Refuse("This campaign takes nobody twice.")
	if plan.re_enrollment is ReEnrollment.RESTART:
		return _restart(plan, position, ended_at, now)
	if status is Status.COMPLETED and find_next(plan, position) is None:
		return Refuse("The recipient has completed this campaign, and no step has been added since.")
	return Resume(shift(plan, position, ended_at, now))


def _restart(plan: Plan, position: Position, ended_at: datetime, now: datetime) -> ReEnrollmentDecision:
	zone = zone_of(plan, position)
	earliest = from_wall(to_wall(to_utc(ended_at), zone) + timedelta(days=plan.restart_after_days), zone)
	if now < earliest:
		return Refuse(f"This campaign can start over on {to_wall(earliest, zone):%Y-%m-%d at %H:%M}.")
	return Restart(begin(now, position.timezone))
