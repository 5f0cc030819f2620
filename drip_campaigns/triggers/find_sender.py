"""Who wrote an email: the record with the sender's address, made if there is none. A robot's email is from nobody."""

from collections.abc import Sequence
from email.utils import parseaddr

import frappe

from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.recipient_types import get_type

CAN_BE_MADE = ("Contact", "Lead")
ROBOTS = ("mailer-daemon", "postmaster", "no-reply", "noreply", "donotreply", "do-not-reply", "bounce")


def find_or_create(recipient_type: str, communications: Sequence[str]) -> dict[str, str]:
	"""Return the record of each email's sender by the Communication's name.

	Whoever is unknown becomes a new Contact or Lead, as the site does with emails by itself; of another type only
	records that exist are found.
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
			found[mail.name] = mail.reference_name  # the Email Account has made a record of it already
			continue
		if address not in records and recipient_type in CAN_BE_MADE:
			records[address] = _make(recipient_type, address, mail.sender_full_name)
		if address in records:
			found[mail.name] = records[address]
	return found


def _address(sender: str) -> str:
	return normalize(parseaddr(sender)[1])


def _is_a_person(sender: str | None) -> bool:
	address = parseaddr(sender or "")[1]
	return is_valid(address) and not address.lower().startswith(ROBOTS)


def _find_by_address(recipient_type: str, addresses: set[str]) -> dict[str, str]:
	field = get_type(recipient_type).address
	filters = {field: ["in", list(addresses)]}
	rows = frappe.get_all(
		recipient_type, filters=filters, fields=["name", f"{field} as address"], order_by="creation desc"
	)
	return {normalize(row.address): row.name for row in rows}  # the oldest record comes last, and stays


def _make(recipient_type: str, address: str, full_name: str | None) -> str:
	name = full_name if full_name and "@" not in full_name else address.partition("@")[0]
	values = {"doctype": recipient_type, "first_name": name[:140]}
	if recipient_type == "Contact":
		values["email_ids"] = [{"email_id": address, "is_primary": 1}]
	else:
		values["email_id"] = address
	return frappe.get_doc(values).insert(ignore_permissions=True).name
