"""What a trigger kind is: the base class of the files in `kinds/`, one file for each kind. `registry.py` collects them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import frappe
from frappe import _
from frappe.utils import cstr, get_datetime
from pypika.queries import QueryBuilder
from pypika.terms import Field

from drip_campaigns.core.model import EventType
from drip_campaigns.db.amendments import find_current, find_first, has_amendments
from drip_campaigns.triggers.firings import Firing

# Places in the trigger cache beside the DocTypes
API_CALLS, DATES, WEB_FORMS = "*api calls", "*dates", "*web forms"
STANDARD_FIELDS = {"name": "Data", "owner": "Link", "creation": "Datetime", "modified": "Datetime"}

Rows = Sequence[frappe._dict]  # of Drip Trigger Firing
Source = tuple[QueryBuilder, Field]  # a query, and its field with the person's record
Filters = list[list[Any]]  # list filters on the recipient's own record


class Person(NamedTuple):
	"""A record to be enrolled, and the list through which it came."""

	recipient_type: str
	recipient: str
	target_list: str | None = None


class TriggerKind:
	"""One kind of event that enrolls people. Methods get the row of a trigger, `load_rows` or the form's."""

	label: str
	needed: tuple[str, ...] = ()  # fields that must be filled
	optional: tuple[str, ...] = ()  # fields that may be filled; a row of another kind does not keep them
	field_types: tuple[str, ...] = ()  # types that `field_name` may have; empty: every type
	watches = ""  # the DocType whose records fire it, or a place of the cache; empty: the recipient type
	event_type: EventType | None = None  # the event of the log that fires it
	is_portable = False  # names no record of the site, so that a campaign file may hold it
	can_loop = False  # our own emails can bring it about
	leaves_trace = True  # records show afterwards that it has happened
	needs_tracking = False  # fires only where the source campaign records opens and clicks by person
	follows_campaign = False  # fires when `source_campaign` is completed

	@property
	def fields(self) -> tuple[str, ...]:
		"""The fields of a row that mean something for this kind."""
		return (*self.needed, *self.optional)

	def describe(self, row) -> str:
		"""Return when it fires, in the language of the session's user: "When a Contact gets the tag Hot"."""
		raise NotImplementedError

	def prepare(self, row) -> None:
		"""Fill in what follows from the other fields, before the row is checked."""

	def find_problems(self, row) -> Iterator[str]:
		"""Yield what forbids saving a row whose needed fields are filled. Each says what to do."""
		if row.get("field_name"):
			yield from self._find_field_problem(row)

	def is_available(self, row) -> bool:
		"""Return whether this site has what a portable trigger is about."""
		return True

	def place(self, row) -> str:
		"""Return where the trigger cache keeps the row: the DocType whose records fire it."""
		return self.watches or row.recipient_type

	def places(self, row) -> tuple[str, ...]:
		"""Return all places of the row in the trigger cache."""
		return (self.place(row),)

	def match(self, document, trigger) -> Firing | None:
		"""Return the firing of a record that was just saved, or None. Without a query: a user waits for the save."""
		return None

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		"""Return the person of each firing by the firing's name; one that leads to nobody is missing."""
		return {row.name: Person(row.record_type, row.record) for row in rows}

	def find_existing(self, trigger, doctype: str) -> Filters | Source | None:
		"""Return how to find the records of `doctype` that met the trigger before; None if none can have."""
		return None

	def _find_field_problem(self, row) -> Iterator[str]:
		field = frappe.get_meta(row.recipient_type).get_field(row.field_name)
		fieldtype = field.fieldtype if field else STANDARD_FIELDS.get(row.field_name)
		if fieldtype is None or (field and field.get("is_virtual")):
			message = _("{0} has no field {1}. Choose one of its fields.")
			yield message.format(_(row.recipient_type), row.field_name)
		elif self.field_types and fieldtype not in self.field_types:
			message = _("{0} of {1} is a {2} field. Choose a field of type {3}.")
			types = _(" or ").join(map(_, self.field_types))
			yield message.format(row.field_name, _(row.recipient_type), _(fieldtype), types)


