"""The values of the core: statuses, the plan of a campaign, the position of an enrollment, and decisions.

Values are compared by content and never change. The values of the enums are the labels in Desk and equal the options of
the DocTypes. `schedule/due_steps.py` and `flow/turn.py` compute with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple

from drip_campaigns.core.flow.step_flow import PLAIN, Flow
from drip_campaigns.core.label import Label

ALL_WEEKDAYS = frozenset(range(7))


class Status(Label):
	"""The status of an enrollment."""

	SCHEDULED = "Scheduled"
	IN_PROGRESS = "In Progress"
	PAUSED = "Paused"
	COMPLETED = "Completed"
	UNSUBSCRIBED = "Unsubscribed"
	EXITED = "Exited"
	FAILED = "Failed"


LIVE_STATUSES = frozenset({Status.SCHEDULED, Status.IN_PROGRESS, Status.PAUSED})


class ExitReason(Label):
	"""Why a rule or a user ended an enrollment."""

	REPLY = "Reply"
	GOAL = "Goal"
	HARD_BOUNCE = "Hard Bounce"
	COMPLAINT = "Complaint"
	SUPPRESSED = "Suppressed"
	RECIPIENT_DELETED = "Recipient Deleted"
	REMOVED = "Removed"
	CONDITION = "Condition"
	NOT_CONFIRMED = "Not Confirmed"
	EXCLUDED = "Excluded"
	LEFT_LIST = "Left List"
	CONVERTED = "Converted"
	NO_LONGER_MATCHING = "No Longer Matching"


class CampaignStatus(Label):
	"""Whether a campaign enrolls and sends."""

	DRAFT = "Draft"
	ACTIVE = "Active"
	PAUSED = "Paused"
	ENDED = "Ended"


class CountedFrom(Label):
	"""What the days and hours of a step are counted from."""

	START = "Start"
	PREVIOUS_STEP = "Previous Step"


class StepType(Label):
	"""What a step does at its moment."""

	SEND = "Send Email"
	WAIT = "Wait Until"
	ACTION = "Action"
	END = "End"


class IfLate(Label):
	"""What a late step does to the steps after it."""

	KEEP_INTERVALS = "Keep Intervals"
	KEEP_DATES = "Keep Dates"


class ReEnrollment(Label):
	"""What happens when a recipient is enrolled in a campaign again."""

	NEVER = "Never"
	RESUME = "Resume"
	RESTART = "Restart"


class EmailStatus(Label):
	"""The status of one email: of one step to one enrollment."""

	QUEUED = "Queued"
	SENDING = "Sending"
	SENT = "Sent"
	SKIPPED = "Skipped"
	FAILED = "Failed"
	IN_DOUBT = "In Doubt"


class EventType(Label):
	"""What can happen to an enrollment."""

	ENROLLED = "Enrolled"
	STARTED = "Started"
	QUEUED = "Queued"
	SENT = "Sent"
	SKIPPED = "Skipped"
	OPENED = "Opened"
	CLICKED = "Clicked"
	BOUNCED = "Bounced"
	COMPLAINED = "Complained"
	REPLIED = "Replied"
	UNSUBSCRIBED = "Unsubscribed"
	PAUSED = "Paused"
	RESUMED = "Resumed"
	COMPLETED = "Completed"
	REOPENED = "Reopened"
	EXITED = "Exited"
	FAILED = "Failed"
	CANCELED = "Canceled"
	RESUBSCRIBED = "Resubscribed"
	SUPPRESSED = "Suppressed"
	LIFTED = "Lifted"
	CONFIRMED = "Confirmed"
	FEEDBACK = "Feedback"
	ADDRESS_CHANGED = "Address Changed"
	MOVED = "Moved"
	DEFERRED = "Deferred"
	BRANCHED = "Branched"
	ACTED = "Action Done"
	ACTION_FAILED = "Action Failed"


class UnsubscribeScope(Label):
	"""What a recipient unsubscribes from. The lists are those through which the campaign came."""

	AUDIENCE = "This Campaign and Its Lists"
	CAMPAIGN = "This Campaign"
	EVERYTHING = "Everything from This Sender"


class OneClickScope(Label):
	"""What one click in a mail program unsubscribes from (RFC 8058), and a reply or an email that asks to unsubscribe."""

	AUDIENCE = UnsubscribeScope.AUDIENCE.value
	EVERYTHING = UnsubscribeScope.EVERYTHING.value


class ConsentPurpose(Label):
	"""What a person can agree to."""

	CAMPAIGN = "Campaign"
	TRACKING = "Individual Tracking"


class SuppressionReason(Label):
	"""Why an address gets no marketing email."""

	OPTED_OUT = "Opted Out"
	HARD_BOUNCE = "Hard Bounce"
	COMPLAINT = "Complaint"
	MANUAL = "Manual"


class RunStatus(Label):
	"""The status of a bulk enrollment."""

	QUEUED = "Queued"
	RUNNING = "Running"
	WAITING = "Waiting"  # for the next day's quota
	COMPLETED = "Completed"
	CANCELLED = "Cancelled"
	FAILED = "Failed"


class SenderRule(Label):
	"""Who sends a new enrollment's emails, unless a user chooses a sender."""

	ONE_PERSON = "One Person"
	RECORD_OWNER = "Record's Owner"
	ROUND_ROBIN = "Round Robin"


class SkipReason(Label):
	"""Why the schedule skips a step."""

	EXPIRED = "Expired"
	CAMPAIGN_ENDED = "Campaign Ended"


