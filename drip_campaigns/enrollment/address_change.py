"""A recipient's change of address: asked from the old one, confirmed from the new one. Nothing here commits.

Until the link in the email to the new address is used, nothing is changed. The old address is told afterwards.
"""

import secrets
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils.jinja import get_template

from drip_campaigns.core.model import EventType, ExitReason, SuppressionReason
from drip_campaigns.enrollment.changes import log, set_fields
from drip_campaigns.enrollment.exit import exit_enrollments, find_live_of
from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.people.addresses import hash_address, normalize, spellings
from drip_campaigns.people.opt_outs import find_opted_out_campaigns, record_opt_out
from drip_campaigns.people.preferences import DOCTYPE as PREFERENCE
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.people.record_address import change_records
from drip_campaigns.people.suppression import find_suppressed
from drip_campaigns.plans.enrollment_state import live_keys
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import from_site, to_site

VALID_FOR = timedelta(days=3)
NO_REQUEST = {"new_address": None, "change_key": None, "change_asked_at": None}
CARRIED_OVER = (SuppressionReason.OPTED_OUT, SuppressionReason.COMPLAINT, SuppressionReason.MANUAL)


def request_change(address: str, new_address: str, now: datetime) -> None:
	"""Send the email to the new address with whose link the change is confirmed; a later request takes the place of it.

	An address that wants no mail from us gets none, also at somebody else's request; whoever asked is not told.
	"""
	key = secrets.token_hex(12)
	save_preference(address, new_address=new_address, change_key=key, change_asked_at=to_site(now))
	if not find_suppressed([new_address]):
		_send(
			new_address,
			"drip_address_confirm",
			_("Please confirm your new email address"),
			Links().change(key),
		)


def find_request(change_key: str, now: datetime, *, for_update: bool = False) -> frappe._dict:
	"""Return the request of this key: `email_address`, `new_address`; raise frappe.DoesNotExistError if none is open."""
	fields = ["name", "email_address", "new_address", "change_asked_at"]
	filters = {"change_key": change_key}
	request = frappe.db.get_value(PREFERENCE, filters, fields, as_dict=True, for_update=for_update)
	if not request or now - from_site(request.change_asked_at) > VALID_FOR:
		raise frappe.DoesNotExistError
	return request


def delete_requests_to(address: str) -> None:
	"""Forget who has asked for `address`: the person of it wants nothing stored."""
	filters = {"new_address": ["in", spellings(address)]}
	for row in frappe.get_all(PREFERENCE, filters=filters, fields=["name", "new_address"]):
		if normalize(row.new_address) == normalize(address):
			frappe.db.set_value(PREFERENCE, row.name, NO_REQUEST)


def delete_expired(now: datetime) -> None:
	"""Forget the addresses of requests that nobody has confirmed in time: their links open nothing any more."""
	filters = {"change_asked_at": ["<", to_site(now - VALID_FOR)]}
	frappe.db.set_value(PREFERENCE, filters, NO_REQUEST)


def confirm_change(request: frappe._dict, now: datetime) -> None:
	"""Change the address on enrollments, lists and records; what the person has left stays left. The old one is told."""
	old, new = request.email_address, request.new_address
	changed = change_records(old, new)
	_carry_over_consent(old, new, now)
	_move_enrollments(old, new, changed, now)
	_move_memberships(old, new, changed)
	_move_preference(request, new)
	_send(old, "drip_address_changed", _("Your email address was changed"), "")


def _carry_over_consent(old: str, new: str, now: datetime) -> None:
	reason = find_suppressed([old]).get(normalize(old))
	if reason in CARRIED_OVER:
		suppress(new, reason, now, source="Change of address")
	for campaign in find_opted_out_campaigns(old):
		record_opt_out(campaign, new)


def _move_enrollments(old: str, new: str, changed: set[tuple[str, str]], now: datetime) -> None:
	"""Let live enrollments go on at the new address; of two in one campaign the one that was there before stays."""
	taken = {frappe.db.get_value("Drip Enrollment", name, "campaign") for name in find_live_of(new)}
	for name in find_live_of(old):
		document = frappe.get_doc("Drip Enrollment", name)
		if (document.recipient_type, document.recipient) not in changed:
			continue
		if document.campaign in taken:
			exit_enrollments([name], ExitReason.REMOVED, ExitReason.REMOVED.value, now)
			continue
		keys = live_keys(document.campaign, document.recipient_type, document.recipient, new)
		set_fields(document, {"email_address": new, **keys})
		log(document, EventType.ADDRESS_CHANGED, now)


def _move_memberships(old: str, new: str, changed: set[tuple[str, str]]) -> None:
	"""A list has an address once: where the new one is on it already, that row stays, and who has left has left."""
	fields = ["name", "target_list", "opted_out", "opted_out_at", "recipient_type", "recipient"]
	known = {
		row.target_list: row
		for row in frappe.get_all(MEMBER, {"address_hash": hash_address(new)}, ["name", "target_list"])
	}
	for row in frappe.get_all(MEMBER, {"address_hash": hash_address(old)}, fields):
		if (row.recipient_type, row.recipient) not in changed:
			continue
		if row.target_list not in known:
			values = {"email_address": new, "address_hash": hash_address(new)}
			frappe.db.set_value(MEMBER, row.name, values)
			continue
		frappe.db.delete(MEMBER, {"name": row.name})
		if row.opted_out:
			values = {"opted_out": 1, "opted_out_at": row.opted_out_at}
			frappe.db.set_value(MEMBER, known[row.target_list].name, values)


def _move_preference(request: frappe._dict, new: str) -> None:
	"""What the person asked for holds for the new address; the request is used up."""
	wishes = ["preferred_language", "time_zone", "paused_until", "tracking_consent", "tracking_consent_at"]
	values = frappe.db.get_value(PREFERENCE, request.name, wishes, as_dict=True)
	frappe.db.delete(PREFERENCE, {"name": request.name})
	save_preference(new, **{field: value for field, value in values.items() if value})


def _send(address: str, template: str, subject: str, url: str) -> None:
	"""Not a campaign email: whoever takes part in a change of address is told in any case."""
	text = get_template(f"drip_campaigns/templates/emails/{template}.html").render(
		url=url, days=VALID_FOR.days
	)
	frappe.sendmail(recipients=[address], subject=subject, message=text, add_unsubscribe_link=0, delayed=True)
