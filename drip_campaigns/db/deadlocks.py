"""Repeat a transaction that collided with another worker's: which errors count as a collision, how often, with what pause.

These numbers are the whole policy of conflicts. `jobs/batches.py` applies it to batches, and `retry_on_deadlock` to a
single request.
"""

import functools
import random
import time
from collections.abc import Callable
from typing import Any

import frappe

# Attempts in a row, the first one included
DEADLOCK_ATTEMPTS = 6  # the database rolled this transaction back, so that another could continue
DUPLICATE_ATTEMPTS = 5  # another worker inserted the same unique key first: the next attempt reads its row
TIMEOUT_ATTEMPTS = 2  # another worker kept a lock for longer than the database waits (50 seconds)
LONGEST_PAUSE_SECONDS = 0.2


def count_attempts(error: Exception) -> int:
	"""Return how often a transaction that ended with `error` may be tried in a row; 1 if the error is not a conflict."""
	if isinstance(error, frappe.QueryDeadlockError):
		return DEADLOCK_ATTEMPTS
	if isinstance(error, frappe.QueryTimeoutError):
		return TIMEOUT_ATTEMPTS
	is_duplicate = error.args and frappe.db.is_unique_key_violation(error)
	return DUPLICATE_ATTEMPTS if is_duplicate else 1


def is_lock_conflict(error: Exception) -> bool:
	"""Return True for a deadlock or a lock wait timeout: the rows are fine, but another worker holds them."""
	return isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError)


def pause_before_retry() -> None:
	"""Sleep for a random time, so that two workers that collided do not collide again."""
	time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))  # nosec B311 # spreads retries, and keeps no secret


def retry_on_deadlock(function: Callable[..., Any]) -> Callable[..., Any]:
	"""Repeat a function after a deadlock; the function must be the whole of its transaction.

	Raises QueryDeadlockError after DEADLOCK_ATTEMPTS in a row.
	"""

	@functools.wraps(function)
	def wrapper(*args: Any, **kwargs: Any) -> Any:
		for attempt in range(1, DEADLOCK_ATTEMPTS + 1):
			try:
				return function(*args, **kwargs)
			except frappe.QueryDeadlockError:
				frappe.db.rollback()
				if attempt == DEADLOCK_ATTEMPTS:
					raise
				pause_before_retry()
		return None

	return wrapper
