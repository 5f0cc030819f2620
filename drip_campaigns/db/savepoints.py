"""Do work in a savepoint, so that one row that fails undoes only itself. Nothing here commits.

A conflict with another worker is raised: the database may have undone the whole transaction, and the caller's runner repeats
it (`jobs/batches.py`).
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import TypeVar

import frappe

from drip_campaigns.db.deadlocks import count_attempts

Row, Result = TypeVar("Row"), TypeVar("Result")
_numbers = count()


def attempt(
	work: Callable[[], Result], *, raises: tuple[type[Exception], ...] = ()
) -> tuple[Result | None, Exception | None]:
	"""Return the result of `work`, or its error after undoing what it wrote and said. Errors of `raises` are raised."""
	name, messages = f"drip_attempt_{next(_numbers)}", len(frappe.local.message_log)
	frappe.db.savepoint(name)
	try:
		result = work()
	except raises:
		raise
	except Exception as error:
		if count_attempts(error) > 1:
			raise
		frappe.db.rollback(save_point=name)
		del frappe.local.message_log[messages:]
		return None, error
	frappe.db.release_savepoint(name)
	return result, None


def attempt_each(
	rows: Sequence[Row],
	work: Callable[[Sequence[Row]], Result],
	*,
	raises: tuple[type[Exception], ...] = (),
) -> tuple[list[Result], list[tuple[Row, Exception]]]:
	"""Do `work` on all rows at once; if it fails, on each half, down to the rows that fail alone.

	Returns the results of the parts, and the error of each row that fails. Without a failure, this costs two statements.
	"""
	if not rows:
		return [], []
	result, error = attempt(lambda: work(rows), raises=raises)
	if error is None:
		return [result], []
	if len(rows) == 1:
		return [], [(rows[0], error)]
	half = len(rows) // 2
	parts = [attempt_each(part, work, raises=raises) for part in (rows[:half], rows[half:])]
	return [one for done, _failed in parts for one in done], [
		one for _done, failed in parts for one in failed
	]
