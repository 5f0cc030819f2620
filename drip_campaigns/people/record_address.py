"""The address in the records of other apps, changed for a recipient who has confirmed the new one. Nothing here commits."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.people.linked_records import find_linked
from drip_campaigns.people.recipient_types import get_type, known_types
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.site.notify import find_managers, notify

LOGINS = ("User",)  # whose address is the name they sign in with: nobody changes that by a link
Record = tuple[str, str]


def change_records(old: str, new: str) -> set[Record]:
	"""Write `new` where campaigns and lists read `old`: into the record or, where the person stands there, a linked one.

	Return the records that are read with the new address now. Of the others the managers are told, and a note stands
	on each.
	"""
	records = _known_by(old)
	linked = [found for record in records for found in _linked_with(*record)]
	for record in dict.fromkeys([*records, *linked]):
		_change(*record, old, new)
	changed = {record for record in records if _address_of(*record) == normalize(new)}
	for doctype, name in records:
		if (doctype, name) not in changed and frappe.db.exists(doctype, name):
			_ask_for_help(doctype, name, new)
	return changed


def _known_by(address: str) -> list[Record]:
	"""Return the records that campaigns and lists know by this address, each once."""
	filters = {"email_address": ["in", spellings(address)]}
	fields = ["recipient_type", "recipient", "email_address"]
	rows = [
		row
		for doctype in ("Drip Enrollment", "Drip Target List Member")
		for row in frappe.get_all(doctype, filters=filters, fields=fields)
	]
	types = known_types()
	own = [
		row
		for row in rows
		if row.recipient_type in types
		and row.recipient
		and normalize(row.email_address) == normalize(address)
	]
	return list(dict.fromkeys((row.recipient_type, row.recipient) for row in own))


def _linked_with(doctype: str, name: str) -> list[Record]:
	"""Return the records in which the person of this one may stand."""
	if not frappe.db.exists(doctype, name):
		return []
	row = frappe.get_doc(doctype, name).as_dict()
	return [
		linked for hop in get_type(doctype).hops for linked in find_linked(doctype, hop, [row]).get(name, [])
	]


def _change(doctype: str, name: str, old: str, new: str) -> None:
	if doctype in LOGINS or not frappe.db.exists(doctype, name):
		return
	document = frappe.get_doc(doctype, name)
	if not _replace(document, old, new):
		return
	note = _(
		"changed the email address from {0} to {1}: the recipient asked for it and confirmed it from there."
	)
	frappe.db.savepoint("drip_change_address")
	try:
		document.flags.ignore_mandatory = True
		document.save(ignore_permissions=True)
		document.add_comment("Info", note.format(old, new))
	except frappe.ValidationError:  # a rule of another app; people are asked to do it
		frappe.clear_last_message()
		frappe.db.rollback(save_point="drip_change_address")


def _replace(document: Document, old: str, new: str) -> bool:
	"""Put `new` into every email field of a document and its rows that holds `old`; return whether there was one."""
	found = False
	for row in (document, *document.get_all_children()):
		for field in row.meta.get("fields", {"options": "Email"}):
			if row.get(field.fieldname) and normalize(row.get(field.fieldname)) == normalize(old):
				row.set(field.fieldname, new)
				found = True
	return found


def _address_of(doctype: str, name: str) -> str:
	recipient = load_recipients(doctype, [name], whole=False).get(name)
	return normalize(recipient.email) if recipient and recipient.email else ""


def _ask_for_help(doctype: str, name: str, new: str) -> None:
	text = _("The recipient asks to be written to at {0} from now on. Please change the record.").format(new)
	frappe.get_doc(doctype, name).add_comment("Info", text)
	subject = _("A recipient has a new email address: {0}").format(frappe.bold(f"{_(doctype)} {name}"))
	told = find_managers()
	frappe.db.after_commit.add(lambda: notify(told, subject, doctype, name))
