"""Change the address in the records of other apps after a recipient confirmed the new one. Nothing here commits."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.db.savepoints import attempt
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.people.linked_records import find_linked
from drip_campaigns.people.recipient_types import get_type, known_types
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.site.messages import add_note, as_html, bold
from drip_campaigns.site.notify import find_managers, notify

LOGINS = ("User",)  # the address is the login, which a link must not change
Record = tuple[str, str]


def change_records(old: str, new: str) -> set[Record]:
	"""Write `new` into the records from which campaigns and lists read `old`, or the linked records of their persons.

	Return the records that now have the new address. The others get a comment, and the managers a notification.
	"""
	records = _find_by_address(old)
	linked = [found for record in records for found in _linked_with(*record)]
	for record in dict.fromkeys([*records, *linked]):
		_change(*record, old, new)
	changed = {record for record in records if _address_of(*record) == normalize(new)}
	for doctype, name in records:
		if (doctype, name) not in changed and frappe.db.exists(doctype, name):
			_ask_managers(doctype, name, new)
	return changed


def _find_by_address(address: str) -> list[Record]:
	"""Return the records that campaigns and lists have under this address, each once."""
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
	"""Return the linked records that can hold the person of this one."""
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

	def save() -> None:
		document.flags.ignore_mandatory = True
		# nosemgrep: ignore-permissions - the recipient confirmed the change of their own address
		document.save(ignore_permissions=True)
		add_note(document, note, old, new)

	attempt(save)  # a rule of another app may refuse it: the managers do it


def _replace(document: Document, old: str, new: str) -> bool:
	"""Replace `old` by `new` in the email fields of a document and its rows; return whether one had it."""
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


def _ask_managers(doctype: str, name: str, new: str) -> None:
	text = _("The recipient wants emails at {0} from now on. Please change the record.")
	add_note(frappe.get_doc(doctype, name), text, new)
	subject = as_html(_("A recipient has a new email address: {0}"), bold(f"{_(doctype)} {name}"))
	managers = find_managers()
	frappe.db.after_commit.add(lambda: notify(managers, subject, doctype, name))
