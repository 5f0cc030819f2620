"""What conditions ask, read for a whole batch: a query for each kind of question when the first enrollment asks it.

What only a field of the recipient's own record can say costs nothing: the guard has read it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import frappe

from drip_campaigns.core.flow.conditions import (
	CampaignStanding,
	CampaignTest,
	EmailFeedback,
	FieldTest,
	GroupTest,
	ListTest,
	PastEvent,
	TagTest,
	Test,
)
from drip_campaigns.core.model import LIVE_STATUSES, Plan, Status
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.addresses import hash_address, normalize
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.expressions import evaluate
from drip_campaigns.site.clock import from_site

Person = tuple[str, str]  # recipient type and record


class BatchConditionData:
	"""The facts of the enrollments in one batch."""

	def __init__(
		self, plan: Plan, rows: Sequence[frappe._dict], recipients: Mapping[Person, Recipient], now: datetime
	) -> None:
		self.plan, self.rows, self.recipients, self.now = plan, rows, recipients, now

	def of(self, row: frappe._dict) -> "EnrollmentConditionData":
		"""Return the facts of one enrollment of the batch."""
		return EnrollmentConditionData(self, row)

	@cached_property
	def tests(self) -> list[Test]:
		"""Every test that a step of the plan has, the waits' included."""
		return list(find_tests(self.plan))

	@cached_property
	def happenings(self) -> dict[str, list[PastEvent]]:
		"""What happened to each enrollment. Opens and clicks of machines are no happenings."""
		labels = {step.id: step.label for step in self.plan.steps}
		fields = ["enrollment", "event_type", "step", "occurred_at", "detail", "link"]
		names = [row.name for row in self.rows]
		rows = select_in("Drip Event", fields, "enrollment", names, is_bot=0)
		kinds, found = {heard.value for heard in EmailFeedback}, defaultdict(list)
		for row in rows:
			if row.event_type in kinds:
				link = f"{row.link or ''} {row.detail or ''}"
				happening = PastEvent(
					row.event_type, labels.get(row.step, ""), from_site(row.occurred_at), link
				)
				found[row.enrollment].append(happening)
		return found

	@cached_property
	def linked(self) -> dict[tuple[str, str], dict[str, frappe._dict]]:
		"""By recipient type and link field: the records that the recipients link to, with the fields that are asked for."""
		wanted: dict[str, set[str]] = defaultdict(set)
		for test in self.tests:
			if isinstance(test, FieldTest) and test.link:
				wanted[test.link].add(test.field)
		return {
			(doctype, link): self._load_linked(doctype, link, fields)
			for doctype in {doctype for doctype, _name in self.recipients}
			for link, fields in wanted.items()
			if frappe.get_meta(doctype).has_field(link)
		}

	def _load_linked(self, doctype: str, link: str, fields: set[str]) -> dict[str, frappe._dict]:
		target = frappe.get_meta(doctype).get_field(link).options
		known = [field for field in fields if field in frappe.get_meta(target).get_valid_columns()]
		names = {one.fields.get(link) for (type_, _name), one in self.recipients.items() if type_ == doctype}
		rows = select_in(target, ["name", *known], "name", sorted(name for name in names if name))
		return {row.name: row for row in rows}

	@cached_property
	def tags(self) -> set[tuple[str, str, str]]:
		"""Which recipients have which of the tags that are asked for: (type, record, tag in small letters)."""
		asked = {test.tag.casefold() for test in self.tests if isinstance(test, TagTest)}
		fields = ["document_type", "document_name", "tag"]
		rows = select_in("Tag Link", fields, "document_name", [name for _type, name in self.recipients])
		return {
			(row.document_type, row.document_name, row.tag.casefold())
			for row in rows
			if row.tag and row.tag.casefold() in asked
		}

	@cached_property
	def list_members(self) -> set[tuple[str, str]]:
		"""Which addresses, hashed, are on which of the target lists that are asked for."""
		asked = {test.target_list for test in self.tests if isinstance(test, ListTest)}
		hashes = [hash_address(one.email) for one in self.recipients.values() if one.email]
		fields = ["target_list", "address_hash", "removed_at"]
		rows = select_in("Drip Target List Member", fields, "address_hash", hashes, opted_out=0)
		return {
			(row.target_list, row.address_hash)
			for row in rows
			if row.target_list in asked and not row.removed_at
		}

	@cached_property
	def group_members(self) -> set[tuple[str, str]]:
		"""Which addresses are in which of the Email Groups that are asked for."""
		asked = {test.email_group for test in self.tests if isinstance(test, GroupTest)}
		addresses = sorted({one.email for one in self.recipients.values() if one.email})
		rows = select_in("Email Group Member", ["email_group", "email"], "email", addresses, unsubscribed=0)
		return {(row.email_group, normalize(row.email)) for row in rows if row.email_group in asked}

	@cached_property
	def stands(self) -> dict[tuple[str, str, str], set[CampaignStanding]]:
		"""Where the recipients stand on the other campaigns that are asked for."""
		asked = {test.campaign for test in self.tests if isinstance(test, CampaignTest)}
		fields = ["campaign", "recipient_type", "recipient", "status"]
		names = [name for _type, name in self.recipients]
		found: dict[tuple[str, str, str], set[CampaignStanding]] = defaultdict(set)
		for row in select_in("Drip Enrollment", fields, "recipient", names):
			if row.campaign in asked:
				found[row.campaign, row.recipient_type, row.recipient] |= {
					CampaignStanding.EVER,
					_stand(row.status),
				}
		return found


