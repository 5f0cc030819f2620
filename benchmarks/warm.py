"""Imported by the fork server before it forks: everything that a job needs is loaded, and no connection is left open.

So a process begins its job within milliseconds, and a signal strikes it at work instead of during imports.
"""

from datetime import datetime, timezone

import frappe

from benchmarks import crew, ground

LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.utc)

ground.connect()
crew.dispatch(LONG_AGO)
crew.deliver(LONG_AGO)
crew.act(LONG_AGO)
frappe.destroy()
# Made anew by each process: Frappe 16's listens for changes in a thread, which does not survive a fork.
frappe.cache = frappe.client_cache = None
