"""The log: insert the events of a batch, and call the subscribers that hooks name. Nothing here commits.

A subscriber is a function `(events, site_now)` that an app names under the hook `drip_event_subscribers`. It runs in the
transaction of the events, in the order of the hook.
"""

from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.dialect import by_name, insert_rows
from drip_campaigns.site.row_names import new_name

EVENT_FIELDS = (
	"name",
	"owner",
	"creation",
	"modified",
	"modified_by",
	"event_type",
	"occurred_at",
	"detail",
	"campaign",
	"enrollment",
	"drip_email",
	"step",
	"email_address",
	"is_bot",
	"link",
	"tracking_url",
)


def record_events(events: Sequence[dict], site_now: datetime) -> None:
	"""Insert the log lines of a batch in one statement; each is a dict of EVENT_FIELDS that are not standard.

	The subscribers of the hook `drip_event_subscribers` run in the same transaction, in the order of the hook.
	"""
	standard = {
		"owner": "Administrator",
		"modified_by": "Administrator",
		"creation": site_now,
		"modified": site_now,
		"occurred_at": site_now,
		"is_bot": 0,
	}
	rows = []
	for event in events:
		line = {**standard, "name": new_name(), **event}
		rows.append([line.get(field) for field in EVENT_FIELDS])
	insert_rows("Drip Event", EVENT_FIELDS, by_name(rows))
	doc_event_queue.record_inserts("Drip Event", [row[0] for row in rows])
	for subscriber in frappe.get_hooks("drip_event_subscribers"):
		frappe.get_attr(subscriber)(events, site_now)
