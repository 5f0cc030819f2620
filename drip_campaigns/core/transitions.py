"""The statuses of an enrollment as one table: (status, event) -> status. A pair that is missing cannot happen."""

from __future__ import annotations

from datetime import datetime

from drip_campaigns.core.errors import InvalidTransitionError
from drip_campaigns.core.model import EventType, Status

# What happens to an email that was sent or canceled does not change the enrollment. If it is to end the enrollment,
# the edge records an event of its own: Unsubscribed, Exited or Failed.
NEWS = (
	EventType.SENT,
	EventType.OPENED,
	EventType.CLICKED,
	EventType.BOUNCED,
	EventType.COMPLAINED,
	EventType.REPLIED,
	EventType.CANCELED,
	EventType.SUPPRESSED,
	EventType.LIFTED,
	EventType.FEEDBACK,
	EventType.ADDRESS_CHANGED,
	EventType.MOVED,
	EventType.DEFERRED,
	EventType.BRANCHED,
	EventType.ACTED,
	EventType.ACTION_FAILED,
)

TRANSITIONS: dict[tuple[Status, EventType], Status] = {
	**{(status, news): status for status in Status for news in NEWS},
	(Status.SCHEDULED, EventType.STARTED): Status.IN_PROGRESS,
	(Status.SCHEDULED, EventType.QUEUED): Status.IN_PROGRESS,
	(Status.SCHEDULED, EventType.SKIPPED): Status.IN_PROGRESS,
	(Status.SCHEDULED, EventType.COMPLETED): Status.COMPLETED,
	(Status.SCHEDULED, EventType.PAUSED): Status.PAUSED,
	(Status.SCHEDULED, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(Status.SCHEDULED, EventType.EXITED): Status.EXITED,
	(Status.SCHEDULED, EventType.FAILED): Status.FAILED,
	(Status.SCHEDULED, EventType.CONFIRMED): Status.SCHEDULED,  # the clock of the schedule starts only now
	(Status.IN_PROGRESS, EventType.QUEUED): Status.IN_PROGRESS,
	(Status.IN_PROGRESS, EventType.SKIPPED): Status.IN_PROGRESS,
	(Status.IN_PROGRESS, EventType.COMPLETED): Status.COMPLETED,
	(Status.IN_PROGRESS, EventType.PAUSED): Status.PAUSED,
	(Status.IN_PROGRESS, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(Status.IN_PROGRESS, EventType.EXITED): Status.EXITED,
	(Status.IN_PROGRESS, EventType.FAILED): Status.FAILED,
	(Status.PAUSED, EventType.RESUMED): Status.IN_PROGRESS,
	(Status.PAUSED, EventType.CONFIRMED): Status.PAUSED,
	(Status.PAUSED, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(Status.PAUSED, EventType.EXITED): Status.EXITED,
	(Status.PAUSED, EventType.FAILED): Status.FAILED,  # an email handed over before the pause
	(Status.COMPLETED, EventType.REOPENED): Status.IN_PROGRESS,
	(Status.COMPLETED, EventType.ENROLLED): Status.IN_PROGRESS,
	(Status.EXITED, EventType.ENROLLED): Status.IN_PROGRESS,
	(Status.FAILED, EventType.ENROLLED): Status.IN_PROGRESS,
	(Status.FAILED, EventType.RESUMED): Status.IN_PROGRESS,  # "Retry failed"
	# The link in an old email still counts: an enrollment that used it is not enrolled or reopened again. Idempotent.
	(Status.COMPLETED, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(Status.EXITED, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(Status.FAILED, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(Status.UNSUBSCRIBED, EventType.UNSUBSCRIBED): Status.UNSUBSCRIBED,
	(
		Status.UNSUBSCRIBED,
		EventType.RESUBSCRIBED,
	): Status.IN_PROGRESS,  # only the recipient can ask for it
}


def next_status(status: Status, event: EventType) -> Status:
	"""Return the status after `event`; raise InvalidTransitionError if it cannot happen in `status`."""
	try:
		return TRANSITIONS[status, event]
	except KeyError:
		raise InvalidTransitionError(
			f"{event} cannot happen to an enrollment that is {status}.", field="status"
		) from None


def can_happen(status: Status, event: EventType) -> bool:
	"""Return whether `event` can happen to an enrollment in `status`."""
	return (status, event) in TRANSITIONS


def live_status(start: datetime, now: datetime) -> Status:
	"""Return the status at `now` of an enrollment that is neither paused nor over: Scheduled before its start, then In Progress."""
	return Status.SCHEDULED if now < start else Status.IN_PROGRESS