@dataclass(frozen=True)
class Step:
	"""One row of the schedule. The id is the name of the row: whatever else changes, it stays the same step."""

	id: str
	send_after_days: int = 0
	send_after_hours: int = 0
	counted_from: CountedFrom = CountedFrom.START
	enabled: bool = True
	is_held: bool = False  # paused: an enrollment waits when it reaches the step
	held_until: datetime | None = None  # aware, UTC: the end of the pause; None: a user resumes it
	type: StepType = StepType.SEND
	label: str = ""  # the name that other steps use
	flow: Flow = PLAIN
	waits_for_todo: bool = False  # of an action: the next step waits until its ToDo is closed

	@property
	def delay_hours(self) -> int:
		"""The days and hours of this row, in hours of the clock on the wall."""
		return self.send_after_days * 24 + self.send_after_hours

	@property
	def acts(self) -> bool:
		"""Whether it runs once in an enrollment, and only when sending is allowed. A wait can run again."""
		return self.type in (StepType.SEND, StepType.ACTION)


class Placed(NamedTuple):
	"""A step in its place. Places compare by hours from the start, then by row."""

	hours: int
	row: int
	chain_row: int  # the row from which an unbroken chain of "Previous Step" leads to this one
	step: Step

	@property
	def place(self) -> tuple[int, int]:
		"""The key of the running order."""
		return self.hours, self.row


@dataclass(frozen=True)
class Plan:
	"""The schedule of a campaign and its rules. Build it once per batch: the running order is kept on it."""

	steps: tuple[Step, ...]  # in row order
	timezone: str
	if_late: IfLate = IfLate.KEEP_INTERVALS
	grace: timedelta = timedelta(hours=24)  # how much overdue a step may be with Keep Dates
	reopen_completed: bool = True
	re_enrollment: ReEnrollment = ReEnrollment.RESUME
	restart_after_days: int = 0
	start_date: date | None = None  # nothing is sent before this day
	end_date: date | None = None  # nothing is sent after this day
	weekdays: frozenset[int] = ALL_WEEKDAYS  # 0 is Monday
	window: tuple[time, time] | None = None  # from, to (not included; 00:00 is the end of the day)
	holidays: frozenset[date] = frozenset()
	quiet: tuple[time, time] | None = None  # from, to (not included), perhaps over midnight: nothing is sent

	@cached_property
	def placed(self) -> dict[str, Placed]:
		"""Each step in its place, by id. A disabled row keeps its place in the chain of "Previous Step"."""
		placed: dict[str, Placed] = {}
		previous_hours = chain_row = 0
		for row, step in enumerate(self.steps):
			if row == 0 or step.counted_from is CountedFrom.START:
				previous_hours, chain_row = 0, row
			previous_hours += step.delay_hours
			placed[step.id] = Placed(previous_hours, row, chain_row, step)
		return placed

	@cached_property
	def ids(self) -> dict[str, str]:
		"""The step that each label names."""
		return {step.label: step.id for step in self.steps if step.label}

	@cached_property
	def order(self) -> tuple[Placed, ...]:
		"""The steps as they run: by hours from the start, then by row."""
		return tuple(sorted(self.placed.values(), key=lambda placed: placed.place))

	@cached_property
	def has_flow(self) -> bool:
		"""Whether a step has conditions or waits for more than its moment."""
		return any(step.flow.conditions or step.flow.awaited for step in self.steps)

	@cached_property
	def has_jumps(self) -> bool:
		"""Whether a step can lead to another than the next in order, or to none."""
		return any(step.flow.can_jump or step.type is StepType.END for step in self.steps)

	@cached_property
	def keeps_dates(self) -> bool:
		"""Whether a late step does not move the dates of the others."""
		return self.if_late is IfLate.KEEP_DATES

	@cached_property
	def is_unrestricted(self) -> bool:
		"""Whether every moment from the start date on is allowed."""
		has_hours = self.window is not None or self.quiet is not None
		return len(self.weekdays) == 7 and not has_hours and not self.holidays


@dataclass(frozen=True)
class Position:
	"""Where an enrollment is in its plan: everything that the schedule must remember.

	The anchor ties the plan to the calendar: `anchor_hours` after the start, in hours of the wall clock, fell or
	falls on `anchor_at`. The place reached is the one that the last handled step had at that time.
	"""

	start: datetime  # aware, UTC
	timezone: str | None  # the recipient's own; None means the plan's
	done: frozenset[str]  # ids of the steps sent or skipped
	anchor_at: datetime  # aware, UTC
	anchor_hours: int
	reached_step: str | None = None  # the step handled last; None at the start
	reached_hours: int = 0  # its hours from the start at that time
	not_before: datetime | None = None  # aware, UTC: the next step is deferred until then
	jump_to: str | None = None  # the next step, if it is not the next in order
	waiting_since: datetime | None = None  # since when it waits in its next step


@dataclass(frozen=True)
class Send:
	"""Send this step now."""

	step_id: str
	planned_at: datetime


@dataclass(frozen=True)
class Skip:
	"""Skip this step for good, with the reason."""

	step_id: str
	planned_at: datetime
	reason: SkipReason


@dataclass(frozen=True)
class Wait:
	"""Nothing to do for this enrollment before `until`; the step is the next one."""

	step_id: str
	until: datetime


@dataclass(frozen=True)
class Reach:
	"""The moment of a wait, an action or an end has come: carry it out."""

	step_id: str
	planned_at: datetime


@dataclass(frozen=True)
class Finish:
	"""The enrollment has no step left."""


Decision = Send | Reach | Skip | Wait | Finish


@dataclass(frozen=True)
class Refuse:
	"""Do not enroll again, with the reason."""

	reason: str


@dataclass(frozen=True)
class Resume:
	"""Resume from this position."""

	position: Position


@dataclass(frozen=True)
class Restart:
	"""Start over from this position."""

	position: Position


ReEnrollmentDecision = Refuse | Resume | Restart
