"""Make waiting enrollments due when the event they wait for happens, instead of at the end of the wait."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.model import EventType, Status
from drip_campaigns.db.bulk_writes import set_where
from drip_campaigns.db.dialect import is_among
from drip_campaigns.site.clock import to_site

WAKING = frozenset({EventType.OPENED.value, EventType.CLICKED.value, EventType.REPLIED.value})
GOING_ON = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)


def wake_after_events(events: Sequence[Mapping[str, Any]], site_now: datetime) -> None:
	"""Make enrollments that wait for one of these Drip Events due at `site_now` (hook `drip_event_subscribers`)."""
	wake_at(find_awaited(events), site_now)


def wake(enrollments: Collection[str], now: datetime) -> None:
	"""Make waiting enrollments due at `now` in one statement. Idempotent; others are not touched.

	Call it in the transaction that writes the event.
	"""
	wake_at(enrollments, to_site(now))


def wake_at(enrollments: Collection[str], site_now: datetime) -> None:
	"""Do the same as `wake`, with the moment in site time."""
	if not enrollments:
		return
	table = frappe.qb.DocType("Drip Enrollment")
	waits = table.waiting_since.isnotnull() & table.status.isin(GOING_ON) & (table.next_send_at > site_now)
	condition = is_among(table.name, sorted(enrollments)) & waits
	set_where("Drip Enrollment", condition, {"next_send_at": site_now})


def find_awaited(events: Iterable[Mapping[str, Any]]) -> set[str]:
	"""Return the enrollments that may wait for one of these Drip Events; events of bots don't count."""
	return {
		event["enrollment"]
		for event in events
		if event["event_type"] in WAKING and event.get("enrollment") and not event.get("is_bot")
	}
