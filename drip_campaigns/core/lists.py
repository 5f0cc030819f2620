"""Target lists and exclusions: their options, and what a campaign's log can be asked. Values in, values out."""

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
	"""A question about people that a campaign's log answers."""

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


# The event that the log must have for a person, and the event that it must not have
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
	"""What happens to an enrollment when its person is no longer on the list that enrolled them."""

	END = "End"
	CONTINUE = "Continue"


class RefreshStatus(Label):
	"""The status of a list's refresh."""

	QUEUED = "Queued"
	RUNNING = "Running"
	COMPLETED = "Completed"
	CANCELLED = "Cancelled"
	FAILED = "Failed"


class ExclusionKind(Label):
	"""How a campaign names the people whom it excludes."""

	TARGET_LIST = "Target List"
	MAIL_DOMAIN = "Mail Domain"
	EMAIL_ADDRESS = "Email Address"


def is_in_domain(address_domain: str, domain: str) -> bool:
	"""Return whether a domain is `domain` or a subdomain of it; both in their ASCII form."""
	return address_domain == domain or address_domain.endswith(f".{domain}")
