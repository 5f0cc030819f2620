"""Add pages of people to a target list: new members join, and removed ones come back. Nothing here commits.

A page takes a handful of statements. Members who opted out stay opted out, whatever the sources contain.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.db.bulk_writes import insert_records, set_each, set_values, standard_values
from drip_campaigns.db.dialect import as_names, select_in
from drip_campaigns.enrollment.deleted_records import forget_replaced_members
from drip_campaigns.enrollment.list_membership import MEMBER, add_to_count
from drip_campaigns.lists.sources import Person
from drip_campaigns.people.addresses import hash_address, is_valid
from drip_campaigns.people.recipient_types import available_types, get_type
from drip_campaigns.people.recipients import Recipient, load_recipients
from drip_campaigns.people.record_scope import filter_readable
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.row_names import new_name
from drip_campaigns.triggers.firings import Firing, record_firings
from drip_campaigns.triggers.trigger_cache import find_watching

MAX_RECORDS = 5000  # added by hand in one call
_FACTS = ("name", "recipient_type", "recipient", "address_hash", "opted_out", "removed_at", "is_filled")


@dataclass
class ImportResult:
	"""How many of a page joined, came back, could not be added, were already members, and have opted out."""

	joined: int = 0
	came_back: int = 0
	unreachable: int = 0
	already: int = 0
	opted_out: int = 0

	@classmethod
	def sum(cls, parts: "Iterable[ImportResult]") -> "ImportResult":
		"""Return the sums of several results."""
		return cls(*map(sum, zip(*map(astuple, parts), strict=True)))


class MemberImporter:
	"""Adds people to one list in one refresh, a page at a time.

	Members added `by_hand` stay, whatever the sources contain. Without `fires`, no trigger fires.
	"""

	def __init__(
		self, target_list: str, refresh: str, now: datetime, *, by_hand: bool = False, fires: bool = True
	) -> None:
		self.target_list, self.refresh, self.now = target_list, refresh, now
		self.is_filled, self.fires = int(not by_hand), fires
		self.by_record: dict[Person, frappe._dict] = {}
		self.by_hash: dict[str, frappe._dict] = {}

	def add_page(self, people: Sequence[Person], *, asks_rights: bool) -> ImportResult:
		"""Add the `people` whose records the session's user may read, and return the counts."""
		wanted = dict.fromkeys(people)
		hashed = [(one, hash_address(one.email)) for one in _load(wanted, asks_rights)]
		self._load_members(hashed)
		new, seen, moved = [], set(), []
		for recipient, digest in hashed:
			member = self.by_record.get((recipient.doctype, recipient.name)) or self.by_hash.get(digest)
			if member is None:
				member = self._add(recipient, digest)
				new.append((member, recipient))
			elif member.recipient == recipient.name and self._note_new_address(member, digest):
				moved.append((member.name, recipient.email, digest, recipient.full_name or recipient.email))
			seen.add(member.name)
		self._insert(new)
		set_each(MEMBER, ("name", "email_address", "address_hash", "recipient_name"), moved)
		known = seen.difference(member.name for member, _recipient in new)
		back = self._update_known(known)
		self._fire_triggers([*(member.name for member, _recipient in new), *back])
		add_to_count(self.target_list, len(new) + len(back))
		left = sum(row.opted_out for row in self._rows() if row.name in known)
		already = len(hashed) - len(new) - len(back) - left
		return ImportResult(len(new), len(back), len(wanted) - len(hashed), already, left)

	def _load_members(self, hashed: Sequence[tuple[Recipient, str]]) -> None:
		"""Read the members among these people, by record and by address."""
		by_type: dict[str, list[str]] = {}
		for recipient, _digest in hashed:
			by_type.setdefault(recipient.doctype, []).append(recipient.name)
		for kind, names in by_type.items():
			forget_replaced_members(self.target_list, kind, names, self.now)
		whole = {"target_list": self.target_list}
		hashes = [digest for _recipient, digest in hashed]
		rows = select_in(MEMBER, _FACTS, "address_hash", hashes, **whole)
		for kind, names in by_type.items():
			rows += select_in(MEMBER, _FACTS, "recipient", names, recipient_type=kind, **whole)
		self.by_record = {(row.recipient_type, row.recipient): row for row in rows}
		self.by_hash = {row.address_hash: row for row in rows}

	def _note_new_address(self, member: frappe._dict, digest: str) -> bool:
		"""Return whether a member has a new address. A member who opted out keeps the old one."""
		if member.address_hash == digest or member.opted_out or digest in self.by_hash:
			return False
		self.by_hash[digest] = member
		return True

	def _add(self, recipient: Recipient, digest: str) -> frappe._dict:
		member = frappe._dict(name=new_name(), recipient=recipient.name, address_hash=digest, opted_out=0)
		self.by_hash[digest] = self.by_record[recipient.doctype, recipient.name] = member
		return member

	def _insert(self, new: Sequence[tuple[frappe._dict, Recipient]]) -> None:
		site_now = to_site(self.now)
		standard = standard_values(frappe.session.user, site_now)
		records = [
			{
				**standard,
				"name": member.name,
				"target_list": self.target_list,
				"recipient_type": recipient.doctype,
				"recipient": recipient.name,
				"recipient_name": recipient.full_name or recipient.email,
				"recipient_created_at": recipient.fields.get("creation"),
				"email_address": recipient.email,
				"address_hash": member.address_hash,
				"joined_at": site_now,
				"opted_out": 0,
				"is_filled": self.is_filled,
				"last_refresh": self.refresh,
			}
			for member, recipient in new
		]
		insert_records(MEMBER, records)

	def _update_known(self, names: set[str]) -> list[str]:
		"""Record that the sources contain these members; return those who come back and have not opted out."""
		known = {row.name: row for row in self._rows()}
		back = [name for name in sorted(names) if known[name].removed_at]
		site_now = to_site(self.now)
		by_hand = {} if self.is_filled else {"is_filled": 0}
		set_values(MEMBER, sorted(names), {"last_refresh": self.refresh, **by_hand}, site_now)
		set_values(MEMBER, back, {"removed_at": None, "joined_at": site_now}, site_now)
		return [name for name in back if not known[name].opted_out]

	def _rows(self) -> list[frappe._dict]:
		"""Return the loaded members, each once."""
		rows = [*self.by_record.values(), *self.by_hash.values()]
		return list({row.name: row for row in rows}.values())

	def _fire_triggers(self, members: Sequence[str]) -> None:
		"""Record the firings of all triggers on this list, in one statement."""
		if members and self.fires and not frappe.flags.drip_no_triggers:
			record_firings(self._firings(members), to_site(self.now))

	def _firings(self, members: Sequence[str]) -> Iterator[Firing]:
		for trigger in find_watching(MEMBER):
			if trigger.target_list in (None, "", self.target_list):
				yield from (Firing(trigger, MEMBER, name, self.refresh) for name in members)


