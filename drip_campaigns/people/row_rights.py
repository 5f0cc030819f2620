"""Who may read and change rows about people: enrollments, emails, events, actions, members, firings, consents, addresses.

A row needs two rights. The first is the right to read the record that it is about. The second is a right to what made
the row: the campaign or the target list. Users who may write it have that right, and so have users with whom it is
shared, and who enrolled the person. `hooks.py` names the two functions, which Frappe calls for every list, report, export,
link, count, and form. Both use the same SQL, so that a row that is not listed cannot be opened either.

The conditions use the indexes on the campaign: they name the campaigns of the user. A record type whose records the user
may read without restriction costs nothing more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import frappe
from frappe.permissions import get_role_permissions
from frappe.utils import create_batch

from drip_campaigns.db.dialect import names_where
from drip_campaigns.people.recipient_types import available_types
from drip_campaigns.people.record_scope import (
	EVERYTHING,
	NOTHING,
	find_read_condition,
	list_readable,
	quote,
	quote_all,
)

CAMPAIGN, LIST, ENROLLMENT = "Drip Campaign", "Drip Target List", "Drip Enrollment"
ADDRESSES = "Drip Suppression"  # who may write these works with addresses, whoever they belong to
PAGE = 5000
READING = ("read", "select", "report", "export", "print", "email")


@dataclass(frozen=True)
class Asked:
	"""Who asks for which table, and whether to change rows of it."""

	user: str
	doctype: str
	changes: bool = False

	def column(self, name: str) -> str:
		"""Return a column as SQL."""
		return f"`tab{self.doctype}`.`{name}`"


def find_row_condition(user: str | None, doctype: str) -> str:
	"""Return the SQL condition for the rows of a list that a user may read; "" for all: a hook of Frappe."""
	return _find_condition(Asked(user or frappe.session.user, doctype))


def may_use_row(doc, ptype: str = "read", user: str | None = None) -> bool:
	"""Return whether a user may read or change a row: a hook of Frappe.

	A new row is checked by its form, which says what is wrong with the record.
	"""
	if ptype == "create" or doc.is_new():
		return True
	return doc.name in filter_rows(doc.doctype, [doc.name], changes=ptype not in READING, user=user)


def filter_rows(doctype: str, names: Sequence[str], *, changes: bool, user: str | None = None) -> list[str]:
	"""Return those of the rows that a user (the session's) may read, or change, in their order; one query for a page."""
	condition = _find_condition(Asked(user or frappe.session.user, doctype, changes))
	pages = create_batch(list(names), PAGE) if condition != NOTHING else ()
	found = {name for page in pages for name in names_where(doctype, page, condition)}
	return [name for name in names if name in found]


def may_see_people_of(doctype: str, name: str, user: str) -> bool:
	"""Return whether a user sees the people of a campaign or a target list, as far as they may read the records."""
	reached = _find_reached(Asked(user, doctype))
	return reached is None or name in reached


def _find_condition(asked: Asked) -> str:
	if asked.user == "Administrator":
		return EVERYTHING
	return _RULES[asked.doctype](asked)


def _of_enrollments(asked: Asked) -> str:
	own = f"{asked.column('owner')} = {quote(asked.user)}"
	return _all(_in_reach(asked, CAMPAIGN, "campaign", own), _about_readable(asked))


def _of_enrollment_parts(asked: Asked) -> str:
	"""Emails and actions name the record."""
	return _all(_of_parts_in_reach(asked), _about_readable(asked))


def _of_events(asked: Asked) -> str:
	"""Events name the enrollment; those without one are about the campaign, or about an address.

	A user who may not read every record sees events of enrollments only: an OR would make the database read every event.
	"""
	enrollment, address = asked.column("enrollment"), asked.column("email_address")
	readable = _find_readable(Asked(asked.user, ENROLLMENT, asked.changes))
	works_with_addresses = _works_with_addresses(asked.user)
	if readable is None:
		of_people = f"(IFNULL({address}, '') = '' OR IFNULL({enrollment}, '') > '')"
		return _all(_of_parts_in_reach(asked), "" if works_with_addresses else of_people)
	if not readable:
		return _all(
			_of_parts_in_reach(asked), f"IFNULL({enrollment}, '') = ''" if works_with_addresses else NOTHING
		)
	# A derived table is read once, and the events are found by the index on their enrollment
	select = f"SELECT `name` FROM `tab{ENROLLMENT}` WHERE "  # nosec B608 # names from code; conditions are made by Frappe or quoted
	names = " UNION ALL ".join(select + one for one in readable)
	about = f"{enrollment} IN (SELECT `name` FROM ({names}) AS `readable`)"  # nosec B608 # names from code; conditions are made by Frappe or quoted
	if works_with_addresses:
		about = f"(IFNULL({enrollment}, '') = '' OR {about})"
	return _all(_of_parts_in_reach(asked), about)


def _of_members(asked: Asked) -> str:
	own = f"{asked.column('owner')} = {quote(asked.user)}"
	return _all(_in_reach(asked, LIST, "target_list", own), _about_readable(asked))


def _of_firings(asked: Asked) -> str:
	types = [*_FIRING_TYPES, *frappe.get_all("Web Form", pluck="doc_type", distinct=True)]
	readable = _about_readable(asked, "record_type", "record", types, is_complete=False)
	return _all(_in_reach(asked, CAMPAIGN, "campaign"), readable)


def _of_consents(asked: Asked) -> str:
	no_record = f"IFNULL({asked.column('recipient')}, '') = ''"
	readable = _about_readable(asked)
	if _works_with_addresses(asked.user):
		return f"({no_record} OR {readable})" if readable else EVERYTHING
	return _all(_in_reach(asked, CAMPAIGN, "campaign"), readable)


def _of_addresses(asked: Asked) -> str:
	"""A Drip User sees what concerns the addresses of people whose enrollments they see."""
	if _works_with_addresses(asked.user):
		return EVERYTHING
	enrollments = _of_enrollments(Asked(asked.user, ENROLLMENT, asked.changes))
	if enrollments in (EVERYTHING, NOTHING):
		return enrollments
	return f"{asked.column('email_address')} IN (SELECT `email_address` FROM `tab{ENROLLMENT}` WHERE {enrollments})"  # nosec B608 # names from code; conditions are made by Frappe or quoted


def _of_runs(asked: Asked) -> str:
	"""The rows of a file that a user enrolls belong to the user, and to the campaign."""
	own = f"{asked.column('owner')} = {quote(asked.user)}"
	return _in_reach(asked, CAMPAIGN, "campaign", own)


_FIRING_TYPES = (
	*(
		"Drip Enrollment",
		"Drip Event",
		"Drip Email",
		"Drip Target List Member",
		"Email Group Member",
		"Communication",
	),
	*("Sales Order", "Sales Invoice", "Payment Entry", "Opportunity", "Quotation", "CRM Deal"),
)
_RULES: dict[str, Callable[[Asked], str]] = {
	ENROLLMENT: _of_enrollments,
	"Drip Email": _of_enrollment_parts,
	"Drip Action": _of_enrollment_parts,
	"Drip Event": _of_events,
	"Drip Target List Member": _of_members,
	"Drip Trigger Firing": _of_firings,
	"Drip Consent": _of_consents,
	ADDRESSES: _of_addresses,
	"Drip Recipient Preference": _of_addresses,
	"Drip Bulk Enrollment": _of_runs,
}
DOCTYPES = tuple(_RULES)


def _of_parts_in_reach(asked: Asked) -> str:
	"""Of the campaigns that the user reaches, and of the enrollments that they made in others."""
	mine = f"SELECT `name` FROM `tab{ENROLLMENT}` WHERE `owner` = {quote(asked.user)}"  # nosec B608 # names from code; conditions are made by Frappe or quoted
	reached = _find_reached(Asked(asked.user, CAMPAIGN, asked.changes))
	if reached is None:
		return EVERYTHING
	others = set(
		frappe.get_all(
			ENROLLMENT, filters={"owner": asked.user}, pluck="campaign", distinct=True, order_by=None
		)
	) - set(reached)
	campaigns = _among(asked.column("campaign"), reached)
	if not others:
		return campaigns
	# The index on the campaign narrows the rows before their enrollments are looked up.
	theirs = _among(asked.column("campaign"), others)
	return f"({campaigns} OR ({theirs} AND {asked.column('enrollment')} IN ({mine})))"


def _in_reach(asked: Asked, parent: str, field: str, own: str = "") -> str:
	reached = _find_reached(Asked(asked.user, parent, asked.changes))
	if reached is None:
		return EVERYTHING
	condition = _among(asked.column(field), reached)
	return f"({condition} OR {own})" if own else condition


def _find_reached(asked: Asked) -> set[str] | None:
	"""Return the campaigns (or lists) whose people the user sees or changes, before their records count; None for all."""
	rights = get_role_permissions(frappe.get_meta(asked.doctype), user=asked.user)
	if asked.user == "Administrator" or (
		rights.get("write") and find_read_condition(asked.user, asked.doctype) == EVERYTHING
	):
		return None
	shared = set(frappe.share.get_shared(asked.doctype, asked.user, ["write" if asked.changes else "read"]))
	if rights.get("write"):
		return shared | set(list_readable(asked.doctype, user=asked.user, pluck="name", limit_page_length=0))
	if (rights.get("if_owner") or {}).get("write") is None:
		return shared
	own = frappe.get_all(asked.doctype, filters={"owner": asked.user}, pluck="name", limit_page_length=0)
	return shared | set(own)


def _works_with_addresses(user: str) -> bool:
	rights = get_role_permissions(frappe.get_meta(ADDRESSES), user=user)
	return user == "Administrator" or bool(rights.get("write"))


def _about_readable(
	asked: Asked,
	type_field: str = "recipient_type",
	name_field: str = "recipient",
	further: list[str] | tuple[str, ...] = (),
	*,
	is_complete: bool = True,
) -> str:
	"""Return the condition that the user may read the record of a row; "" if they may read all records of every type."""
	parts = _find_readable(asked, type_field, name_field, further, is_complete=is_complete)
	if parts is None:
		return EVERYTHING
	return f"({' OR '.join(parts)})" if parts else NOTHING


def _find_readable(
	asked: Asked,
	type_field: str = "recipient_type",
	name_field: str = "recipient",
	further: list[str] | tuple[str, ...] = (),
	*,
	is_complete: bool = True,
) -> list[str] | None:
	"""Return conditions, of which one holds if the user may read the record of a row; None for every record."""
	kind, name = asked.column(type_field), asked.column(name_field)
	whole, parts = [], []
	for doctype in dict.fromkeys((*available_types(), *further)):
		exists = frappe.db.exists("DocType", doctype, cache=True)
		condition = find_read_condition(asked.user, doctype) if exists else NOTHING
		if condition == EVERYTHING:
			whole.append(doctype)
		elif condition != NOTHING:
			named = f"SELECT `tab{doctype}`.`name` FROM `tab{doctype}` WHERE {condition}"  # nosec B608 # names from code; conditions are made by Frappe or quoted
			parts.append(f"({kind} = {quote(doctype)} AND {name} IN ({named}))")
		else:
			is_complete = False
	if is_complete and not parts:
		return None
	if whole:
		parts.append(f"{kind} IN {quote_all(whole)}")
	return parts


def _among(column: str, names: set[str]) -> str:
	return f"{column} IN {quote_all(sorted(names))}" if names else NOTHING


def _all(*conditions: str) -> str:
	wanted = [one for one in conditions if one]
	return NOTHING if NOTHING in wanted else " AND ".join(wanted)