class LogEventKind(TriggerKind):
	"""A kind that an event of the log fires, of an enrollment in `source_campaign`."""

	watches = "Drip Event"
	can_loop = True

	def is_meant(self, trigger, event) -> bool:
		"""Return whether an event of the right type fires the trigger."""
		return trigger.source_campaign in (None, "", event["campaign"])

	def occurrence(self, site_now) -> str:
		"""Return what tells two such events of one enrollment apart: nothing, so that only the first one fires."""
		return "first"

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		return read_people("Drip Enrollment", rows)

	def find_existing(self, trigger, doctype: str) -> Source:
		"""Return the people with such an event in the log; events of bots do not count."""
		event, enrollment = frappe.qb.DocType("Drip Event"), frappe.qb.DocType("Drip Enrollment")
		query = frappe.qb.from_(event).inner_join(enrollment).on(enrollment.name == event.enrollment)
		query = query.where((event.event_type == self.event_type.value) & (event.is_bot == 0))
		query = query.where(enrollment.recipient_type == doctype)
		if trigger.source_campaign:
			query = query.where(event.campaign == trigger.source_campaign)
		return query, enrollment.recipient


def read_people(doctype: str, rows: Rows, filters: dict | None = None) -> dict[str, Person]:
	"""Return the person that a firing's record of `doctype` names, by the firing's name; without the list."""
	chosen = {"name": ["in", [row.record for row in rows]], **(filters or {})}
	fields = ["name", "recipient_type", "recipient"]
	found = {row.name: row for row in frappe.get_all(doctype, filters=chosen, fields=fields)}
	people = ((row.name, found.get(row.record)) for row in rows)
	return {name: Person(one.recipient_type, one.recipient) for name, one in people if one and one.recipient}


def find_current_people(rows: Rows) -> dict[str, Person]:
	"""Return the record of each firing as the person, by the firing's name; of a canceled record, the one that replaces it."""
	types = {row.name: row.record_type for row in rows}
	return {name: Person(types[name], record) for name, record in find_current_records(rows).items()}


def find_current_records(rows: Rows) -> dict[str, str]:
	"""Return the record of each firing by the firing's name: of a canceled document, the one that replaces it, if any."""
	current = {
		doctype: find_current(doctype, [row.record for row in rows if row.record_type == doctype])
		for doctype in {row.record_type for row in rows}
	}
	found = ((row.name, current[row.record_type].get(row.record)) for row in rows)
	return {name: record for name, record in found if record}


def make_firing(document, trigger, occurrence: str) -> Firing:
	"""Return the firing of a trigger at a record; `occurrence` tells two events at one record apart."""
	created = get_datetime(document.creation) if document.creation else None
	return Firing(trigger, document.doctype, cstr(document.name), occurrence, created=created)


def make_event_firing(document, trigger, occurrence: str) -> Firing:
	"""Return the firing of an event that a document and its amendments are together. Only an amended one costs queries."""
	replaced = document.get("amended_from") if has_amendments(document.doctype) else None
	first = find_first(document.doctype, {document.name: replaced})[document.name] if replaced else None
	firing = make_firing(document, trigger, occurrence)
	return replace(firing, first=first, is_new=not first, brings_back=bool(first))


def is_new(document) -> bool:
	"""Return whether a record is being inserted."""
	return bool(document.flags.in_insert)


def load_before(document):
	"""Return the record as it was before it was saved; None for a new one, or if nobody knows."""
	return None if is_new(document) else document.get_doc_before_save()


def name_type(row) -> str:
	"""Return what a sentence calls the kind of record."""
	return _(row.recipient_type) if row.recipient_type else _("record")


def name_field(row) -> str:
	"""Return the label of the row's field, or its name."""
	meta = frappe.get_meta(row.recipient_type) if row.recipient_type else None
	return _(meta.get_label(row.field_name)) if meta and row.field_name else row.field_name


def count_days(days: int) -> str:
	"""Return "1 day" or "3 days"."""
	return _("1 day") if days == 1 else _("{0} days").format(days)
