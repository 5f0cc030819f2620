"""Do something and take it back: what an act would change, by the act itself, so that a preview never differs from it."""

from collections.abc import Callable
from typing import TypeVar

import frappe

Result = TypeVar("Result")


def try_out(act: Callable[[], Result]) -> Result:
	"""Return what `act` returns, and roll back the transaction, with the jobs and notices that were to follow its commit.

	For a request that does nothing else. Rows that `act` changes are locked until it returns.
	"""
	try:
		return act()
	finally:
		frappe.db.rollback()
