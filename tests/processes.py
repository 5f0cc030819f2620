"""Several processes that act on the site at the same moment, each with its own database connection.

They are forked, so that nothing is imported again; one ends without cleaning up, as the parent's sockets are not its own.
"""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import frappe

TIMEOUT_SECONDS = 120
_fork = multiprocessing.get_context("fork")


def run_together(
	function: Callable[..., Any], arguments: Sequence[Sequence[Any]], *, deadly: bool = False
) -> list[Any]:
	"""Call `function` once for each list of arguments, at the same moment; return what each call returned or raised.

	A `deadly` function ends its process as `kill -9` does; nothing is returned then.
	"""
	frappe.db.commit()
	barrier, results = _fork.Barrier(len(arguments)), _fork.SimpleQueue()
	processes = [_fork.Process(target=_act, args=(function, args, barrier, results)) for args in arguments]
	for process in processes:
		process.start()
	answers = [] if deadly else [results.get() for _ in processes]
	for process in processes:
		process.join(TIMEOUT_SECONDS)
	frappe.db.rollback()  # what this connection reads from now on is not older than what the processes wrote
	return answers


def _act(function: Callable[..., Any], arguments: Sequence[Any], barrier: Any, results: Any) -> None:
	parents = frappe.local.db  # kept, because closing it would end the parent's connection
	try:
		frappe.init(os.environ["DRIP_SITE"], sites_path=".", force=True)
		frappe.connect()
		barrier.wait(TIMEOUT_SECONDS)
		answer = function(*arguments)
		frappe.db.commit()
	except Exception as error:  # noqa: BLE001 - handed to the test, which looks at it
		answer = RuntimeError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
	results.put(answer)
	assert parents
	os._exit(0)
