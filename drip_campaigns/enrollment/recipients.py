"""The registry of recipient types: who can be enrolled, and where each kind of record keeps its facts.

A recipient type is a DocType with an e-mail field. Rules about people (consent, suppression) do not belong here.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import frappe

from drip_campaigns.enrollment.errors import UnknownRecipientTypeError


@dataclass(frozen=True)
class StopFlag:
	"""A field whose value forbids mail, and the sentence that says so."""

	fieldname: str
	values: tuple[Any, ...]
	because: str


@dataclass(frozen=True)
class RecipientType:
	"""Which field of a DocType holds what; an empty name means the DocType has no such field."""

	doctype: str
	address: str
	full_name: str
	first_name: str = ""
	last_name: str = ""
	company: str = ""
	language: str = ""
	time_zone: str = ""
	stop_flags: tuple[StopFlag, ...] = ()


@dataclass(frozen=True)
class Recipient:
	"""One person as every template sees them, whatever record they come from."""

	doctype: str
	name: str
	email: str
	first_name: str = ""
	last_name: str = ""
	full_name: str = ""
	company: str = ""
	language: str = ""
	time_zone: str | None = None
	stopped_because: str | None = None
	fields: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


_UNSUBSCRIBED = StopFlag("unsubscribed", (1,), "is marked as unsubscribed")

_TYPES = (
	RecipientType(
		doctype="Contact",
		address="email_id",
		full_name="full_name",
		first_name="first_name",
		last_name="last_name",
		company="company_name",
		stop_flags=(_UNSUBSCRIBED,),
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
	RecipientType(
		doctype="Lead",
		address="email_id",
		full_name="lead_name",
		first_name="first_name",
		last_name="last_name",
		company="company_name",
		language="language",
		stop_flags=(
			_UNSUBSCRIBED,
			StopFlag("disabled", (1,), "is disabled"),
			StopFlag("status", ("Do Not Contact", "Converted"), "has a status that forbids mail"),
		),
	),
)

REGISTRY: dict[str, RecipientType] = {recipient_type.doctype: recipient_type for recipient_type in _TYPES}


def available_types() -> list[str]:
	"""Return the recipient types that exist on this site, in the order of the registry."""
	present = set(frappe.get_all("DocType", filters={"name": ["in", list(REGISTRY)]}, pluck="name"))
	return [doctype for doctype in REGISTRY if doctype in present]


def get_type(doctype: str) -> RecipientType:
	"""Return the registry's entry for `doctype`; raise UnknownRecipientTypeError if it is none."""
	if doctype not in REGISTRY:
		raise UnknownRecipientTypeError(doctype)
	return REGISTRY[doctype]


def load_recipients(doctype: str, names: Sequence[str], *, whole: bool = True) -> dict[str, Recipient]:
	"""Read the records `names` of one type in one query; a name that is not there is left out.

	`whole` reads every field, as a template may use it; without, only what says who it is and whether mail is allowed.
	"""
	recipient_type = get_type(doctype)
	fields = ["*"] if whole else _identity_fields(recipient_type)
	rows = frappe.get_all(doctype, filters={"name": ["in", list(names)]}, fields=fields) if names else []
	return {row.name: _normalise(recipient_type, row) for row in rows}


def _identity_fields(recipient_type: RecipientType) -> list[str]:
	known = frappe.get_meta(recipient_type.doctype).get_valid_columns()
	named = [
		getattr(recipient_type, fact.name)
		for fact in dataclasses.fields(RecipientType)
		if fact.name not in ("doctype", "stop_flags")
	]
	wanted = ["name", *named, *(flag.fieldname for flag in recipient_type.stop_flags)]
	return [fieldname for fieldname in dict.fromkeys(wanted) if fieldname in known]


def _normalise(recipient_type: RecipientType, row: dict) -> Recipient:
	def text(fieldname: str) -> str:
		return str(row.get(fieldname) or "").strip() if fieldname else ""

	first_name, last_name = text(recipient_type.first_name), text(recipient_type.last_name)
	return Recipient(
		doctype=recipient_type.doctype,
		name=row["name"],
		email=text(recipient_type.address),
		first_name=first_name,
		last_name=last_name,
		full_name=text(recipient_type.full_name) or f"{first_name} {last_name}".strip(),
		company=text(recipient_type.company),
		language=text(recipient_type.language),
		time_zone=text(recipient_type.time_zone) or None,
		stopped_because=_find_stop_flag(recipient_type, row),
		fields=row,
	)


def _find_stop_flag(recipient_type: RecipientType, row: dict) -> str | None:
	for flag in recipient_type.stop_flags:
		if flag.fieldname in row and row[flag.fieldname] in flag.values:
			return flag.because
	return None
