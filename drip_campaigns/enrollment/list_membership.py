"""Members of target lists: add, count, unsubscribe, resubscribe, and what that means for enrollments. Nothing here commits.

A list contains an address once, whatever records have it.
"""

from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType
from drip_campaigns.db.bulk_writes import set_where
from drip_campaigns.db.events import record_events
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.enrollment.exit import unsubscribe_through_list
from drip_campaigns.people.addresses import hash_address, is_valid
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import add_note

MEMBER = "Drip Target List Member"


class MembershipRefusedError(DripError):
	"""This record cannot be added to this list."""


def clear_removed(target_list: str, address: str) -> None:
	"""Delete the row of a removed member, who is added to the list by hand again; an opt-out stays."""
	filters = {"target_list": target_list, "address_hash": hash_address(address), "opted_out": 0}
	frappe.db.delete(MEMBER, {**filters, "removed_at": ["is", "set"]})


def fill_member(document, now: datetime) -> None:
	"""Fill a new member's fields from its record; raise MembershipRefusedError saying which record, why, what to do."""
	if document.recipient_type not in available_types():
		types = ", ".join(available_types())
		raise MembershipRefusedError(
			_("{0} records can't be on a list. Choose one of: {1}.").format(_(document.recipient_type), types)
		)
	recipient = load_recipients(document.recipient_type, [document.recipient], whole=False).get(
		document.recipient
	)
	record = f"{_(document.recipient_type)} {document.recipient}"
	if recipient is None:
		raise MembershipRefusedError(_("{0} doesn't exist. Choose an existing record.").format(record))
	if not is_valid(recipient.email):
		raise MembershipRefusedError(
			_("{0} has no valid email address ({1}). Correct the record and add it again.").format(
				record, recipient.email or _("empty")
			)
		)
	document.update(
		{
			"recipient_name": recipient.full_name or recipient.email,
			"recipient_created_at": recipient.fields.get("creation"),
			"email_address": recipient.email,
			"address_hash": hash_address(recipient.email),
			"joined_at": to_site(now),
			"opted_out": 0,
			"opted_out_at": None,
			"is_filled": 0,
			"removed_at": None,
		}
	)


def count_members(target_list: str) -> int:
	"""Return how many members a list has: neither opted out nor removed."""
	return frappe.db.count(
		MEMBER, {"target_list": target_list, "opted_out": 0, "removed_at": ["is", "not set"]}
	)


def add_to_count(target_list: str, number: int) -> None:
	"""Add to the number of members that a list shows."""
	if number:
		table = frappe.qb.DocType("Drip Target List")
		values = {"member_count": table.member_count + number}
		set_where("Drip Target List", table.name == target_list, values)


def unsubscribe_from_list(target_list: str, address: str, now: datetime, enrollment: str = "") -> bool:
	"""Unsubscribe `address` from the list: end the enrollments that came through it, and cancel their queued email.

	`enrollment` is the one whose campaign the person left, if the list was left with it. Returns whether that was new.
	Idempotent.
	"""
	filters = {"target_list": target_list, "address_hash": hash_address(address), "opted_out": 0}
	for name in frappe.get_all(MEMBER, filters=filters, pluck="name"):
		member = frappe.get_doc(MEMBER, name)
		values = {"opted_out": 1, "opted_out_at": to_site(now), "opted_out_with": enrollment or None}
		write_fields(member, values, notify=True)
		unsubscribe_through_list(address, target_list, now)
		add_to_count(target_list, 0 if member.removed_at else -1)
		return True
	return False


def resubscribe_to_list(target_list: str, address: str) -> bool:
	"""Resubscribe `address` to the list; return whether it had opted out."""
	filters = {"target_list": target_list, "address_hash": hash_address(address), "opted_out": 1}
	for name in frappe.get_all(MEMBER, filters=filters, pluck="name"):
		member = frappe.get_doc(MEMBER, name)
		write_fields(member, {"opted_out": 0, "opted_out_at": None, "opted_out_with": None}, notify=True)
		add_to_count(target_list, 0 if member.removed_at else 1)
		return True
	return False


def record_list_opt_out(member, because: str, now: datetime) -> None:
	"""Unsubscribe a member at their request, which a user received; the log and the member keep the reason."""
	if unsubscribe_from_list(member.target_list, member.email_address, now):
		_note(member, EventType.UNSUBSCRIBED, _("Opted out of list {0}: {1}"), because, now)


def record_list_opt_in(member, because: str, now: datetime) -> None:
	"""Resubscribe a member at their request, which a user received; the log and the member keep the reason."""
	if resubscribe_to_list(member.target_list, member.email_address):
		_note(member, EventType.RESUBSCRIBED, _("Resubscribed to list {0}: {1}"), because, now)


def _note(member, event: EventType, sentence: str, because: str, now: datetime) -> None:
	detail = sentence.format(member.target_list, because)
	line = {"event_type": event.value, "detail": detail, "email_address": member.email_address}
	record_events([line], to_site(now))
	add_note(member, detail)


def delete_list_members(target_list: str) -> None:
	"""Delete the members of a list that is being deleted, and clear it from the enrollments that came through it."""
	for doctype in (MEMBER, "Drip Target List Refresh"):
		frappe.db.delete(doctype, {"target_list": target_list})
	enrollment = frappe.qb.DocType("Drip Enrollment")
	set_where("Drip Enrollment", enrollment.target_list == target_list, {"target_list": None})
