"""Find the enrollments that a campaign's exit rules end: goal reached, converted, no longer matching. Reads only.

Runs on batches: before each email is made and again right before it is sent, when a goal's document or record is saved,
and once a day. `dispatch/guard.py` ends enrollments for other reasons: unsubscribed, suppressed, record deleted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import BrokenRuleError, DripError
from drip_campaigns.core.flow.goals import GoalKind, is_in_window
from drip_campaigns.core.model import ExitReason
from drip_campaigns.db.amendments import not_canceled
from drip_campaigns.db.dialect import select_in
from drip_campaigns.exit_rules.documents import Made, Record, find_made, find_parties, has_doctype
from drip_campaigns.people.list_filters import Filters, read_filters
from drip_campaigns.people.record_scope import (
	EVERYTHING,
	filter_readable,
	find_read_condition,
	may_read_some,
)
from drip_campaigns.site.clock import to_site
from drip_campaigns.triggers.find_people import find_matching, read_trigger_filters

Rows = Sequence[Mapping[str, Any]]  # of Drip Enrollment
CONVERTED_BY = ("Customer", "Opportunity")


class GoalNotReadableError(DripError):
	"""The owner of the campaign may not read the documents of its goal."""


@dataclass(frozen=True)
class RuleExit:
	"""Why a rule ends an enrollment: the reason, and a sentence for the log."""

	reason: ExitReason
	detail: str


class ExitRules:
	"""The exit rules of one campaign."""

	def __init__(self, campaign) -> None:
		self.campaign = campaign
		self.finders = [
			finder
			for finder, is_on in (
				(self._find_goal_by_record, campaign.goal == GoalKind.RECORD_MATCHES),
				(self._find_goal_by_document, campaign.goal == GoalKind.DOCUMENT_CREATED),
				(self._find_converted, campaign.exit_on_conversion),
				(self._find_without_match, campaign.exit_when_unmatched),
			)
			if is_on
		]

	@property
	def is_empty(self) -> bool:
		"""Return whether the campaign has no exit rule."""
		return not self.finders

	def find(self, rows: Rows, now: datetime) -> dict[str, RuleExit]:
		"""Return the exits of these enrollments at `now` by the enrollment's name; the first rule that applies counts.

		Raises BrokenRuleError for filters that no longer work, for example on a deleted field.
		"""
		exits: dict[str, RuleExit] = {}
		try:
			for find in self.finders if rows else ():
				exits = find(rows, to_site(now)) | exits
		except (
			DripError, ValueError, TypeError, KeyError, frappe.ValidationError, frappe.DataError,
			frappe.db.OperationalError, frappe.db.ProgrammingError,
		) as error:  # fmt: skip
			frappe.clear_last_message()
			raise BrokenRuleError(
				_("The exit rules could not be evaluated: {0}. Correct them under Exit Rules.").format(error)
			) from error
		return exits

	def _find_goal_by_record(self, rows: Rows, site_now: datetime) -> dict[str, RuleExit]:
		doctype, days = self.campaign.goal_recipient_type, self.campaign.goal_within_days or 0
		asked = [
			row
			for row in rows
			if row["recipient_type"] == doctype and is_in_window(site_now, row["started_at"], days)
		]
		names = {row["recipient"] for row in asked}
		filters = [*goal_filters(self.campaign), *not_canceled(doctype)] if names else []
		matching = find_matching(doctype, filters, names) if names else set()
		return {
			row["name"]: RuleExit(
				ExitReason.GOAL, _("{0} {1} matches the goal").format(_(doctype), row["recipient"])
			)
			for row in asked
			if row["recipient"] in matching
		}

	def _find_goal_by_document(self, rows: Rows, _site_now: datetime) -> dict[str, RuleExit]:
		doctype, owner = self.campaign.goal_document, self.campaign.owner
		if not may_read_some(owner, doctype):
			raise GoalNotReadableError(
				_("{0}, the owner of the campaign, may not read {1} records").format(owner, _(doctype))
			)
		days = self.campaign.goal_within_days or 0
		made = _find_made_for(rows, [doctype], goal_filters(self.campaign), days, owner)
		return {name: RuleExit(ExitReason.GOAL, _describe(document)) for name, document in made.items()}

	def _find_converted(self, rows: Rows, _site_now: datetime) -> dict[str, RuleExit]:
		leads = [row for row in rows if row["recipient_type"] == "Lead"]
		made = _find_made_for(leads, CONVERTED_BY, (), 0)
		return {name: RuleExit(ExitReason.CONVERTED, _describe(document)) for name, document in made.items()}

	def _find_without_match(self, rows: Rows, _site_now: datetime) -> dict[str, RuleExit]:
		listed = [row for row in rows if row["target_list"]]
		exits = _find_off_their_list(listed)
		filters_of = _filters_by_type(self.campaign)
		for doctype, alternatives in filters_of.items():
			asked = [row for row in rows if row["recipient_type"] == doctype and not row["target_list"]]
			names = {row["recipient"] for row in asked}
			for filters in alternatives if names else ():
				names -= find_matching(doctype, filters, names) if names else set()
			sentence = _("{0} {1} no longer matches the filters of any trigger")
			for row in asked:
				if row["recipient"] in names:
					detail = sentence.format(_(doctype), row["recipient"])
					exits[row["name"]] = RuleExit(ExitReason.NO_LONGER_MATCHING, detail)
		return exits


def goal_filters(campaign) -> Filters:
	"""Return the filters of a campaign's goal; raise InvalidFiltersError if they are none."""
	doctype = campaign.goal_recipient_type or campaign.goal_document
	return read_filters(doctype, campaign.goal_filters) if (campaign.goal_filters or "[]") != "[]" else []


