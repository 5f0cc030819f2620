"""An Email Account receives an email. Its sender is enrolled: the record with that address, or a new one.

An email that a bot sent enrolls nobody.
"""

from collections.abc import Sequence
from email.utils import parseaddr

import frappe
from frappe import _

from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.received_mail import is_received
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import Person, Rows, TriggerKind, is_new, make_firing

CAN_BE_CREATED = ("Contact", "Lead")
BOTS = ("mailer-daemon", "postmaster", "no-reply", "noreply", "donotreply", "do-not-reply", "bounce")


class EmailReceived(TriggerKind):
	"""Enrolls the sender. Only Frappe's mail receiver fires it, so the site must read the Email Account."""

	label = "Email Received"
	needed = ("email_account", "recipient_type")
	watches = "Communication"
	leaves_trace = False

	def describe(self, row) -> str:
		return _("When {0} receives an email from someone").format(row.email_account)

	def match(self, document, trigger) -> Firing | None:
		is_email = document.communication_type == "Communication" and is_received(document)
		is_meant = is_new(document) and is_email and document.email_account == trigger.email_account
		return make_firing(document, trigger, "received") if is_meant and document.sender else None

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		"""This is the one kind that creates records, when it finds no record with the sender's address."""
		senders = find_or_create_senders(trigger.recipient_type, [row.record for row in rows])
		people = ((row.name, senders.get(row.record)) for row in rows)
		return {name: Person(trigger.recipient_type, sender) for name, sender in people if sender}


def find_or_create_senders(recipient_type: str, communications: Sequence[str]) -> dict[str, str]:
	"""Return the record of each email's sender by the Communication's name.

	An unknown sender becomes a new Contact or Lead, as Frappe itself does with emails. Of another type, only records
	that exist are returned.
	"""
	fields = ["name", "sender", "sender_full_name", "reference_doctype", "reference_name"]
	filters = {"name": ["in", list(communications)]}
	mails = frappe.get_all("Communication", filters=filters, fields=fields)
	mails = [mail for mail in mails if _is_a_person(mail.sender)]
	records = _find_by_address(recipient_type, {_address(mail.sender) for mail in mails})
	found = {}
	for mail in mails:
		address = _address(mail.sender)
		if mail.reference_doctype == recipient_type and mail.reference_name:
			found[mail.name] = mail.reference_name  # the Email Account has created a record from it
			continue
		if address not in records and recipient_type in CAN_BE_CREATED:
			records[address] = _create(recipient_type, address, mail.sender_full_name)
		if address in records:
			found[mail.name] = records[address]
	return found


def _address(sender: str) -> str:
	return normalize(parseaddr(sender)[1])


def _is_a_person(sender: str | None) -> bool:
	address = parseaddr(sender or "")[1]
	return is_valid(address) and not address.lower().startswith(BOTS)


def _find_by_address(recipient_type: str, addresses: set[str]) -> dict[str, str]:
	field = get_type(recipient_type).address
	filters = {field: ["in", list(addresses)]}
	rows = frappe.get_all(
		recipient_type, filters=filters, fields=["name", f"{field} as address"], order_by="creation desc"
	)
	return {normalize(row.address): row.name for row in rows}  # the oldest record comes last, and stays


def _create(recipient_type: str, address: str, full_name: str | None) -> str:
	name = full_name if full_name and "@" not in full_name else address.partition("@")[0]
	values = {"doctype": recipient_type, "first_name": name[:140]}
	if recipient_type == "Contact":
		values["email_ids"] = [{"email_id": address, "is_primary": 1}]
	else:
		values["email_id"] = address
	# nosemgrep: ignore-permissions - a mailbox receives for nobody; the owner's rights decide who is enrolled
	return frappe.get_doc(values).insert(ignore_permissions=True).name
