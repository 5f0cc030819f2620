"""A recipient's change of address: requested from the old one, confirmed from the new one. Nothing here commits.

Nothing changes until the link in the email to the new address is used. The old address is notified afterwards.
"""

import secrets
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils.jinja import get_template

from drip_campaigns.core.model import EventType, ExitReason, SuppressionReason
from drip_campaigns.db.single_writes import write_values
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
	"""Email the new address a link that confirms the change; a later request replaces this one.

	A suppressed address gets no email, and the person who asked does not learn it.
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
	"""Delete the requests to change to `address`, whose owner wants nothing stored."""
	filters = {"new_address": ["in", spellings(address)]}
	for row in frappe.get_all(PREFERENCE, filters=filters, fields=["name", "new_address"]):
		if normalize(row.new_address) == normalize(address):
			write_values(PREFERENCE, row.name, NO_REQUEST)


def delete_expired(now: datetime) -> None:
	"""Delete the addresses of requests that were not confirmed in time; their links no longer work."""
	filters = {"change_asked_at": ["<", to_site(now - VALID_FOR)]}
	write_values(PREFERENCE, filters, NO_REQUEST)


def confirm_change(request: frappe._dict, now: datetime) -> None:
	"""Change the address on enrollments, lists and records. Opt-outs stay, and the old address is notified."""
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
	"""Move live enrollments to the new address; of two in one campaign, the one at the new address stays."""
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
	"""Move memberships to the new address; where it is on the list already, that row stays, and an opt-out counts."""
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
			write_values(MEMBER, row.name, values)
			continue
		frappe.db.delete(MEMBER, {"name": row.name})
		if row.opted_out:
			values = {"opted_out": 1, "opted_out_at": row.opted_out_at}
			write_values(MEMBER, known[row.target_list].name, values)


def _move_preference(request: frappe._dict, new: str) -> None:
	"""Move the person's preferences to the new address; the request is done."""
	wishes = ["preferred_language", "time_zone", "paused_until", "tracking_consent", "tracking_consent_at"]
	values = frappe.db.get_value(PREFERENCE, request.name, wishes, as_dict=True)
	frappe.db.delete(PREFERENCE, {"name": request.name})
	save_preference(new, **{field: value for field, value in values.items() if value})


def _send(address: str, template: str, subject: str, url: str) -> None:
	"""Send an email that is no campaign email: both addresses are notified in any case."""
	text = get_template(f"drip_campaigns/templates/emails/{template}.html").render(
		url=url, days=VALID_FOR.days
	)
	frappe.sendmail(recipients=[address], subject=subject, message=text, add_unsubscribe_link=0, delayed=True)
