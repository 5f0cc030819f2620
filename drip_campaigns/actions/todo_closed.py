"""Continue enrollments whose ToDo was closed. The next step keeps its planned distance from then on."""

import frappe

from drip_campaigns.actions.queue import DOCTYPE
from drip_campaigns.core.flow.actions import ActionStatus
from drip_campaigns.core.model import Status
from drip_campaigns.db.bulk_writes import set_values
from drip_campaigns.site.clock import to_site, utc_now

OPEN = "Open"


def record_closed_todo(document, _event: str | None = None) -> None:
	"""Make the enrollment due that waits for a ToDo, if the ToDo is closed, cancelled or deleted."""
	if document.status == OPEN and _event != "on_trash":
		return
	filters = {"reference_name": document.name, "reference_doctype": "ToDo"}
	waiting = {**filters, "status": ActionStatus.ASSIGNED.value}
	rows = frappe.get_all(DOCTYPE, filters=waiting, fields=["name", "enrollment"])
	if not rows:
		return
	site_now = to_site(utc_now())
	values = {"status": ActionStatus.DONE.value, "done_at": site_now}
	set_values(DOCTYPE, [row.name for row in rows], values, site_now)
	continuing = {
		"name": ["in", [row.enrollment for row in rows]],
		"status": ["in", [Status.SCHEDULED.value, Status.IN_PROGRESS.value]],
		"next_send_at": ["is", "set"],
	}
	names = frappe.get_all("Drip Enrollment", filters=continuing, pluck="name")
	set_values("Drip Enrollment", names, {"next_send_at": site_now}, site_now)
