"""The registry of recipient types: the DocTypes that can be enrolled, and the fields in which each stores its facts.

A recipient type is a DocType with an email field, its own or that of a linked record. `recipients.py` reads the records;
rules about people (consent, suppression) do not belong here.
"""

from dataclasses import dataclass
from typing import Any

import frappe

from drip_campaigns.core.errors import DripError


class UnknownRecipientTypeError(DripError):
	"""Records of this kind cannot be enrolled."""

	def __init__(self, doctype: str) -> None:
		super().__init__(f"{doctype} records cannot be enrolled in a campaign.")
		self.doctype = doctype


class CannotCreateError(DripError):
	"""Enrolling does not create records of this kind."""


@dataclass(frozen=True)
class StopFlag:
	"""A field whose value forbids email, and the sentence that says so.

	`is_personal`: it applies to every record that leads to this person, otherwise to this record only. `is_closed`: the record
	is won, lost, or converted, and a campaign can say that it is for such records too. `types`: where the field is a Link to
	statuses that have a type, the types count instead of the values. `status_flags.py` finds them.
	"""

	fieldname: str
	values: tuple[Any, ...]
	because: str
	is_personal: bool = True
	is_closed: bool = False
	types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hop:
	"""A link from a record to the record of its person.

	`field` is a Link to `doctype`, or a Dynamic Link whose DocType `doctype_field` names; with `table` it is a field of
	that child table. Without a field, the link is every Contact that links to the record.
	"""

	field: str = ""
	doctype: str = "Contact"
	doctype_field: str = ""
	table: str = ""


@dataclass(frozen=True)
class RecipientType:
	"""The fieldnames of a DocType by fact; an empty name means that the DocType has no such field.

	`hops` are followed in their order. `address_is_copy`: the record's address is an older copy of a linked record's, so
	the linked record's address has priority.
	"""

	doctype: str
	address: str
	full_name: str = ""
	first_name: str = ""
	last_name: str = ""
	company: str = ""
	language: str = ""
	time_zone: str = ""
	owner: str = "owner"
	stop_flags: tuple[StopFlag, ...] = ()
	hops: tuple[Hop, ...] = ()
	address_is_copy: bool = False


# These apply to every type that has the field, standard or custom.
COMMON_FLAGS = (
	StopFlag("unsubscribed", (1,), "is marked as unsubscribed"),
	StopFlag("disabled", (1,), "is disabled"),
	StopFlag("do_not_contact", (1,), "is marked as do not contact"),
)
FORBIDDING_STATUS = "has a status that forbids email"
_PARTY_HOPS = (Hop(), Hop(field="lead_name", doctype="Lead"))

