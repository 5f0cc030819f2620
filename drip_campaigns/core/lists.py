"""Target lists: the words of what fills them, of leaving them, and of whom a campaign leaves out. Values in, values out."""

from __future__ import annotations

from drip_campaigns.core.model import EventType, Label


class SourceKind(Label):
	"""Where the members of a list come from."""

	FILTERS = "Filters"
	REPORT = "Report"
	EMAIL_GROUP = "Email Group"
	CAMPAIGN_ACTIVITY = "Campaign Activity"
	TARGET_LIST = "Target List"


class LogQuestion(Label):
	"""What the log of a campaign is asked about its people."""

	SENT = "Sent"
	OPENED = "Opened"
	NOT_OPENED = "Sent, Not Opened"
	CLICKED = "Clicked"
	NOT_CLICKED = "Sent, Not Clicked"
	REPLIED = "Replied"
	BOUNCED = "Bounced"
	COMPLAINED = "Complained"
	COMPLETED = "Completed"
	UNSUBSCRIBED = "Unsubscribed"


# What must stand in the log, and what must not
LOG_EVENTS: dict[LogQuestion, tuple[EventType, EventType | None]] = {
	LogQuestion.SENT: (EventType.SENT, None),
	LogQuestion.OPENED: (EventType.OPENED, None),
	LogQuestion.NOT_OPENED: (EventType.SENT, EventType.OPENED),
	LogQuestion.CLICKED: (EventType.CLICKED, None),
	LogQuestion.NOT_CLICKED: (EventType.SENT, EventType.CLICKED),
	LogQuestion.REPLIED: (EventType.REPLIED, None),
	LogQuestion.BOUNCED: (EventType.BOUNCED, None),
	LogQuestion.COMPLAINED: (EventType.COMPLAINED, None),
	LogQuestion.COMPLETED: (EventType.COMPLETED, None),
	LogQuestion.UNSUBSCRIBED: (EventType.UNSUBSCRIBED, None),
}


class WhenLeft(Label):
	"""What becomes of the enrollment of somebody who is no longer on the list through which they came."""

	END = "End"
	CONTINUE = "Continue"


class RefreshStatus(Label):
	"""Where the refresh of a list stands."""

	QUEUED = "Queued"
	RUNNING = "Running"
	COMPLETED = "Completed"
	CANCELLED = "Cancelled"
	FAILED = "Failed"


class ExclusionKind(Label):
	"""How a campaign names whom it leaves out."""

	TARGET_LIST = "Target List"
	MAIL_DOMAIN = "Mail Domain"
	EMAIL_ADDRESS = "Email Address"


def is_in_domain(address_domain: str, domain: str) -> bool:
	"""Say whether a domain is `domain` or lies below it; both in their ASCII form."""
	return address_domain == domain or address_domain.endswith(f".{domain}")
