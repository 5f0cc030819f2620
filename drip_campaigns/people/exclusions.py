"""The people whom a campaign excludes: by list (record or address), mail domain or address. Reads only.

Checked for a batch: on enrollment, and again before each email.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import frappe
from frappe import _

from drip_campaigns.core.lists import ExclusionKind, is_in_domain
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import hash_address, normalize
from drip_campaigns.people.recipients import Recipient

Key = tuple[str, str]  # recipient type, record


@dataclass
class Exclusions:
	"""The exclusions of a campaign by kind."""

	lists: list[str] = field(default_factory=list)
	domains: list[str] = field(default_factory=list)
	addresses: set[str] = field(default_factory=set)

	@classmethod
	def of(cls, campaign) -> "Exclusions":
		"""Return the exclusions of a Drip Campaign document."""
		named: dict[str, list[str]] = {kind.value: [] for kind in ExclusionKind}
		for row in campaign.get("exclusions") or []:
			named[row.kind].append(row.target_list if row.kind == ExclusionKind.TARGET_LIST else row.value)
		return cls(
			lists=named[ExclusionKind.TARGET_LIST.value],
			domains=[ascii_domain(domain) for domain in named[ExclusionKind.MAIL_DOMAIN.value]],
			addresses={normalize(address) for address in named[ExclusionKind.EMAIL_ADDRESS.value]},
		)

	def find(self, recipients: Iterable[Recipient]) -> dict[Key, str]:
		"""Return why each excluded one of `recipients` is, as said of the person. No query without excluded lists."""
		recipients = list(recipients)
		listed = _find_listed(self.lists, recipients) if self.lists else {}
		reasons = {}
		for recipient in recipients:
			reason = self._by_address(recipient.email) or _listed_because(listed, recipient)
			if reason:
				reasons[recipient.doctype, recipient.name] = reason
		return reasons

	def _by_address(self, email: str) -> str | None:
		if not email or not (self.domains or self.addresses):
			return None
		address = normalize(email)
		if address in self.addresses:
			return _("has the address {0}, which the campaign excludes").format(email)
		own = address.rpartition("@")[2]
		found = next((domain for domain in self.domains if is_in_domain(own, domain)), None)
		return (
			_("has an address of the domain {0}, which the campaign excludes").format(found)
			if found
			else None
		)


def ascii_domain(text: str) -> str:
	"""Return a domain in the form in which addresses are compared, without a leading @, dot or asterisk."""
	return normalize("x@" + text.strip().lstrip("@*.")).rpartition("@")[2]


def _find_listed(lists: list[str], recipients: list[Recipient]) -> Mapping[object, str]:
	"""Return the excluded list by record and by hashed address; removed members do not count."""
	hashes = {hash_address(recipient.email) for recipient in recipients if recipient.email}
	by_type: dict[str, dict[str, Recipient]] = {}
	for recipient in recipients:
		by_type.setdefault(recipient.doctype, {})[recipient.name] = recipient
	found: dict[object, str] = {}
	for row in _members(lists, "address_hash", list(hashes)):
		found[row.address_hash] = row.target_list
	for doctype, people in by_type.items():
		for row in _members(lists, "recipient", list(people), recipient_type=doctype):
			if people[row.recipient].is_of(row):
				found[doctype, row.recipient] = row.target_list
	return found


def _members(lists: list[str], column: str, values: list[str], **equal: str) -> list[frappe._dict]:
	fields = ["target_list", "recipient", "recipient_created_at", "address_hash", "removed_at"]
	rows = select_in("Drip Target List Member", fields, column, values, **equal)
	return [row for row in rows if row.target_list in lists and not row.removed_at]


def _listed_because(listed: Mapping[object, str], recipient: Recipient) -> str | None:
	if not listed:
		return None
	name = listed.get((recipient.doctype, recipient.name))
	if name is None and recipient.email:
		name = listed.get(hash_address(recipient.email))
	return _("is on the list {0}, which the campaign excludes").format(name) if name else None
