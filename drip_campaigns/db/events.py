"""The log: insert the events of a batch, and call the subscribers that hooks name. Nothing here commits.

A subscriber is a function `(events, site_now)` that an app names under the hook `drip_event_subscribers`. It runs in the
transaction of the events, in the order of the hook.
"""

from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.bulk_writes import standard_values
from drip_campaigns.db.columns import EVENT
from drip_campaigns.db.dialect import by_name, insert_rows
from drip_campaigns.site.row_names import new_name


def record_events(events: Sequence[dict], site_now: datetime) -> None:
	"""Insert the events of a batch in one statement; each is a dict of columns of EVENT that are not standard.

	The subscribers of the hook `drip_event_subscribers` run in the same transaction, in the order of the hook.
	"""
	defaults = {**standard_values("Administrator", site_now), "occurred_at": site_now, "is_bot": 0}
	rows = []
	for event in events:
		line = {**defaults, "name": new_name(), **event}
		rows.append([line.get(column) for column in EVENT])
	insert_rows("Drip Event", EVENT, by_name(rows))
	doc_event_queue.record_inserts("Drip Event", [row[0] for row in rows])
	for subscriber in frappe.get_hooks("drip_event_subscribers"):
		frappe.get_attr(subscriber)(events, site_now)
