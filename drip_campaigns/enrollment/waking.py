"""Who waits for something that has just happened is looked at by the next dispatch, and not only when the wait is over."""

from collections.abc import Collection
from datetime import datetime

import frappe

from drip_campaigns.core.model import Status
from drip_campaigns.dispatch.dialect import is_among
from drip_campaigns.site_clock import to_site

GOING_ON = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)


def wake(enrollments: Collection[str], now: datetime) -> None:
	"""Make those of the enrollments that wait for something due at `now`; one statement, and none for nobody.

	Call it in the transaction that writes the event. Twice is once; who waits for nothing is left alone.
	"""
	if enrollments:
		table = frappe.qb.DocType("Drip Enrollment")
		_wake(table, is_among(table.name, sorted(enrollments)), now)


def wake_records(doctype: str, names: Collection[str], now: datetime) -> None:
	"""As `wake`, for those whose recipients are these records: a field of theirs may have changed."""
	if names:
		table = frappe.qb.DocType("Drip Enrollment")
		is_meant = (table.recipient_type == doctype) & is_among(table.recipient, sorted(names))
		_wake(table, is_meant, now)


def _wake(table, is_meant, now: datetime) -> None:
	site_now = to_site(now)
	(
		frappe.qb.update(table)
		.set(table.next_send_at, site_now)
		.where(is_meant & table.waiting_since.isnotnull() & table.status.isin(GOING_ON))
		.where(table.next_send_at > site_now)
		.run()
	)
