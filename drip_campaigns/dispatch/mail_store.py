"""SQL about e-mails that are queued: claiming them for delivery, and writing what became of them, in batches."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import frappe
from pypika.terms import Criterion

from drip_campaigns.core.model import LIVE_STATUSES, CampaignStatus, EmailStatus, Status

# A send_after that Frappe's flush never reaches: how a queued e-mail is held without losing it.
HELD_UNTIL = datetime(9999, 1, 1)  # noqa: DTZ001 - a naive value of a Datetime field

_OPEN = (EmailStatus.QUEUED.value, EmailStatus.SENDING.value)


def claim_mail(site_now: datetime, limit: int) -> list[frappe._dict]:
	"""Lock up to `limit` queued e-mails that may be delivered at `site_now`, set them to Sending, and return them.

	Only rows whose `send_after` still lies ahead: from then on they are Frappe's, and no longer ours to deliver.
	Returns an empty list when nothing is left; other workers' rows are passed over.
	"""
	while emails := _lock_emails(site_now, limit):
		queued = _lock_queue_rows([email.email_queue for email in emails], site_now)
		rows = [email.update(queued[email.email_queue]) for email in emails if email.email_queue in queued]
		gone = [email.name for email in emails if email.email_queue not in queued]
		set_values("Drip Email", gone, {"deliver_at": None}, site_now)
		if rows:
			set_values(
				"Drip Email", [row.name for row in rows], {"status": EmailStatus.SENDING.value}, site_now
			)
			set_values("Email Queue", [row.email_queue for row in rows], {"status": "Sending"}, site_now)
			return rows
	return []


def _lock_emails(site_now: datetime, limit: int) -> list[frappe._dict]:
	# One table, in the order of its index: a join would lock every row it looks at, and keep other workers out.
	email = frappe.qb.DocType("Drip Email")
	return (
		frappe.qb.from_(email)
		.select(
			email.name, email.email_queue, email.communication, email.campaign,
			email.enrollment, email.step, email.email_address, email.queued_at,
		)
		.where((email.status == EmailStatus.QUEUED.value) & (email.deliver_at <= site_now))
		.orderby(email.deliver_at)
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)  # fmt: skip


def _lock_queue_rows(names: Sequence[str], site_now: datetime) -> dict[str, dict[str, Any]]:
	queue = frappe.qb.DocType("Email Queue")
	rows = (
		frappe.qb.from_(queue)
		.select(queue.name, queue.email_account, queue.sender, queue.message)
		.where(queue.name.isin(list(names)) & (queue.status == "Not Sent"))
		.where((queue.send_after > site_now) & (queue.send_after < HELD_UNTIL))
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)
	return {row.pop("name"): row for row in rows}


def count_deliverable(site_now: datetime) -> int:
	"""Return 1 if an e-mail waits for delivery at `site_now`, else 0."""
	filters = {"status": EmailStatus.QUEUED.value, "deliver_at": ["<=", site_now]}
	return len(frappe.get_all("Drip Email", filters=filters, limit=1))


def find_left_while_sending(names: Sequence[str]) -> set[str]:
	"""Return those of the claimed e-mails whose enrollment has ended or is held since they were queued."""
	email, enrollment = frappe.qb.DocType("Drip Email"), frappe.qb.DocType("Drip Enrollment")
	campaign = frappe.qb.DocType("Drip Campaign")
	goes_on = enrollment.status.isin([Status.SCHEDULED.value, Status.IN_PROGRESS.value])
	return set(
		frappe.qb.from_(email)
		.left_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.left_join(campaign)
		.on(campaign.name == email.campaign)
		.select(email.name)
		.where(email.name.isin(list(names)))
		.where(enrollment.name.isnull() | ~goes_on | (campaign.status != CampaignStatus.ACTIVE.value))
		.run(pluck=True)
	)


def find_strays(stale_before: datetime, limit: int) -> list[frappe._dict]:
	"""Return open e-mails that Frappe has settled, whose queue row is gone, or whose worker fell silent."""
	email, queue = frappe.qb.DocType("Drip Email"), frappe.qb.DocType("Email Queue")
	settled = queue.status.isin(["Sent", "Error", "Partially Sent"])
	silent = (email.status == EmailStatus.SENDING.value) & (email.modified < stale_before)
	return (
		frappe.qb.from_(email)
		.left_join(queue)
		.on(queue.name == email.email_queue)
		.select(
			email.name, email.email_queue, email.communication, email.campaign, email.enrollment, email.step,
			email.email_address, email.queued_at, email.status, queue.status.as_("queue_status"), queue.error,
		)
		.where(email.status.isin(_OPEN) & (queue.name.isnull() | settled | silent))
		.limit(limit)
		.for_update(skip_locked=True)
		.run(as_dict=True)
	)  # fmt: skip


def find_queued(*conditions: Criterion) -> list[frappe._dict]:
	"""Lock and return queued e-mails that nobody is sending, by conditions on `email_table()` and its enrollment."""
	email, queue, enrollment = email_table(), frappe.qb.DocType("Email Queue"), enrollment_table()
	query = (
		frappe.qb.from_(email)
		.inner_join(queue)
		.on(queue.name == email.email_queue)
		.inner_join(enrollment)
		.on(enrollment.name == email.enrollment)
		.select(
			email.name, email.email_queue, email.communication, email.campaign,
			email.enrollment, email.step, email.email_address,
		)
		.where((email.status == EmailStatus.QUEUED.value) & (queue.status == "Not Sent"))
	)  # fmt: skip
	for condition in conditions:
		query = query.where(condition)
	return query.for_update().run(as_dict=True)


def email_table():
	"""Return the Drip Email table for conditions."""
	return frappe.qb.DocType("Drip Email")


def enrollment_table():
	"""Return the Drip Enrollment table for conditions."""
	return frappe.qb.DocType("Drip Enrollment")


def set_values(
	doctype: str, names: Sequence[str], values: Mapping[str, Any], site_now: datetime, key: str = "name"
) -> None:
	"""Set the same values on many records in one statement."""
	if not names:
		return
	table = frappe.qb.DocType(doctype)
	query = frappe.qb.update(table).set(table.modified, site_now).where(table[key].isin(list(names)))
	for field, value in values.items():
		query = query.set(table[field], value)
	query.run()


def set_each(doctype: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
	"""Set different values on many records in one statement; the first column is `name`. A record that is gone stays gone."""
	rows = list(rows)
	if not rows:
		return
	cases, values = [], []
	for index, column in enumerate(columns[1:], 1):
		cases.append(f"`{column}` = CASE name {'WHEN %s THEN %s ' * len(rows)}END")
		values += [value for row in rows for value in (row[0], row[index])]
	names = ", ".join(["%s"] * len(rows))
	# Raw, because the query builder writes the values of a CASE into the statement without escaping them.
	frappe.db.sql(
		f"UPDATE `tab{doctype}` SET {', '.join(cases)} WHERE name IN ({names})",
		values + [row[0] for row in rows],
	)


def delete_rows(doctype: str, names: Sequence[str], key: str = "name") -> None:
	"""Delete many records in one statement, without their controllers: only rows that this app wrote itself."""
	if names:
		frappe.db.delete(doctype, {key: ["in", list(names)]})


def find_finished(enrollments: Sequence[str]) -> list[frappe._dict]:
	"""Lock and return those enrollments that have no step to come and no e-mail under way, but are still live."""
	enrollment, email = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Email")
	under_way = (
		frappe.qb.from_(email)
		.select(email.enrollment)
		.where(email.enrollment.isin(list(enrollments)) & email.status.isin(_OPEN))
	)
	live = [status.value for status in LIVE_STATUSES - {Status.PAUSED}]
	return (
		frappe.qb.from_(enrollment)
		.select(enrollment.name, enrollment.campaign, enrollment.email_address)
		.where(enrollment.name.isin(list(enrollments)) & enrollment.status.isin(live))
		.where(enrollment.next_send_at.isnull() & enrollment.name.notin(under_way))
		.for_update()
		.run(as_dict=True)
	)