def _find_made_for(
	rows: Rows, doctypes: Iterable[str], filters: Sequence[Any], days: int, reader: str = "Administrator"
) -> dict[str, Made]:
	"""Return the first document for each enrollment that was created after its start, within `days` days.

	Only documents count that `reader` may read: who chooses the filters learns what matches.
	"""
	if not rows:
		return {}
	parties = find_parties({_person(row) for row in rows})
	since = min(_counts_from(row) for row in rows)
	found: dict[str, Made] = {}
	for doctype in doctypes:
		made = _keep_readable(reader, doctype, find_made(doctype, parties, since, filters))
		for row in rows:
			for document in made.get(_person(row), ()):
				if is_in_window(document.creation, _counts_from(row), days):
					found.setdefault(row["name"], document)
	return found


def _keep_readable(user: str, doctype: str, made: dict[Record, list[Made]]) -> dict[Record, list[Made]]:
	if not made or find_read_condition(user, doctype) == EVERYTHING:
		return made
	readable = filter_readable(user, doctype, [one.name for found in made.values() for one in found])
	return {person: [one for one in found if one.name in readable] for person, found in made.items()}


def _person(row: Mapping[str, Any]) -> Record:
	return row["recipient_type"], row["recipient"]


def _counts_from(row: Mapping[str, Any]) -> datetime:
	"""Return the start of the period in which documents count: it includes the days before a start in the future."""
	return min(row["started_at"], row["creation"])


def _find_off_their_list(rows: Rows) -> dict[str, RuleExit]:
	fields = ["target_list", "recipient_type", "recipient", "removed_at", "opted_out"]
	members = select_in("Drip Target List Member", fields, "recipient", [row["recipient"] for row in rows])
	on_list = {
		(member.target_list, member.recipient_type, member.recipient)
		for member in members
		if not member.removed_at and not member.opted_out
	}
	return {
		row["name"]: RuleExit(
			ExitReason.NO_LONGER_MATCHING, _("No longer on the list {0}").format(row["target_list"])
		)
		for row in rows
		if (row["target_list"], *_person(row)) not in on_list
	}


def _filters_by_type(campaign) -> dict[str, list[Filters]]:
	"""Return the filters of each trigger by recipient type, for types whose triggers all have filters. Matching one is enough."""
	by_type: dict[str, list[Filters]] = {}
	for row in campaign.triggers:
		if row.enabled:
			by_type.setdefault(row.recipient_type or "", []).append(read_trigger_filters(row))
	if "" in by_type:
		return {}  # a trigger for any record type enrolls everybody
	return {doctype: rows for doctype, rows in by_type.items() if all(rows) and has_doctype(doctype)}


def _describe(made: Made) -> str:
	return _("{0} {1} was created").format(_(made.doctype), made.name)