_TYPES = (
	RecipientType(
		doctype="Contact",
		address="email_id",
		full_name="full_name",
		first_name="first_name",
		last_name="last_name",
		company="company_name",
	),
	RecipientType(
		doctype="User",
		address="email",
		full_name="full_name",
		first_name="first_name",
		last_name="last_name",
		language="language",
		time_zone="time_zone",
		stop_flags=(StopFlag("enabled", (0,), "is disabled"),),
	),
	RecipientType(doctype="Email Group Member", address="email"),
	RecipientType(
		doctype="Lead",
		address="email_id",
		full_name="lead_name",
		first_name="first_name",
		last_name="last_name",
		company="company_name",
		language="language",
		owner="lead_owner",
		stop_flags=(
			StopFlag("status", ("Do Not Contact",), FORBIDDING_STATUS),
			StopFlag("status", ("Converted",), FORBIDDING_STATUS, is_personal=False, is_closed=True),
		),
	),
	RecipientType(
		doctype="Customer",
		address="email_id",
		full_name="customer_name",
		first_name="first_name",
		last_name="last_name",
		company="customer_name",
		language="language",
		owner="account_manager",
		hops=(Hop(field="customer_primary_contact"), *_PARTY_HOPS),
		address_is_copy=True,
	),
	RecipientType(
		doctype="Opportunity",
		address="contact_email",
		full_name="contact_display",
		company="customer_name",
		language="language",
		owner="opportunity_owner",
		stop_flags=(
			StopFlag(
				"status",
				("Converted", "Lost", "Closed"),
				FORBIDDING_STATUS,
				is_personal=False,
				is_closed=True,
			),
		),
		hops=(
			Hop(field="contact_person"),
			Hop(field="party_name", doctype="", doctype_field="opportunity_from"),
		),
	),
	RecipientType(
		doctype="Prospect",
		address="",
		full_name="company_name",
		company="company_name",
		owner="prospect_owner",
		hops=(Hop(), Hop(field="lead", doctype="Lead", table="Prospect Lead")),
	),
	RecipientType(
		doctype="Supplier",
		address="email_id",
		full_name="supplier_name",
		company="supplier_name",
		language="language",
		hops=(Hop(field="supplier_primary_contact"), Hop()),
		address_is_copy=True,
	),
	RecipientType(
		doctype="Employee",
		address="prefered_email",
		full_name="employee_name",
		first_name="first_name",
		last_name="last_name",
		company="company",
		stop_flags=(StopFlag("status", ("Inactive", "Suspended", "Left"), FORBIDDING_STATUS),),
		hops=(Hop(field="user_id", doctype="User"),),
	),
	RecipientType(
		doctype="CRM Lead",
		address="email",
		full_name="lead_name",
		first_name="first_name",
		last_name="last_name",
		company="organization",
		owner="lead_owner",
		stop_flags=(
			StopFlag("status", ("Junk",), FORBIDDING_STATUS),
			StopFlag(
				"status",
				("Unqualified",),
				FORBIDDING_STATUS,
				is_personal=False,
				is_closed=True,
				types=("Lost",),
			),
			StopFlag("converted", (1,), "is converted", is_personal=False, is_closed=True),
		),
	),
	RecipientType(
		doctype="CRM Deal",
		address="email",
		full_name="lead_name",
		first_name="first_name",
		last_name="last_name",
		company="organization",
		owner="deal_owner",
		stop_flags=(
			StopFlag(
				"status",
				("Won", "Lost"),
				FORBIDDING_STATUS,
				is_personal=False,
				is_closed=True,
				types=("Won", "Lost"),
			),
		),  # fmt: skip
		hops=(Hop(field="contact", table="CRM Contacts"), Hop(field="lead", doctype="CRM Lead")),
		address_is_copy=True,
	),
)

BUILT_IN: dict[str, RecipientType] = {recipient_type.doctype: recipient_type for recipient_type in _TYPES}


def known_types() -> dict[str, RecipientType]:
	"""Return the recipient types on this site by DocType: the built-in ones in their order, then those of Drip Settings."""
	types = {**BUILT_IN, **_named_in_settings()}
	present = set(frappe.get_all("DocType", filters={"name": ["in", list(types)]}, pluck="name"))
	return {doctype: entry for doctype, entry in types.items() if doctype in present}


def available_types() -> list[str]:
	"""Return the DocTypes of the recipient types on this site."""
	return list(known_types())


def is_type(doctype: str) -> bool:
	"""Return whether records of `doctype` can be enrolled."""
	return doctype in BUILT_IN or doctype in _named_in_settings()


def get_type(doctype: str) -> RecipientType:
	"""Return the registry's entry for `doctype`; raise UnknownRecipientTypeError if it has none."""
	entry = BUILT_IN.get(doctype) or _named_in_settings().get(doctype)
	if entry is None:
		raise UnknownRecipientTypeError(doctype)
	return entry


def _named_in_settings() -> dict[str, RecipientType]:
	rows = frappe.get_cached_doc("Drip Settings").get("recipient_types") or []
	return {row.document_type: _make_type(row) for row in rows if row.document_type not in BUILT_IN}


def _make_type(row) -> RecipientType:
	flag = StopFlag(row.forbidding_field or "", (1,), "is marked as not receiving email")
	return RecipientType(
		doctype=row.document_type,
		address=row.address_field,
		full_name=row.name_field or "",
		language=row.language_field or "",
		time_zone=row.time_zone_field or "",
		owner=row.owner_field or "owner",
		stop_flags=(flag,) if row.forbidding_field else (),
	)
