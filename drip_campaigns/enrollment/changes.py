"""How enrollments are changed: locked, written and logged, as a batch or as one document. Nothing here commits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.model import EventType, Plan, Position
from drip_campaigns.db import doc_event_queue
from drip_campaigns.db.dialect import is_among
from drip_campaigns.db.events import record_events
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.enrollment.refusals import Refusal
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_rows import ENROLLMENT_FIELDS, load_handled_steps, update_enrollments
from drip_campaigns.plans.enrollment_state import read_position
from drip_campaigns.site.clock import to_site

OPEN_FORMS = 20  # a larger batch is not announced to open forms one by one
_FIELDS_OF_VERBS = ("modified_by", "own_paused_until", "started_at")


def lock_enrollments(names: Iterable[str]) -> list[frappe._dict]:
	"""Lock and return these enrollments, in the order of their names."""
	wanted = sorted(set(names))
	if not wanted:
		return []
	table = frappe.qb.DocType("Drip Enrollment")
	fields = [table[name] for name in (*ENROLLMENT_FIELDS, "own_paused_until")]
	query = frappe.qb.from_(table).select(*fields).where(is_among(table.name, wanted))
	return query.orderby(table.name).for_update().run(as_dict=True)


def iterate_plans(
	rows: Sequence[frappe._dict], handled: Mapping[str, Mapping] | None = None
) -> Iterator[tuple[frappe._dict, Position, Plan, Mapping[str, str]]]:
	"""Yield each row with its position, its campaign's plan, and the subjects of its steps.

	`handled` is what `load_handled_steps` returns for the rows, where the caller has it.
	"""
	handled = load_handled_steps([row.name for row in rows]) if handled is None else handled
	plans: dict[str, tuple] = {}
	for row in rows:
		if row.campaign not in plans:
			campaign = frappe.get_doc("Drip Campaign", row.campaign)
			plans[row.campaign] = make_plan(campaign), step_subjects(campaign)
		yield row, read_position(row, handled[row.name]), *plans[row.campaign]


def write_states(states: Sequence[Mapping[str, Any]], now: datetime) -> None:
	"""Write the new state of locked enrollments in one statement, as changed by the session's user.

	Frappe's Webhooks and Notifications follow after the commit: one that fails must not keep a person enrolled.
	"""
	if not states:
		return
	rows = [{**state, "modified_by": frappe.session.user} for state in states]
	update_enrollments(rows, to_site(now), _FIELDS_OF_VERBS)
	for row in rows if len(rows) <= OPEN_FORMS else ():
		_refresh_open_forms(row["name"], to_site(now))


def _refresh_open_forms(name: str, modified: datetime) -> None:
	about = {"doctype": "Drip Enrollment", "name": name}
	frappe.publish_realtime(
		"doc_update",
		{**about, "modified": modified},
		doctype="Drip Enrollment",
		docname=name,
		after_commit=True,
	)
	frappe.publish_realtime("list_update", {**about, "user": frappe.session.user}, after_commit=True)


def make_event(row: Mapping[str, Any], event: EventType, detail: str | None = None) -> dict[str, Any]:
	"""Return a line of the log about an enrollment."""
	about = {"campaign": row["campaign"], "enrollment": row["name"], "email_address": row["email_address"]}
	return {"event_type": event.value, "detail": detail, **about}


def refuse_status(row: Mapping[str, Any]) -> Refusal:
	"""Return the refusal of a verb that makes no sense in the enrollment's status."""
	cause = _("is {0}").format(_(row["status"]))
	return Refusal("status", cause, _("Reload the form to see what you can do."), row["recipient_name"] or "")


def detail_of_user() -> str:
	"""Return how the log names the user who changes enrollments."""
	return _("By {0}").format(frappe.session.user)


def set_fields(document, values: Mapping[str, Any]) -> None:
	"""Write fields of one enrollment's document, and refresh open forms.

	`document.db_set` would call Webhooks and Notifications immediately, and one that fails would undo the change.
	"""
	doc_event_queue.record_changes(document.doctype, [document.name])
	document.update({**values, "modified": frappe.utils.now(), "modified_by": frappe.session.user})
	stamps = {"modified": document.modified, "modified_by": document.modified_by}
	write_values(document.doctype, document.name, dict(values), **stamps)
	document.notify_update()


def log(
	document, event: EventType, now: datetime, detail: str | None = None, mail: frappe._dict | None = None
) -> None:
	"""Write one line into the log about an enrollment, and about the email if it concerns one."""
	about_mail = {"drip_email": mail.name, "step": mail.step} if mail else {}
	record_events([{**about_mail, **make_event(document.as_dict(), event, detail)}], to_site(now))
