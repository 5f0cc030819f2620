"""Double opt-in: which addresses must confirm, when they are reminded, and when the request expires. Decisions only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from drip_campaigns.core.model import Label

# The step of a Drip Email that asks for a confirmation: unique per enrollment, like the names of steps.
REQUEST, REMINDER = "confirmation", "confirmation-reminder"
QUESTIONS = (REQUEST, REMINDER)


class OptIn(Label):
	"""Which recipients must confirm before the campaign sends to them."""

	NO = "No"
	ALWAYS = "Always"
	LISTED_DOMAINS = "For Listed Domains"


class Confirmation(Label):
	"""The status of a confirmation; empty for an enrollment that needs none."""

	AWAITING = "Awaiting"
	CONFIRMED = "Confirmed"
	EXPIRED = "Expired"


NEVER_CONFIRMED = (Confirmation.AWAITING.value, Confirmation.EXPIRED.value)


@dataclass(frozen=True)
class ConfirmationTimes:
	"""When an unconfirmed enrollment is reminded and expires, counted from the first question."""

	remind_after: timedelta | None  # None: no reminder
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
	"""The recipient has not confirmed in time: the enrollment ends."""


def must_confirm(opt_in: OptIn, domain: str, named_domains: Iterable[str]) -> bool:
	"""Return whether a recipient with an address of `domain` (lower case, IDNA) must confirm.

	A named domain can contain `*`: `yahoo.*` is Yahoo in every country.
	"""
	if opt_in is OptIn.LISTED_DOMAINS:
		return any(fnmatchcase(domain, named) for named in named_domains)
	return opt_in is OptIn.ALWAYS


def decide_question(
	asked_at: datetime | None, reminded: bool, patience: ConfirmationTimes, now: datetime
) -> AskQuestion | KeepWaiting | Expire:
	"""Decide what an enrollment that awaits confirmation gets at `now`: one question, one reminder, then the end.

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
