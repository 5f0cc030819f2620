"""The demo's records: created for each run, identified by owner and address. Other records stay unchanged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import frappe

from dev.demo.people import DOMAIN, PEOPLE, Person
from dev.demo.templates import DAYS, load_templates
from dev.processes import LOOPBACK
from drip_campaigns.campaign import lifecycle

CAMPAIGN = "Welcome to Northlight"
POSTAL_ADDRESS = "Northlight Lighting, 12 Harbour Row, 5003 Bergen, Norway"
ACCOUNT = "Drip Demo"
SENDER = f"elena.marin@northlight.{DOMAIN}"

_OURS = {"owner": SENDER}
_ADDRESSES = ("like", f"%@%{DOMAIN}")


def clear() -> None:
	"""Delete the records of an earlier demo, and only those; commit."""
	frappe.set_user("Administrator")
	campaigns = frappe.get_all("Drip Campaign", filters=_OURS, pluck="name")
	enrollments = _names("Drip Enrollment", campaign=("in", campaigns))
	of_enrollments = {"reference_doctype": "Drip Enrollment", "reference_name": ("in", enrollments)}
	contacts = {*_names("Contact", **_OURS), *_names("Contact", email_id=_ADDRESSES)}
	_delete("Email Queue", _names("Email Queue", **of_enrollments), "Email Queue Recipient")
	_delete("Communication", _names("Communication", **of_enrollments), "Communication Link")
	_delete("Contact", contacts, "Contact Email", "Contact Phone", "Dynamic Link")
	for doctype in ("Drip Event", "Drip Email", "Drip Enrollment"):
		frappe.db.delete(doctype, {"campaign": ("in", campaigns or [""])})
	frappe.db.delete("Email Unsubscribe", {"email": _ADDRESSES})
	for doctype, names in (("Drip Campaign", campaigns), ("Email Template", _template_names())):
		for name in names:
			frappe.delete_doc(doctype, name, force=True, delete_permanently=True, ignore_missing=True)
	frappe.db.commit()


def create(port: int) -> None:
	"""Make the sender, her Email Account on this SMTP port, the templates and the Contacts; commit."""
	_create_sender()
	_enable_account(port)
	for template in load_templates():
		frappe.get_doc(
			doctype="Email Template",
			name=template.name,
			subject=template.subject,
			use_html=1,
			response_html=template.html,
			owner=SENDER,
		).insert()
	frappe.set_user(SENDER)
	for person in PEOPLE:
		_create_contact(person)
	frappe.db.commit()


def create_campaign(now: datetime) -> None:
	"""Make the campaign with the rights of its owner, and activate it; commit."""
	steps = [
		{"send_after_days": days, "email_template": template.name}
		for days, template in zip(DAYS, load_templates(), strict=True)
	]
	campaign = frappe.get_doc(
		doctype="Drip Campaign",
		campaign_name=CAMPAIGN,
		description="Created by `make demo`. The next run replaces it.",
		sender=SENDER,
		steps=steps,
	).insert()
	if not frappe.db.get_single_value("Drip Settings", "postal_address"):
		frappe.db.set_single_value("Drip Settings", "postal_address", POSTAL_ADDRESS)
	lifecycle.activate(campaign, now)
	frappe.db.commit()


def disable_account() -> None:
	"""Switch the demo's Email Account off: its mail server is gone after the run."""
	frappe.db.rollback()
	frappe.db.set_value("Email Account", ACCOUNT, "enable_outgoing", 0)
	frappe.clear_document_cache("Email Account", ACCOUNT)
	frappe.db.commit()


def find_contact(person: Person) -> str:
	"""Return the name of a person's Contact."""
	return frappe.db.get_value("Contact", {**_OURS, "full_name": person.full_name})


def _create_sender() -> None:
	if not frappe.db.exists("User", SENDER):
		frappe.get_doc(
			doctype="User",
			email=SENDER,
			first_name="Elena",
			last_name="Marin",
			user_type="System User",
			send_welcome_email=0,
		).insert()
	frappe.get_doc("User", SENDER).add_roles("Drip Manager")


def _enable_account(port: int) -> None:
	"""Find the account by the sender's address, whatever the site's default account is."""
	exists = frappe.db.exists("Email Account", ACCOUNT)
	account = frappe.get_doc("Email Account", ACCOUNT) if exists else frappe.new_doc("Email Account")
	account.update(
		{
			"email_account_name": ACCOUNT,
			"email_id": SENDER,
			"enable_outgoing": 1,
			"default_outgoing": 0,
			"smtp_server": LOOPBACK,
			"smtp_port": port,
			"no_smtp_authentication": 1,
		}
	)
	account.save()


def _create_contact(person: Person) -> None:
	emails = [{"email_id": person.address, "is_primary": 1}] if person.address else []
	frappe.get_doc(
		doctype="Contact",
		first_name=person.first_name,
		last_name=person.last_name,
		company_name=person.company,
		email_ids=emails,
	).insert()


def _template_names() -> list[str]:
	return [template.name for template in load_templates()]


def _names(doctype: str, **filters) -> list[str]:
	return frappe.get_all(doctype, filters=filters, pluck="name")


def _delete(doctype: str, names: Collection[str], *children: str) -> None:
	if not names:
		return
	for child in children:
		frappe.db.delete(child, {"parent": ("in", list(names)), "parenttype": doctype})
	frappe.db.delete(doctype, {"name": ("in", list(names))})
