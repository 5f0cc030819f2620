"""Load records of any recipient type as recipients, in batches, in one form for every template and rule."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import frappe
from frappe.utils import cstr

from drip_campaigns.core.errors import UnknownTimeZoneError
from drip_campaigns.core.schedule.wall_clock import find_zone
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.linked_records import find_linked
from drip_campaigns.people.recipient_types import Hop, RecipientType, StopFlag, available_types, get_type
from drip_campaigns.people.status_flags import find_stop_flags

VISITOR = "Guest"  # owns the records that visitors of a website make


@dataclass(frozen=True)
class Recipient:
	"""One person in the form that templates use, from a record of any type."""

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
	is_closed: bool = False  # stopped only because it is won, lost, or converted
	owner: str = ""
	tracking_consent: bool | None = None  # the person's own answer; no record has it
	fields: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

	def is_of(self, row: Mapping[str, Any]) -> bool:
		"""Say whether an enrollment is about this record, and not about a deleted one that had the name before."""
		remembered, created = row.get("recipient_created_at"), self.fields.get("creation")
		return not (remembered and created) or created <= remembered

	def without_typed_texts(self) -> "Recipient":
		"""Return the recipient without texts if a visitor made the record: the owner of the address typed none of them."""
		if self.fields.get("owner") != VISITOR:
			return self
		kept = {name: "" if isinstance(value, str) else value for name, value in self.fields.items()}
		return dataclasses.replace(self, first_name="", last_name="", full_name="", company="", fields=kept)


def load_recipients(doctype: str, names: Sequence[str], *, whole: bool = True) -> dict[str, Recipient]:
	"""Return the recipients of the records `names` of one type by name; names that do not exist are omitted.

	Makes one query, and a few more for the batch if linked records hold the persons. `whole` reads every field for
	templates; without it, only identity, address and what forbids email.
	"""
	return _load(get_type(doctype), names, whole=whole, as_person=False)


def load_creations(doctype: str, names: Sequence[str]) -> dict[str, datetime]:
	"""Return when the records of these names were created; names that do not exist are omitted."""
	rows = select_in(doctype, ["name", "creation"], "name", names)
	return {cstr(row.name): row.creation for row in rows}


def load_enrolled(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Recipient]:
	"""Return the recipients of a batch of enrollments by type and name; records that do not exist are omitted."""
	names: dict[str, set[str]] = defaultdict(set)
	known = available_types()
	for row in rows:
		if row["recipient_type"] in known and row["recipient"]:
			names[row["recipient_type"]].add(row["recipient"])
	return {
		(doctype, name): recipient
		for doctype, wanted in names.items()
		for name, recipient in load_recipients(doctype, sorted(wanted)).items()
	}


def _load(
	recipient_type: RecipientType, names: Sequence[str], *, whole: bool, as_person: bool
) -> dict[str, Recipient]:
	"""`as_person`: other records link to these records, so flags that apply to the record only do not count."""
	flags = find_stop_flags(recipient_type)
	fields = ["*"] if whole else _identity_fields(recipient_type, flags)
	rows = select_in(recipient_type.doctype, fields, "name", names)
	recipients = {
		row.name: _make_recipient(recipient_type, row, _find_stop_flag(flags, row, as_person)) for row in rows
	}
	persons = _find_persons(recipient_type, rows)
	return {
		name: _complete(recipient_type, recipient, persons[name]) if name in persons else recipient
		for name, recipient in recipients.items()
	}


def _find_persons(recipient_type: RecipientType, rows: Sequence[dict]) -> dict[str, Recipient]:
	"""Return the linked person of each record that has one, from the first hop that leads to an address."""
	persons: dict[str, Recipient] = {}
	for hop in recipient_type.hops:
		missing = [row for row in rows if not (row["name"] in persons and persons[row["name"]].email)]
		for name, person in _follow(recipient_type, hop, missing).items():
			if person.email or name not in persons:
				persons[name] = person
	return persons


def _follow(recipient_type: RecipientType, hop: Hop, rows: Sequence[dict]) -> dict[str, Recipient]:
	linked = find_linked(recipient_type.doctype, hop, rows)
	wanted: dict[str, set[str]] = {}
	for candidates in linked.values():
		for doctype, name in candidates:
			wanted.setdefault(doctype, set()).add(name)
	found = {
		doctype: _load(get_type(doctype), sorted(names), whole=False, as_person=True)
		for doctype, names in wanted.items()
	}
	persons = {}
	for name, candidates in linked.items():
		there = [
			found[doctype][linked_name]
			for doctype, linked_name in candidates
			if linked_name in found[doctype]
		]
		if there:
			persons[name] = min(there, key=_reachability)  # the first of the best: min is stable
	return persons


def _reachability(person: Recipient) -> int:
	if not person.email:
		return 2
	return 1 if person.stopped_because else 0


def _complete(recipient_type: RecipientType, recipient: Recipient, person: Recipient) -> Recipient:
	"""Return the recipient with the name, address and stop flags of the linked person."""
	addresses = (person.email, recipient.email)
	# What forbids every email goes before a record that is only closed.
	stopped = min(recipient, person, key=lambda one: (not one.stopped_because, one.is_closed))
	first, second = addresses if recipient_type.address_is_copy else reversed(addresses)
	return dataclasses.replace(
		recipient,
		email=first or second,
		first_name=person.first_name or recipient.first_name,
		last_name=person.last_name or recipient.last_name,
		full_name=person.full_name or recipient.full_name,
		company=recipient.company or person.company,
		language=recipient.language or person.language,
		time_zone=recipient.time_zone or person.time_zone,
		stopped_because=stopped.stopped_because,
		is_closed=stopped.is_closed,
	)


def _identity_fields(recipient_type: RecipientType, flags: Sequence[StopFlag]) -> list[str]:
	known = {"creation", *frappe.get_meta(recipient_type.doctype).get_valid_columns()}
	named = [
		getattr(recipient_type, fact)
		for fact in (
			"address",
			"full_name",
			"first_name",
			"last_name",
			"company",
			"language",
			"time_zone",
			"owner",
		)
	]
	flagged = [flag.fieldname for flag in flags]
	links = [name for hop in recipient_type.hops if not hop.table for name in (hop.field, hop.doctype_field)]
	return [name for name in dict.fromkeys(["name", "creation", *named, *flagged, *links]) if name in known]


def _make_recipient(recipient_type: RecipientType, row: dict, flag: StopFlag | None) -> Recipient:
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
		time_zone=_known_zone(text(recipient_type.time_zone)),
		stopped_because=flag.because if flag else None,
		is_closed=bool(flag and flag.is_closed),
		owner=text(recipient_type.owner) or text("owner"),
		fields=row,
	)


def _find_stop_flag(flags: Sequence[StopFlag], row: dict, as_person: bool) -> StopFlag | None:
	for flag in flags:
		counts = flag.is_personal or not as_person
		if counts and flag.fieldname in row and row[flag.fieldname] in flag.values:
			return flag
	return None


@lru_cache(maxsize=1024)
def _known_zone(name: str) -> str | None:
	"""Return the zone's name, or None if it is empty or unknown: then the site's zone applies."""
	try:
		return find_zone(name).key if name else None
	except UnknownTimeZoneError:
		return None
