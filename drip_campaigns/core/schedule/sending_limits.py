"""How many emails may be sent in which time: rules in, windows out. `outbox/sending_limits.py` counts them.

Empty and 0 mean no limit; 1 means one email an hour or a day. Pause All Sending stops everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drip_campaigns.core.model import Label

HOUR_SECONDS = 3600
DAY_SECONDS = 86400
PACES = 12  # a window's emails are spread over this many parts of it
PACE_SLACK = (
	0.9  # a part counts a little short, so that a job that runs once in each part never misses its turn
)


class LimitScope(Label):
	"""What a limit is counted over."""

	SITE = "Site"
	EMAIL_ACCOUNT = "Email Account"
	RECIPIENT_DOMAIN = "Recipient Domain"


@dataclass(frozen=True)
class LimitRule:
	"""One row of Drip Settings. An empty `subject` applies to each account, or each domain, separately."""

	scope: LimitScope
	subject: str = ""
	per_hour: int = 0
	per_day: int = 0


@dataclass(frozen=True)
class Window:
	"""At most `count` emails in any `seconds`, counted under `key`."""

	key: str
	count: int
	seconds: float
	reason: str


def find_windows(rules: Iterable[LimitRule], account: str, domain: str) -> tuple[Window, ...]:
	"""Return every window that an email through `account` to `domain` must fit into, the paces included.

	A rule that names its account or domain stands beside the one for each: the tighter of the two decides.
	"""
	subjects = {
		LimitScope.SITE: "",
		LimitScope.EMAIL_ACCOUNT: account,
		LimitScope.RECIPIENT_DOMAIN: domain.lower(),
	}
	windows: list[Window] = []
	for rule in rules:
		subject = subjects[rule.scope]
		if rule.subject and rule.subject.lower() != subject.lower():
			continue
		for count, seconds, unit in (
			(rule.per_hour, HOUR_SECONDS, "hour"),
			(rule.per_day, DAY_SECONDS, "day"),
		):
			if count > 0:
				windows += _window_and_pace(rule, subject, count, seconds, unit)
	return tuple(windows)


def _window_and_pace(rule: LimitRule, subject: str, count: int, seconds: int, unit: str) -> list[Window]:
	over = f"{rule.scope} {subject}".strip()
	reason = f"{count} an {unit}, {over}" if unit == "hour" else f"{count} a {unit}, {over}"
	key = f"{rule.scope.name}:{subject}:{seconds}"
	share = -(-count // PACES)
	return [
		Window(key, count, seconds, reason),
		Window(f"{key}:pace", share, seconds / PACES * PACE_SLACK, f"{reason}, spread evenly"),
	]
