"""Double opt-in: who is asked to confirm, when once more, and when it is given up. Decisions; who calls carries them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from drip_campaigns.core.model import Label

# What stands in a Drip Email where a step's email has the name of the step's row: unique per enrollment, like those.
REQUEST, REMINDER = "confirmation", "confirmation-reminder"
QUESTIONS = (REQUEST, REMINDER)


class OptIn(Label):
	"""Who must confirm an enrollment before anything of the campaign is sent."""

	NO = "No"
	ALWAYS = "Always"
	NAMED_DOMAINS = "For Named Mail Domains"


class Confirmation(Label):
	"""Where the confirmation of an enrollment stands; an enrollment that needs none has none."""

	AWAITING = "Awaiting"
	CONFIRMED = "Confirmed"
	EXPIRED = "Expired"


NEVER_CONFIRMED = (Confirmation.AWAITING.value, Confirmation.EXPIRED.value)


@dataclass(frozen=True)
class ConfirmationTimes:
	"""How long a confirmation is waited for, from the first question on."""

	remind_after: timedelta | None  # None: there is no reminder
	expire_after: timedelta


@dataclass(frozen=True)
class AskQuestion:
	"""Send this question now; ask what is next at `then`."""

	question: str
	then: datetime


@dataclass(frozen=True)
class KeepWaiting:
	"""Nothing to do before `until`."""

	until: datetime


@dataclass(frozen=True)
class Expire:
	"""Nobody has confirmed in time: the enrollment ends."""


def must_confirm(opt_in: OptIn, domain: str, named_domains: Iterable[str]) -> bool:
	"""Say whether a campaign asks whoever has an address of `domain` (lower case, IDNA) to confirm.

	A named domain may hold `*`: `yahoo.*` is Yahoo in every country.
	"""
	if opt_in is OptIn.NAMED_DOMAINS:
		return any(fnmatchcase(domain, named) for named in named_domains)
	return opt_in is OptIn.ALWAYS


def decide_question(
	asked_at: datetime | None, reminded: bool, patience: ConfirmationTimes, now: datetime
) -> AskQuestion | KeepWaiting | Expire:
	"""Say what an enrollment that awaits confirmation deserves at `now`: one question, one reminder, then the end.

	A reminder that would come after the end is not sent.
	"""
	reminds = patience.remind_after is not None and patience.remind_after < patience.expire_after
	if asked_at is None:
		return AskQuestion(REQUEST, now + (patience.remind_after if reminds else patience.expire_after))
	expires_at = asked_at + patience.expire_after
	if now >= expires_at:
		return Expire()
	if reminded or not reminds:
		return KeepWaiting(expires_at)
	remind_at = asked_at + patience.remind_after
	return AskQuestion(REMINDER, expires_at) if now >= remind_at else KeepWaiting(remind_at)
