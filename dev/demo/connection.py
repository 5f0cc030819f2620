"""The connection to the dev site, for the demo's own process and for those that it starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from dev import paths


@contextmanager
def connected(url: str) -> Iterator[None]:
	"""Be connected to the site as Administrator for a `with` block, with links in emails that lead to `url`."""
	os.chdir(paths.SITES)
	frappe.init(paths.SITE, sites_path=".")
	frappe.connect()
	frappe.local.conf.host_name = url
	frappe.db.rollback()  # what is read later is not as old as the connection
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.destroy()