def _load(people: Iterable[Person], asks_rights: bool) -> list[Recipient]:
	"""Read the records that the user may read and that have a valid address."""
	by_type: dict[str, list[str]] = {}
	for doctype, name in people:
		by_type.setdefault(doctype, []).append(name)
	known, found = available_types(), []
	for doctype, names in by_type.items():
		if doctype not in known:
			continue
		allowed = names if asks_rights else sorted(filter_readable(frappe.session.user, doctype, names))
		found += load_recipients(doctype, allowed, whole=False).values()
	return [recipient for recipient in found if is_valid(recipient.email)]


def add_records(target_list: str, recipient_type: str, names: str, now: datetime) -> dict[str, int]:
	"""Add the records of a JSON list of names to a list by hand, and return the counts of ImportResult.

	Adds only records that the session's user may read and that have a valid address. Opted-out members stay out.
	"""
	get_type(recipient_type)
	people = [(recipient_type, name) for name in _read_names(names)]
	taken = MemberImporter(target_list, new_name(), now, by_hand=True).add_page(people, asks_rights=False)
	return asdict(taken)


def _read_names(text: str) -> list[str]:
	try:
		names = json.loads(text)
	except (ValueError, RecursionError) as error:
		raise DripError(_("The names cannot be read: {0}. Send a JSON list.").format(error)) from error
	if not isinstance(names, list) or not names or not all(isinstance(name, str | int) for name in names):
		raise DripError(_("Enter at least one record, as a JSON list of names."))
	if len(names) > MAX_RECORDS:
		message = _("You can add at most {1} records at a time, and these are {0}. Use a source of the list.")
		raise DripError(message.format(len(names), MAX_RECORDS))
	return as_names(names)