class EnrollmentConditionData:
	"""What is known of one enrollment (`conditions.Facts`)."""

	def __init__(self, batch: BatchConditionData, row: frappe._dict) -> None:
		self._batch, self._row = batch, row
		self.doctype: str = row.recipient_type
		self._recipient = batch.recipients.get((row.recipient_type, row.recipient))

	def value_of(self, link: str, field: str) -> Any:
		fields = self._recipient.fields if self._recipient else {}
		if not link:
			return fields.get(field)
		linked = self._batch.linked.get((self.doctype, link), {}).get(fields.get(link))
		return linked.get(field) if linked else None

	def day_of(self, field: str) -> Any:
		value = self.value_of("", field)
		# A Datetime is a moment on the site's clock, wherever the recipient lives.
		return from_site(value) if isinstance(value, datetime) else value

	def happenings(self) -> Sequence[PastEvent]:
		return self._batch.happenings.get(self._row.name, ())

	def has_tag(self, tag: str) -> bool:
		return (self.doctype, self._row.recipient, tag.casefold()) in self._batch.tags

	def is_on_list(self, target_list: str) -> bool:
		return (target_list, hash_address(self._address())) in self._batch.list_members

	def is_in_group(self, email_group: str) -> bool:
		return (email_group, normalize(self._address())) in self._batch.group_members

	def stands_on(self, campaign: str) -> frozenset[CampaignStanding]:
		return frozenset(self._batch.stands.get((campaign, self.doctype, self._row.recipient), ()))

	def evaluate(self, expression: str) -> bool:
		return evaluate(expression, self._recipient, self._batch.now)

	def _address(self) -> str:
		return (self._recipient.email if self._recipient else "") or self._row.email_address or ""


def find_tests(plan: Plan) -> list[Test]:
	"""Return every test of a plan's steps: conditions, and what is waited for."""
	tests: list[Test] = []
	for step in plan.steps:
		tests += step.flow.conditions.tests if step.flow.conditions else ()
		if step.flow.awaited and step.flow.awaited.field:
			tests.append(step.flow.awaited.field)
	return tests


def _stand(status: str) -> CampaignStanding:
	if Status(status) in LIVE_STATUSES:
		return CampaignStanding.NOW
	return CampaignStanding.COMPLETED if status == Status.COMPLETED.value else CampaignStanding.LEFT
