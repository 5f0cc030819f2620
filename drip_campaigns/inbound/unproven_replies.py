"""Messages that come from a recipient's address and name no email of ours. Nothing here commits.

Anyone can write any address as the sender, so such a message ends and changes nothing: it is shown to the owner. Only a
wish to unsubscribe also pauses the enrollments of the address, until the owner decides.
"""

from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.inbound.read_message import Kind
from drip_campaigns.core.model import EventType, Status
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.enrollment.changes import log
from drip_campaigns.enrollment.exit import find_live_of
from drip_campaigns.enrollment.pause import pause_enrollments
from drip_campaigns.exit_rules.same_company import find_by_domain
from drip_campaigns.inbound.find_email import FIELDS
from drip_campaigns.inbound.received_texts import find_changes
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import notify

NOTIFY_AGAIN_SECONDS = 24 * 3600  # a stranger must not fill an owner's notifications
MOST_ENROLLMENTS = 20  # of one message; more people with this address or mail domain are not shown
LONGEST_SUBJECT = 200
PAUSABLE = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)


def show_to_owners(sender: str, kind: Kind, subject: str, communication, now: datetime) -> None:
	"""Show a message to the owners of the campaigns that `sender`, a normalized address, is in, or else their company."""
	mails = _find_latest_emails(sender)
	for mail in mails[:MOST_ENROLLMENTS]:
		link_communication(communication, mail)
		_show(frappe.get_doc("Drip Enrollment", mail.enrollment, for_update=True), kind, subject, now, mail)
	if not mails and kind is Kind.HUMAN:
		for name in find_by_domain(sender)[:MOST_ENROLLMENTS]:
			_show_colleague(frappe.get_doc("Drip Enrollment", name, for_update=True), sender, now)


def link_communication(communication, mail: frappe._dict) -> None:
	"""Link a received Communication, if there is one, with the enrollment and the recipient's timeline."""
	if not communication:
		return
	changes = find_changes(communication)
	if not communication.reference_name:
		changes |= {"reference_doctype": "Drip Enrollment", "reference_name": mail.enrollment}
	if changes:
		write_fields(communication, changes)
	wanted = (mail.recipient_type, mail.recipient)
	linked = {(row.link_doctype, row.link_name) for row in communication.timeline_links}
	if wanted not in linked and frappe.db.exists(*wanted):
		# Frappe is inserting the Communication now, so it cannot be saved.
		row = {"link_doctype": mail.recipient_type, "link_name": mail.recipient}
		communication.append("timeline_links", row).db_insert()


def _show(document, kind: Kind, subject: str, now: datetime, mail: frappe._dict) -> None:
	log(document, EventType.FEEDBACK, now, _("By address alone: {0}").format(subject[:LONGEST_SUBJECT]), mail)
	if kind is Kind.OPT_OUT:
		if document.status in PAUSABLE:
			detail = _("An email from this address asks to unsubscribe. It names no email of ours")
			pause_enrollments([document.name], now, detail=detail)
		text = _(
			"An email from {0} asks to unsubscribe, but does not reply to an email of {1}, so anyone can have sent it. "
			"They are paused. Unsubscribe them, or resume them if it is forged."
		)
		_ask(document, text, "unsubscribe")
	elif kind is Kind.HUMAN:
		text = _(
			"{0} wrote, but not in reply to an email of {1}, so anyone can have sent it. Read it, and remove them from the "
			"campaign if they are not to get more."
		)
		_ask(document, text, "wrote")


def _show_colleague(document, sender: str, now: datetime) -> None:
	log(document, EventType.FEEDBACK, now, _("{0}, from the same company, wrote").format(sender))
	text = _(
		"Somebody of the company of {0} wrote, but not in reply to an email of {1}. Read it, and remove the people of this "
		"company from the campaign if they are not to get more."
	)
	_ask(document, text, "colleague")


def _ask(document, text: str, about: str) -> None:
	"""Notify the sender and the owner of a campaign, once a day about an enrollment."""
	key = f"drip_campaigns:unproven:{about}:{document.name}"
	if frappe.cache.get_value(key, expires=True):
		return
	frappe.cache.set_value(key, 1, expires_in_sec=NOTIFY_AGAIN_SECONDS)
	owner = frappe.db.get_value("Drip Campaign", document.campaign, "owner")
	subject = as_html(text, bold(document.recipient_name or document.email_address), document.campaign)
	users = {user for user in (document.sender, owner) if user}
	frappe.db.after_commit.add(lambda: notify(users, subject, "Drip Enrollment", document.name))


def _find_latest_emails(sender: str) -> Sequence[frappe._dict]:
	"""Return the latest sent email of each live enrollment of an address."""
	live = find_live_of(sender) if "@" in sender else []
	if not live:
		return []
	filters = {"enrollment": ["in", live], "sent_at": ["is", "set"]}
	rows = frappe.get_all("Drip Email", filters=filters, fields=list(FIELDS), order_by="sent_at")
	return list({row.enrollment: row for row in rows}.values())
