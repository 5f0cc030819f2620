"""Two workers may lock the same rows in another order; the database then rolls one of them back, and it begins anew."""

import functools
import random
import time
from collections.abc import Callable
from typing import Any

import frappe

ATTEMPTS = 6
LONGEST_PAUSE_SECONDS = 0.2


def retry_on_deadlock(function: Callable[..., Any]) -> Callable[..., Any]:
	"""Repeat a function whose transaction was rolled back by a deadlock; it must be the whole of its transaction.

	Raises QueryDeadlockError when that happens six times in a row.
	"""

	@functools.wraps(function)
	def wrapper(*args: Any, **kwargs: Any) -> Any:
		for attempt in range(ATTEMPTS):
			try:
				return function(*args, **kwargs)
			except frappe.QueryDeadlockError:
				frappe.db.rollback()
				if attempt + 1 == ATTEMPTS:
					raise
				wait_after_deadlock()
		return None

	return wrapper


def wait_after_deadlock() -> None:
	"""Wait for a moment that is another one for each worker, so that two who met do not meet again."""
	time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
