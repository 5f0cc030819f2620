"""The people of a file as records: found by name or address, or created if they are missing and the user wants that.

An error is reported with the number of its row, and stops no other row.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.db.savepoints import attempt
from drip_campaigns.enrollment.campaign_checks import check_campaign
from drip_campaigns.enrollment.eligibility import Eligibility, EligibilityResult
from drip_campaigns.enrollment.preview import PAGE, PreviewCounts
from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.people_file import PeopleFile, Row
from drip_campaigns.people.recipient_types import CannotCreateError, get_type
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.people.record_scope import filter_readable, list_readable, may_read_some
from drip_campaigns.site.messages import read_error

CAN_BE_MADE = ("Contact", "Lead")
MOST_ERRORS = 1000  # kept on a run; further ones are counted


@dataclass
class Resolved:
	"""A page of rows: records by name with their row, people to create, and errors by row."""

	names: dict[str, int] = field(default_factory=dict)
	missing: dict[str, Row] = field(default_factory=dict)
	errors: list[tuple[int, str]] = field(default_factory=list)


class FileAudience:
	"""The rows of one file for one recipient type; remembers the rows of earlier pages."""

	def __init__(self, recipient_type: str, rows: Sequence[Row], create_missing: bool) -> None:
		self.type, self.rows, self.create_missing = get_type(recipient_type), rows, create_missing
		self.seen: dict[str, int] = {}
		if create_missing:
			_check_may_create(recipient_type)

	def resolve(self, rows: Sequence[Row]) -> Resolved:
		"""Return the records of the rows, with a handful of queries for a page. Reads only."""
		page = Resolved()
		records = self._find_names([row.facts.get("record", "") for row in rows])
		by_address = self._find_addresses([row.facts.get("email_address", "") for row in rows])
		for row in rows:
			self._place(row, records, by_address, page)
		return page

	def forget_from(self, number: int) -> None:
		"""Forget what was seen in this row and after it."""
		self.seen = {key: row for key, row in self.seen.items() if row < number}

	def _place(self, row: Row, records: set[str], by_address: dict[str, str], page: Resolved) -> None:
		record, address = row.facts.get("record", ""), row.facts.get("email_address", "")
		name = record if record in records else by_address.get(normalize(address)) if address else None
		problem = None if name else self._problem(record, address)
		key = name or normalize(address)
		if not problem and key in self.seen:
			problem = _("the same as row {0}").format(self.seen[key])
		if problem:
			page.errors.append((row.number, problem))
			return
		self.seen[key] = row.number
		if name:
			page.names[name] = row.number
		else:
			page.missing[_newcomer(row)] = row

	def _problem(self, record: str, address: str) -> str | None:
		doctype = _(self.type.doctype)
		if not address:
			return _("there is no {0} named {1}").format(doctype, record) if record else _("no email address")
		if not is_valid(address):
			return _("“{0}” is not a valid email address").format(address)
		if self.create_missing:
			return None
		return _("no {0} that you may read has the address {1}").format(doctype, address)

	def _find_names(self, names: Sequence[str]) -> set[str]:
		return filter_readable(frappe.session.user, self.type.doctype, [name for name in names if name])

	def _find_addresses(self, addresses: Sequence[str]) -> dict[str, str]:
		"""Return the oldest record of each address that the user may read; a Contact also by its other addresses."""
		wanted = list({address for address in addresses if is_valid(address)})
		if not wanted or not self.type.address or not may_read_some(frappe.session.user, self.type.doctype):
			return {}
		found = {}
		if self.type.doctype == "Contact":
			filters = {"email_id": ["in", wanted], "parenttype": "Contact"}
			rows = frappe.get_all(
				"Contact Email", filters=filters, fields=["parent", "email_id"], order_by="creation desc"
			)
			readable = filter_readable(frappe.session.user, "Contact", [row.parent for row in rows])
			found = {normalize(row.email_id): row.parent for row in rows if row.parent in readable}
		rows = list_readable(
			self.type.doctype,
			filters={self.type.address: ["in", wanted]},
			fields=["name", self.type.address],
			order_by="creation desc",
			limit_page_length=0,
		)
		return {**found, **{normalize(row[self.type.address]): row.name for row in rows}}

	def newcomers(self, page: Resolved) -> list[Recipient]:
		"""Return the people of a page that have no record yet, as recipients for the eligibility rules."""
		return [_as_recipient(self.type.doctype, name, row) for name, row in page.missing.items()]

	def create(self, page: Resolved, accepted: Sequence[str]) -> None:
		"""Create the records of `accepted` newcomers with the rights of the session's user, and add them to `page.names`."""
		for newcomer in accepted:
			row = page.missing[newcomer]
			record, error = attempt(lambda row=row: _make_record(self.type.doctype, row.facts).insert())
			if error:
				page.errors.append((row.number, read_error(error)))
			else:
				page.names[record.name] = row.number


def preview_file(
	campaign: str, recipient_type: str, file_url: str, mapping: str, create_missing: bool, now: datetime
) -> dict[str, Any]:
	"""Return the figures of enrolling a file, with the errors by row; nothing is written: a dry run."""
	document = frappe.get_doc("Drip Campaign", campaign)
	check_campaign(document)
	file = PeopleFile(file_url)
	rows = file.rows(mapping)
	audience = FileAudience(recipient_type, rows, create_missing)
	eligibility, counts, created, errors = Eligibility(document, recipient_type, now), PreviewCounts(), 0, []
	for start in range(0, len(rows), PAGE):
		page = audience.resolve(rows[start : start + PAGE])
		judged = eligibility.judge(list(page.names), audience.newcomers(page))
		counts.add(judged)
		created += sum(one.is_new and one.name in page.missing for one in judged)
		errors += page.errors + refused_rows(page, judged)
	errors.sort()
	return {
		"total": len(rows),
		"problem": file.explain_nothing(),
		"is_everybody": False,
		**counts.as_dict(),
		"looked_at": len(rows),
		"created": created,
		"errors_count": len(errors),
		"errors": [{"row": row, "text": text} for row, text in errors[:MOST_ERRORS]],
	}


def refused_rows(page: Resolved, judged: Sequence[EligibilityResult]) -> list[tuple[int, str]]:
	"""Return the rows that the rules refuse, with the reason."""
	numbers = {**page.names, **{name: row.number for name, row in page.missing.items()}}
	return [(numbers[one.name], one.refusal.reason) for one in judged if one.refusal]


def _check_may_create(doctype: str) -> None:
	if doctype not in CAN_BE_MADE:
		raise CannotCreateError(
			_("{0} records are not made from a file. Choose Contact or Lead, or make them first.").format(
				_(doctype)
			)
		)
	frappe.has_permission(doctype, "create", throw=True)


def _newcomer(row: Row) -> str:
	return f"row {row.number} of the file"


def _as_recipient(doctype: str, name: str, row: Row) -> Recipient:
	first_name, last_name = row.facts.get("first_name", ""), row.facts.get("last_name", "")
	return Recipient(
		doctype=doctype,
		name=name,
		email=row.facts["email_address"],
		first_name=first_name,
		last_name=last_name,
		full_name=f"{first_name} {last_name}".strip(),
	)


def _make_record(doctype: str, facts: dict[str, str]):
	address = facts["email_address"]
	own = {"Contact": {"email_ids": [{"email_id": address, "is_primary": 1}]}, "Lead": {"email_id": address}}
	return frappe.get_doc(
		doctype=doctype,
		first_name=facts.get("first_name") or address.partition("@")[0],
		last_name=facts.get("last_name"),
		company_name=facts.get("company"),
		**own[doctype],
	)
