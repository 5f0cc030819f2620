"""How one Drip Enrollment document is changed: its status by the table of the core, its fields, a line in the log. None commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.model import EventType, Status
from drip_campaigns.core.transitions import next_status
from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.events import record_events
from drip_campaigns.plans.enrollment_rows import load_handled_steps
from drip_campaigns.site.clock import to_site


def status_after(document, event: EventType) -> str:
	"""Return the status after `event`; raise InvalidTransitionError if it cannot happen."""
	return next_status(Status(document.status), event).value


def set_fields(document, values: Mapping[str, Any]) -> None:
	"""Write fields of an enrollment, as a batch of one is written, and let open forms know.

	`document.db_set` would call Webhooks and Notifications at once, where one that fails undoes all: nobody could leave.
	"""
	doc_event_queue.record_changes(document.doctype, [document.name])
	document.update({**values, "modified": frappe.utils.now(), "modified_by": frappe.session.user})
	stamps = {"modified": document.modified, "modified_by": document.modified_by}
	frappe.db.set_value(document.doctype, document.name, dict(values), **stamps)
	document.notify_update()


def done_steps(enrollment: str) -> list[str]:
	"""Return the steps of which the enrollment has an email or an action, whatever became of it."""
	return list(load_handled_steps([enrollment])[enrollment])


def log(
	document, event: EventType, now: datetime, detail: str | None = None, mail: frappe._dict | None = None
) -> None:
	"""Write one line into the campaign's log about an enrollment, and about the email if it concerns one."""
	line = {
		**({"drip_email": mail.name, "step": mail.step} if mail else {}),
		"event_type": event.value,
		"detail": detail,
		"campaign": document.campaign,
		"enrollment": document.name,
		"email_address": document.email_address,
	}
	record_events([line], to_site(now))
