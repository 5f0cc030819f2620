"""The enrollments of a person: of the record itself, and of every other record that has had its address. Reads only.

Every rule about a person's past asks here, because a Lead made from a reply or a Deal made from a Lead is the same person.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

import frappe

from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.people.recipients import Recipient

DOCTYPE = "Drip Enrollment"
_NEEDED = ("name", "creation", "recipient_type", "recipient", "recipient_created_at", "email_address")
Key = TypeVar("Key", bound=Hashable)


class Identity(NamedTuple):
	"""A record, its address, which is empty if it has none, and when it was created, if that is known."""

	recipient_type: str
	recipient: str
	address: str
	created: datetime | None = None

	def is_record_of(self, row: Mapping) -> bool:
		"""Say whether an enrollment is of this record: not of another one, nor of a deleted one that had the name before."""
		if (row["recipient_type"], row["recipient"]) != self[:2]:
			return False
		remembered = row["recipient_created_at"]
		return not (remembered and self.created) or self.created <= remembered


def identify(recipient: Recipient) -> Identity:
	"""Return the identity of a record."""
	return Identity(recipient.doctype, recipient.name, recipient.email, recipient.fields.get("creation"))


def find_past_enrollments(
	people: Mapping[Key, Identity], fields: Sequence[str], **equal: str
) -> dict[Key, list[frappe._dict]]:
	"""Return the enrollments of each person, the oldest first, with these `fields` and those that identify them.

	One query per recipient type and one by address, however many people. `equal` restricts the columns, for example to one campaign.
	"""
	wanted = tuple(dict.fromkeys((*_NEEDED, *fields)))
	found: list[frappe._dict] = []
	by_type: dict[str, set[str]] = defaultdict(set)
	for one in people.values():
		if one.recipient:
			by_type[one.recipient_type].add(one.recipient)
	for doctype, names in sorted(by_type.items()):  # the index begins with the type
		found += select_in(DOCTYPE, wanted, "recipient", sorted(names), recipient_type=doctype, **equal)
	spelled = {spelling for one in people.values() if one.address for spelling in spellings(one.address)}
	found += select_in(DOCTYPE, wanted, "email_address", sorted(spelled), **equal)
	rows = {row.name: row for row in found}
	by_record, by_address = defaultdict(list), defaultdict(list)
	for row in sorted(rows.values(), key=lambda row: (row.creation, row.name)):
		by_record[row.recipient_type, row.recipient].append(row)
		if row.email_address:  # none: its person was erased
			by_address[normalize(row.email_address)].append(row)
	return {
		key: _merge(
			[row for row in by_record[one[:2]] if one.is_record_of(row)],
			by_address[normalize(one.address)] if one.address else [],
		)
		for key, one in people.items()
	}


def _merge(own: Sequence[frappe._dict], others: Sequence[frappe._dict]) -> list[frappe._dict]:
	if not others or not own:
		return list(own or others)
	found = {row.name: row for row in (*own, *others)}
	return sorted(found.values(), key=lambda row: (row.creation, row.name))
