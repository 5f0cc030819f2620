"""Read what the database has of the demo, once at the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import frappe
from frappe.utils.data import get_system_timezone

from dev.demo import records
from dev.demo.people import NOT_ENROLLED, PEOPLE, Person
from dev.demo.report import Ledger, Recipient, Record, StepLine
from drip_campaigns.site.clock import to_site

_ENROLLMENT = [
	"name",
	"recipient",
	"status",
	"exit_reason",
	"start_date",
	"end_date",
	"next_step",
	"next_send_at",
]
_EMAIL = ["enrollment", "step", "status", "planned_at", "sent_at", "message_id"]


def read_ledger(refusals: Mapping[str, str], now: datetime) -> Ledger:
	"""Return every person with the steps that have become due by `now`, and the Communications of the campaign."""
	frappe.db.rollback()
	filters = {"campaign": records.CAMPAIGN}
	enrollments = frappe.get_all("Drip Enrollment", filters=filters, fields=_ENROLLMENT)
	by_contact = {row.recipient: row for row in enrollments}
	steps = _read_steps([row.name for row in enrollments], now)
	recipients = []
	for person in PEOPLE:
		enrollment = by_contact.get(records.find_contact(person))
		if enrollment:
			recipients.append(_recipient(person, enrollment, steps[enrollment.name]))
		else:
			reason = refusals.get(person.full_name)
			recipients.append(
				Recipient(person.full_name, person.address or None, NOT_ENROLLED, reason, None, None, ())
			)
	return Ledger(tuple(recipients), _read_records([row.name for row in enrollments]))


def _recipient(person: Person, row: frappe._dict, steps: list[StepLine]) -> Recipient:
	return Recipient(
		name=person.full_name,
		address=person.address,
		status=row.status,
		exit_reason=row.exit_reason or None,
		start_date=row.start_date.isoformat(),
		end_date=row.end_date.isoformat() if row.end_date else None,
		steps=tuple(sorted(steps, key=lambda line: line.step)),
	)


def _read_steps(enrollments: list[str], now: datetime) -> dict[str, list[StepLine]]:
	numbers = {row.name: row.idx for row in frappe.get_doc("Drip Campaign", records.CAMPAIGN).steps}
	lines: dict[str, list[StepLine]] = {name: [] for name in enrollments}
	for row in frappe.get_all("Drip Email", filters={"campaign": records.CAMPAIGN}, fields=_EMAIL):
		outcome = "Waiting" if row.status in ("Queued", "Sending") else row.status
		line = StepLine(
			numbers[row.step], _iso(row.planned_at), _iso(row.sent_at), row.message_id or None, outcome
		)
		lines[row.enrollment].append(line)
	# Due, and without a Drip Email
	at = "next_send_at"
	overdue = [["campaign", "=", records.CAMPAIGN], [at, "is", "set"], [at, "<=", to_site(now)]]
	for row in frappe.get_all("Drip Enrollment", filters=overdue, fields=_ENROLLMENT):
		lines[row.name].append(
			StepLine(numbers[row.next_step], _iso(row.next_send_at), None, None, "Waiting")
		)
	return lines


def _read_records(enrollments: list[str]) -> tuple[Record, ...]:
	filters = {"reference_doctype": "Drip Enrollment", "reference_name": ("in", enrollments)}
	rows = frappe.get_all("Communication", filters=filters, fields=["name", "message_id", "recipients"])
	links = frappe.get_all(
		"Communication Link",
		filters={"parent": ("in", [row.name for row in rows]), "link_doctype": "Contact"},
		fields=["parent", "link_name"],
	)
	addresses = {records.find_contact(person): person.address for person in PEOPLE}
	shown_at = {link.parent: addresses.get(link.link_name, "") for link in links}
	return tuple(Record(row.message_id, row.recipients, shown_at.get(row.name)) for row in rows)


def _iso(value: datetime | None) -> str | None:
	"""Return a Datetime field's value as the site's clocks show it, with their offset."""
	zone = ZoneInfo(get_system_timezone())
	return value.replace(tzinfo=zone).isoformat(timespec="seconds") if value else None
