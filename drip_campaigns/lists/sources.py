"""Read a target list's sources page by page: filters, a report, an Email Group, a campaign's log, or another list.

A page has people (recipient type and record) and the place where it ends, which is where the next page starts. A list
gets only records that its owner may read (`add_members.py`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import frappe
from frappe import _
from frappe.query_builder.functions import Count

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.lists import LOG_EVENTS, LogQuestion, SourceKind
from drip_campaigns.people.audience import Audience
from drip_campaigns.people.record_scope import may_read_some
from drip_campaigns.people.row_rights import may_see_people_of

Person = tuple[str, str]  # recipient type, record


class SourceError(DripError):
	"""A source of a target list cannot be read."""


@dataclass(frozen=True)
class Page:
	"""Some of the people of a source, and the place after which the next page starts."""

	people: Sequence[Person]
	last: str


class RecordSource:
	"""The records of one type that match list filters."""

	asks_rights = True  # a list query excludes what the user may not read

	def __init__(self, recipient_type: str, filters: str | None) -> None:
		# Without the right the source would be empty, and everyone would be removed from the list.
		if not may_read_some(frappe.session.user, recipient_type):
			message = _(
				"{0}, the owner of the list, may not read {1} records. Give the right, or change the source."
			)
			raise SourceError(message.format(frappe.session.user, _(recipient_type)))
		self.recipient_type, self.audience = recipient_type, Audience(recipient_type, filters)

	def count(self) -> int:
		"""Return how many records match."""
		return self.audience.count()

	def page(self, after: str, limit: int) -> Page | None:
		"""Return the next records, or None if there are no more."""
		names = self.audience.page(after, limit)
		return Page([(self.recipient_type, name) for name in names], names[-1]) if names else None


class ReportSource:
	"""The records that a column of a report names; the report runs once, as the list's owner."""

	asks_rights = False

	def __init__(self, row) -> None:
		self.row = row

	def count(self) -> int:
		"""Return how many different records the report names."""
		return len(self._names)

	def page(self, after: str, limit: int) -> Page | None:
		"""Return the next records in the order of their names, or None if there are no more."""
		names = [name for name in self._names if name > after][:limit]
		return Page([(self.row.recipient_type, name) for name in names], names[-1]) if names else None

	@cached_property
	def _names(self) -> list[str]:
		column = self.row.report_column.strip()
		rows = [row for row in _run_report(self.row) if isinstance(row, dict)]
		if rows and not any(column in row for row in rows):
			known = ", ".join(sorted({str(key) for key in rows[0]}))
			raise SourceError(
				_("Report {0} has no column {1}. Enter the field name of one of these: {2}.").format(
					self.row.report, column, known
				)
			)
		return sorted({str(row[column]) for row in rows if row.get(column)})


def _run_report(row) -> list:
	report = frappe.get_doc("Report", row.report)
	if not report.is_permitted() or not frappe.has_permission(report.ref_doctype, "report"):
		raise SourceError(
			_(
				"{0}, the owner of the list, may not run report {1}. Give the right, or choose another report."
			).format(frappe.session.user, row.report)
		)
	_columns, rows = report.get_data(
		filters=json.loads(row.report_filters or "{}"),
		user=frappe.session.user,
		as_dict=True,
		ignore_prepared_report=True,
	)
	return rows


class LogSource:
	"""People whose log in a campaign has an event, or lacks one; paged by their enrollments."""

	asks_rights = False

	def __init__(self, row) -> None:
		_require_people_of("Drip Campaign", row.campaign)
		self.campaign, self.link_url = row.campaign, (row.link_url or "").strip()
		self.wanted, self.unwanted = LOG_EVENTS[LogQuestion(row.log_event)]
		self.enrollment = frappe.qb.DocType("Drip Enrollment")

	def count(self) -> int:
		"""Return how many enrollments match."""
		return self._query().select(Count("*")).run(pluck=True)[0]

	def page(self, after: str, limit: int) -> Page | None:
		"""Return the people of the next enrollments, or None if there are no more."""
		enrollment = self.enrollment
		rows = (
			self._query()
			.select(enrollment.name, enrollment.recipient_type, enrollment.recipient)
			.where(enrollment.name > after)
			.orderby(enrollment.name)
			.limit(limit)
			.run()
		)
		return Page([(kind, name) for _enrollment, kind, name in rows], rows[-1][0]) if rows else None

	def _query(self):
		query = frappe.qb.from_(self.enrollment).where(self.enrollment.campaign == self.campaign)
		query = query.where(self.enrollment.name.isin(self._with(self.wanted.value)))
		if self.unwanted:
			query = query.where(self.enrollment.name.notin(self._with(self.unwanted.value)))
		return query

	def _with(self, event_type: str):
		event = frappe.qb.DocType("Drip Event")
		query = frappe.qb.from_(event).select(event.enrollment)
		query = query.where((event.campaign == self.campaign) & (event.event_type == event_type))
		query = query.where(event.is_bot == 0)
		query = query.where(event.enrollment.isnotnull())  # NOT IN a set with a NULL is never true
		if self.link_url and event_type == "Clicked":
			query = query.where((event.detail == self.link_url) | (event.link == self.link_url))
		return query


class ListSource:
	"""All members of another list, paged by member."""

	asks_rights = False

	def __init__(self, row) -> None:
		_require_people_of("Drip Target List", row.included_list)
		self.filters = {
			"target_list": row.included_list,
			"opted_out": 0,
			"removed_at": ["is", "not set"],
		}

	def count(self) -> int:
		"""Return how many are on the list."""
		return frappe.db.count("Drip Target List Member", self.filters)

	def page(self, after: str, limit: int) -> Page | None:
		"""Return the next members, or None if there are no more."""
		rows = frappe.get_all(
			"Drip Target List Member",
			filters={**self.filters, "name": [">", after]},
			fields=["name", "recipient_type", "recipient"],
			order_by="name asc",
			limit_page_length=limit,
		)
		return Page([(row.recipient_type, row.recipient) for row in rows], rows[-1].name) if rows else None


def _require_people_of(doctype: str, name: str) -> None:
	if not may_see_people_of(doctype, name, frappe.session.user):
		message = _(
			"{0}, the owner of the list, does not see the people of {1} {2}. Ask for the record to be shared."
		)
		raise SourceError(message.format(frappe.session.user, _(doctype), name))


def _group_source(row) -> RecordSource:
	filters = [["email_group", "=", row.email_group], ["unsubscribed", "=", 0]]
	return RecordSource("Email Group Member", json.dumps(filters))


Source = RecordSource | ReportSource | LogSource | ListSource
_MAKERS = {
	SourceKind.FILTERS: lambda row: RecordSource(row.recipient_type, row.filters),
	SourceKind.REPORT: ReportSource,
	SourceKind.EMAIL_GROUP: _group_source,
	SourceKind.CAMPAIGN_ACTIVITY: LogSource,
	SourceKind.TARGET_LIST: ListSource,
}


def make_source(row) -> Source:
	"""Return the source that a row of a list names; raise DripError if the row is not valid."""
	return _MAKERS[SourceKind(row.kind)](row)
