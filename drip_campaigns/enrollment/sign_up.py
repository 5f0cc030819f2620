"""Visitors of a website who sign themselves up. Whoever it is, the answer is the same and takes the same time.

So the request only checks what says nothing about anybody, and a background job does the rest. Nobody is on a campaign
before the owner of the mailbox has confirmed.
"""

import frappe
from frappe import _
from frappe.utils import strip_html_tags

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.enrollment import enroll
from drip_campaigns.enrollment.addresses import is_valid, normalise
from drip_campaigns.enrollment.recipient_types import available_types, get_type
from drip_campaigns.site_clock import utc_now

LONGEST_NAME = 140
PEOPLE = ("Contact", "Lead")  # in this order; a User does not sign up for anything


class SignUpError(DripError):
	"""Nobody can sign up so."""


def request_sign_up(campaign: str, email_address: str, first_name: str, last_name: str) -> None:
	"""Check what anybody may know, and let a background job go on; raise SignUpError otherwise."""
	address = (email_address or "").strip()
	if not is_valid(address):
		raise SignUpError(_("This is not a valid e-mail address. Correct it and try again."))
	is_open = {"name": campaign, "accept_sign_ups": 1, "status": CampaignStatus.ACTIVE.value}
	if not frappe.db.exists("Drip Campaign", is_open):
		raise SignUpError(_("Nobody can sign up here at present."))
	frappe.enqueue(
		"drip_campaigns.enrollment.sign_up.sign_up",
		queue="short",
		enqueue_after_commit=True,
		campaign=campaign,
		email_address=address,
		first_name=_clean(first_name),
		last_name=_clean(last_name),
	)


def sign_up(campaign: str, email_address: str, first_name: str = "", last_name: str = "") -> None:
	"""Enroll whoever has this address, as awaiting confirmation; make a Contact of somebody unknown. A background job.

	Who is on the campaign already, or has left it, gets nothing, and nobody is told.
	"""
	user = frappe.session.user
	frappe.set_user("Administrator")
	frappe.db.savepoint("drip_sign_up")
	try:
		doctype, name = _find_person(email_address) or _make_contact(email_address, first_name, last_name)
		sender = frappe.db.get_value("Drip Campaign", campaign, "sender")
		owner = frappe.db.get_value("Drip Campaign", campaign, "owner")
		enroll.enroll(campaign, doctype, name, utc_now(), sender=sender or owner, require_confirmation=True)
	except (DripError, frappe.ValidationError):
		frappe.db.rollback(save_point="drip_sign_up")
		frappe.clear_last_message()
	finally:
		frappe.set_user(user)


def _find_person(address: str) -> tuple[str, str] | None:
	for doctype in PEOPLE:
		if doctype in available_types():
			filters = {get_type(doctype).address: ["in", [address, normalise(address)]]}
			found = frappe.get_all(doctype, filters=filters, order_by="creation", limit=1, pluck="name")
			if found:
				return doctype, found[0]
	return None


def _make_contact(address: str, first_name: str, last_name: str) -> tuple[str, str]:
	emails = [{"email_id": address, "is_primary": 1}]
	names = {"first_name": first_name, "last_name": last_name}
	return "Contact", frappe.get_doc(doctype="Contact", email_ids=emails, **names).insert().name


def _clean(name: str) -> str:
	return " ".join(strip_html_tags(name or "").split())[:LONGEST_NAME]
