"""Load everything that a job needs, before the fork server forks; no connection stays open.

A process then begins its job within milliseconds, and a signal interrupts its work and not its imports.
"""

from datetime import datetime, timezone

import frappe

from benchmarks import setup, workers

LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)

setup.connect()
workers.dispatch(LONG_AGO)
workers.deliver(LONG_AGO)
workers.act(LONG_AGO)
frappe.destroy()
# Made anew by each process: Frappe 16's listens for changes in a thread, which does not survive a fork.
frappe.cache = frappe.client_cache = None
