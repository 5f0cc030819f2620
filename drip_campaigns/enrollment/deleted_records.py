"""What the app remembers of a record ends with the record, because a naming series gives its name to the next one.

Hooks call this when a record is deleted or renamed, in the same transaction. A record that was deleted in the database,
without hooks, is noticed when a newer record has its name. Opt-outs, suppressions, consents, and preferences belong to
an address, so they stay. Nothing here commits.
"""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import cstr

from drip_campaigns.core.model import ExitReason
from drip_campaigns.db.bulk_writes import delete_rows, set_values
from drip_campaigns.db.dialect import select_in
from drip_campaigns.enrollment.exit import end_rows
from drip_campaigns.enrollment.list_membership import MEMBER, add_to_count
from drip_campaigns.people.recipient_types import is_type
from drip_campaigns.people.recipients import load_creations
from drip_campaigns.plans.enrollment_rows import lock_live_enrollments
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.doc_event_guard import is_silent, log_doc_event_failure

ENROLLMENT = "Drip Enrollment"
SAVE_POINT = "drip_deleted_record"
_FACTS = ("name", "recipient", "recipient_created_at")
_MEMBER_FACTS = (*_FACTS, "target_list", "opted_out", "removed_at")


def forget_deleted(document, _event: str | None = None) -> None:
	"""End what is remembered of a record that was just deleted. For other DocTypes this costs a look-up in memory."""
	if not _is_asked(document):
		return

	def forget() -> None:
		doctype, names = document.doctype, [cstr(document.name)]
		_end(doctype, _find_enrollments(doctype, names), utc_now())
		_drop(_find_members(doctype, names[0]), utc_now())

	_run_safely(forget, document)


def prepare_merge(document, _event: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Leave one member of each list before a record is merged into another one on the list: Frappe moves the rest."""
	if merge and _is_asked(document):
		kept = {row.target_list for row in _find_members(document.doctype, cstr(new))}
		twice = _find_members(document.doctype, cstr(old))
		_drop([row for row in twice if row.target_list in kept], utc_now())


def follow_merge(document, _event: str | None, _old: str, new: str, merge: bool = False) -> None:
	"""Note that what was remembered of a record that was merged into another one is about that one now."""
	if not merge or not _is_asked(document):
		return
	enrollments = _find_enrollments(document.doctype, [cstr(new)])
	members = _find_members(document.doctype, cstr(new))
	for doctype, rows in ((ENROLLMENT, enrollments), (MEMBER, members)):
		values = {"recipient_created_at": document.creation}
		set_values(doctype, [row.name for row in rows], values, to_site(utc_now()))


def forget_replaced(doctype: str, names: Sequence[str], now: datetime) -> None:
	"""End the enrollments of records of these names that were deleted, and whose names newer records have.

	Costs one query for a batch whose records were never enrolled.
	"""
	_end(doctype, _find_replaced(doctype, _find_enrollments(doctype, names)), now)


def forget_replaced_members(target_list: str, doctype: str, names: Sequence[str], now: datetime) -> None:
	"""Drop the members of a list that are about deleted records whose names newer records have."""
	about = {"recipient_type": doctype, "target_list": target_list}
	_drop(_find_replaced(doctype, select_in(MEMBER, _MEMBER_FACTS, "recipient", names, **about)), now)


def _is_asked(document) -> bool:
	return not is_silent() and is_type(document.doctype)


def _find_enrollments(doctype: str, names: Sequence[str]) -> list[frappe._dict]:
	return select_in(ENROLLMENT, _FACTS, "recipient", names, recipient_type=doctype)


def _find_members(doctype: str, name: str) -> list[frappe._dict]:
	lists = frappe.get_all("Drip Target List", pluck="name", order_by=None)  # the index begins with the list
	return select_in(MEMBER, _MEMBER_FACTS, "target_list", lists, recipient_type=doctype, recipient=name)


def _find_replaced(doctype: str, rows: Sequence[frappe._dict]) -> list[frappe._dict]:
	known = [row for row in rows if row.recipient_created_at]
	created = load_creations(doctype, sorted({row.recipient for row in known}))
	return [
		row for row in known if row.recipient in created and created[row.recipient] > row.recipient_created_at
	]


def _end(doctype: str, enrollments: Sequence[frappe._dict], now: datetime) -> None:
	"""End enrollments, and detach also those that ended before: nothing resumes or is done for another person."""
	names = [row.name for row in enrollments]
	by_record: dict[str, list[frappe._dict]] = {}
	for row in lock_live_enrollments(names) if names else ():
		by_record.setdefault(row.recipient, []).append(row)
	for record, rows in by_record.items():
		detail = _("{0} {1} no longer exists.").format(_(doctype), record)
		end_rows(rows, ExitReason.RECIPIENT_DELETED, detail, now)
	set_values(ENROLLMENT, names, {"recipient": None}, to_site(now))
	for rows_of in ("Drip Email", "Drip Action"):
		set_values(rows_of, names, {"recipient": None}, to_site(now), key="enrollment")


def _drop(members: Sequence[frappe._dict], now: datetime) -> None:
	"""Delete members; the row of one who opted out stays, for the address."""
	out = [row.name for row in members if row.opted_out]
	set_values(MEMBER, out, {"recipient": None}, to_site(now))
	delete_rows(MEMBER, [row.name for row in members if not row.opted_out])
	for row in members:
		if not row.opted_out and not row.removed_at:
			add_to_count(row.target_list, -1)


def _run_safely(change, document) -> None:
	"""Do all of a change or nothing of it: an error of ours never stops a deletion, and the guard finds the rest."""
	frappe.db.savepoint(SAVE_POINT)
	try:
		change()
	except frappe.QueryDeadlockError:
		raise
	except Exception as error:  # noqa: BLE001 - logged; each email checks again that the record is the same
		frappe.db.rollback(save_point=SAVE_POINT)
		log_doc_event_failure(error, document)
