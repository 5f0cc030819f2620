"""Sign-ups by visitors of a website. The response is the same for every address, and takes the same time.

So the request checks only what reveals nothing about a person, and a background job does the rest. Nobody is in a campaign
before the owner of the mailbox has confirmed. The Contact of a visitor belongs to Guest: until then, no email contains
anything that they typed.
"""

from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.core.plain_text import clean_name, has_link
from drip_campaigns.core.schedule.confirmation import NEVER_CONFIRMED
from drip_campaigns.db.bulk_writes import set_values
from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.db.savepoints import attempt
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.enrollment.enroll import enroll
from drip_campaigns.enrollment.personal_data import delete_enrollments
from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.recipient_types import available_types, get_type
from drip_campaigns.people.recipients import VISITOR
from drip_campaigns.plans.enrollment_state import LIVE_VALUES
from drip_campaigns.site.clock import from_site, to_site, utc_now

LONGEST_NAME = 140
AT_ONCE = 1000  # unconfirmed sign-ups that one day deletes
MADE_WITHIN = timedelta(minutes=1)  # a later change was made by a user
PEOPLE = ("Contact", "Lead")  # in this order; a User does not sign up for anything


class SignUpError(DripError):
	"""This sign-up is not possible."""


def request_sign_up(
	campaign: str, email_address: str, first_name: str, last_name: str, wait: timedelta = timedelta()
) -> None:
	"""Check what anyone may know, and enqueue the sign-up; raise SignUpError with the remedy if it is not possible.

	`wait` is how long the confirmation email waits.
	"""
	address = (email_address or "").strip()
	if not is_valid(address):
		raise SignUpError(_("This is not a valid email address. Correct it and try again."))
	is_open = {"name": campaign, "accept_sign_ups": 1, "status": CampaignStatus.ACTIVE.value}
	if not frappe.db.exists("Drip Campaign", is_open):
		raise SignUpError(_("Sign-up is closed at the moment."))
	first_name, last_name = (clean_name(name or "", LONGEST_NAME) for name in (first_name, last_name))
	if has_link(f"{first_name} {last_name}"):
		raise SignUpError(_("A name cannot contain a link. Enter only your name."))
	frappe.enqueue(
		"drip_campaigns.enrollment.sign_up.sign_up",
		queue="short",
		enqueue_after_commit=True,
		campaign=campaign,
		email_address=address,
		first_name=first_name,
		last_name=last_name,
		wait_seconds=int(wait.total_seconds()),
	)


@retry_on_deadlock
def sign_up(
	campaign: str, email_address: str, first_name: str = "", last_name: str = "", wait_seconds: int = 0
) -> None:
	"""Enroll the person with this address, as awaiting confirmation; create a Contact for an unknown one. A background job.

	A person who is in the campaign already, or unsubscribed from it, gets no email, and nobody learns it.
	`wait_seconds` is how long the confirmation email waits.
	"""
	user = frappe.session.user
	frappe.set_user("Administrator")
	frappe.db.savepoint("drip_sign_up")
	try:
		known = _find_person(email_address)
		doctype, name = known or _make_contact(email_address, first_name, last_name)
		sender = frappe.db.get_value("Drip Campaign", campaign, "sender")
		owner = frappe.db.get_value("Drip Campaign", campaign, "owner")
		enrollment = enroll(
			campaign, doctype, name, utc_now(), sender=sender or owner, require_confirmation=True
		)
		changes = {} if known else {"created_recipient": 1}
		if wait_seconds:
			changes["next_send_at"] = to_site(
				from_site(enrollment.next_send_at) + timedelta(seconds=wait_seconds)
			)
		if changes:
			write_fields(enrollment, changes, update_modified=False)
	except (DripError, frappe.ValidationError):
		frappe.db.rollback(save_point="drip_sign_up")
		frappe.clear_last_message()
	finally:
		frappe.set_user(user)


def delete_unconfirmed(now: datetime, kept: timedelta) -> int:
	"""Delete the Contacts of visitors who never confirmed, and anonymize their enrollments; return how many.

	A Contact that is used otherwise stays: another enrollment, a link, a change by a user. Does not commit.
	"""
	filters = {
		"created_recipient": 1,
		"recipient_type": "Contact",
		"recipient": ["is", "set"],
		"creation": ["<", to_site(now - kept)],
		"status": ["not in", list(LIVE_VALUES)],
	}
	rows = frappe.get_all("Drip Enrollment", filters=filters, fields=["name", "recipient"], limit=AT_ONCE)
	gone = sum(_forget(row.recipient, now) for row in rows)
	# Checked once: a Contact that stays belongs to the site from now on.
	set_values("Drip Enrollment", [row.name for row in rows], {"created_recipient": 0}, to_site(now))
	return gone


def _forget(contact: str, now: datetime) -> bool:
	if not _is_untouched(contact):
		return False
	whose = {"recipient_type": "Contact", "recipient": contact}

	def delete() -> None:
		delete_enrollments(frappe.get_all("Drip Enrollment", filters=whose, pluck="name"), now)
		# nosemgrep: ignore-permissions - the app made this Contact, and nobody has used it
		frappe.delete_doc("Contact", contact, ignore_permissions=True, delete_permanently=True)

	_result, error = attempt(delete)  # another record of the site may link to it, or an app refuses
	return error is None


def _is_untouched(contact: str) -> bool:
	"""Say whether the Contact is unchanged since the sign-up, and no enrollment of it was confirmed."""
	made = frappe.db.get_value("Contact", contact, ["creation", "modified"])
	if not made or made[1] - made[0] > MADE_WITHIN:
		return False
	whose = {"recipient_type": "Contact", "recipient": contact}
	confirmed = frappe.db.exists("Drip Enrollment", {**whose, "confirmation": ["not in", NEVER_CONFIRMED]})
	live = frappe.db.exists("Drip Enrollment", {**whose, "status": ["in", list(LIVE_VALUES)]})
	linked = frappe.db.exists("Dynamic Link", {"parenttype": "Contact", "parent": contact})
	return not (confirmed or live or linked)


def _find_person(address: str) -> tuple[str, str] | None:
	for doctype in PEOPLE:
		if doctype in available_types():
			filters = {get_type(doctype).address: ["in", [address, normalize(address)]]}
			found = frappe.get_all(doctype, filters=filters, order_by="creation", limit=1, pluck="name")
			if found:
				return doctype, found[0]
	return None


def _make_contact(address: str, first_name: str, last_name: str) -> tuple[str, str]:
	emails = [{"email_id": address, "is_primary": 1}]
	names = clean_values("Contact", {"first_name": first_name, "last_name": last_name})
	contact = frappe.get_doc(doctype="Contact", email_ids=emails, **names).insert()
	write_fields(contact, {"owner": VISITOR}, update_modified=False)
	return "Contact", contact.name
