"""How often and when a failed step is tried again. Decisions only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

RETRY_DELAYS = (
	timedelta(minutes=5),
	timedelta(minutes=15),
	timedelta(hours=1),
	timedelta(hours=4),
	timedelta(hours=12),
)


@dataclass(frozen=True)
class RetryAt:
	"""Try again, not before `at`."""

	at: datetime


@dataclass(frozen=True)
class GiveUp:
	"""Do not try again."""


def decide_retry(attempts: int, retries: int, now: datetime) -> RetryAt | GiveUp:
	"""Decide what follows the failure of attempt number `attempts`, counted from 1, if `retries` more are allowed.

	The delay grows from five minutes to twelve hours and stays there. With no retries the first failure is the last.
	"""
	if attempts > retries:
		return GiveUp()
	delay = RETRY_DELAYS[min(max(attempts, 1), len(RETRY_DELAYS)) - 1]
	return RetryAt(now + delay)
