"""The sources of a Drip Bulk Enrollment, page by page: list filters, or the rows of a file. Commits nothing."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.utils import cint, getdate

from drip_campaigns.enrollment.eligibility import Eligibility
from drip_campaigns.enrollment.enroll import BATCH_SIZE, enroll_many
from drip_campaigns.enrollment.file_audience import MOST_ERRORS, FileAudience, Resolved, refused_rows
from drip_campaigns.enrollment.refusals import Refusal, VerbResult
from drip_campaigns.people.audience import Audience
from drip_campaigns.people.people_file import PeopleFile, Row
from drip_campaigns.site.clock import site_date
from drip_campaigns.triggers.backfill import ExistingAudience

ROWS_A_PAGE = 200  # of a file: creating a record takes a while, and the form shows the progress by pages


def make_source(document) -> "FilterSource | FileSource":
	"""Return the source of a Drip Bulk Enrollment document."""
	return FileSource(document) if document.source_file else FilterSource(document)


class FilterSource:
	"""Records that match list filters, or that met a trigger before, in the order of their names."""

	def __init__(self, document) -> None:
		self.document = document
		self.audience = _audience_of(document)

	def explain_nothing(self) -> str:
		"""Return nothing: that no record matches at the moment is a result."""
		return ""

	def next_page(self, limit: int) -> list[str]:
		"""Return up to `limit` names after the last one; for 0 nothing, where Frappe would return all."""
		return self.audience.page(self.document.last_recipient, limit) if limit else []

	def enroll(self, names: list[str], now: datetime) -> tuple[VerbResult, dict[str, Any]]:
		"""Enroll a page; return its result, and the fields of the run that say where the next page begins."""
		result = enroll_names(self.document, names, now, self.audience.target_list)
		return result, {"last_recipient": names[-1]}

	def skip(self, name: str, _reason: str) -> dict[str, Any]:
		"""Return the fields of the run after a record that fails."""
		return {"last_recipient": name}


class FileSource:
	"""The rows of a file, in their order; creates missing records if the run says so."""

	def __init__(self, document) -> None:
		self.document = document
		self.file = PeopleFile(document.source_file)
		rows = self.file.rows(document.column_mapping)
		self.audience = FileAudience(document.recipient_type, rows, bool(cint(document.create_missing)))

	def explain_nothing(self) -> str:
		"""Return why the file has no rows, and the remedy; empty if it has some."""
		return self.file.explain_nothing()

	def next_page(self, limit: int) -> Sequence[Row]:
		"""Return up to `limit` rows after the last one."""
		start = self.document.processed
		return self.audience.rows[start : start + min(limit, ROWS_A_PAGE)]

	def enroll(self, rows: Sequence[Row], now: datetime) -> tuple[VerbResult, dict[str, Any]]:
		"""Enroll a page; return its result, and the errors of the run so far by row."""
		self.audience.forget_from(rows[0].number)  # a page that is repeated has no duplicates
		page = self.audience.resolve(rows)
		refused = self._create(page, now)
		result = enroll_names(self.document, list(page.names), now)
		errors = page.errors + [
			(page.names[name], refusal.reason) for name, refusal in result.refusals.items()
		]
		bad = [(row, _("The row has an error")) for row, _error in page.errors]
		result.refusals |= {f"row {row}": Refusal("row", reason) for row, reason in [*bad, *refused]}
		return result, {"row_errors": self._add_errors(errors + refused)}

	def skip(self, row: Row, reason: str) -> dict[str, Any]:
		"""Return the fields of the run after a row that fails: its number and the reason."""
		return {"row_errors": self._add_errors([(row.number, reason)])}

	def _create(self, page: Resolved, now: datetime) -> list[tuple[int, str]]:
		newcomers = self.audience.newcomers(page)
		if not newcomers:
			return []
		campaign = frappe.get_doc("Drip Campaign", self.document.campaign)
		judged = Eligibility(campaign, self.document.recipient_type, now).judge([], newcomers)
		self.audience.create(page, [one.name for one in judged if not one.refusal])
		return refused_rows(page, judged)

	def _add_errors(self, errors: list[tuple[int, str]]) -> str:
		known = json.loads(self.document.row_errors or "[]")
		return json.dumps((known + [list(error) for error in sorted(errors)])[:MOST_ERRORS])


def _audience_of(document) -> Audience | ExistingAudience:
	if document.campaign_trigger:
		return ExistingAudience(document.campaign, document.campaign_trigger, document.recipient_type)
	return Audience(document.recipient_type, document.recipient_filters)


def enroll_names(document, names: Sequence[str], now: datetime, target_list: str | None = None) -> VerbResult:
	"""Enroll records with the options of a run; a run that continues on a later day starts them on that day."""
	total = VerbResult()
	run = enroll_many(
		document.campaign,
		document.recipient_type,
		names,
		now,
		start_date=max(getdate(document.start_date), site_date(now)),
		sender=document.sender,
		target_list=target_list,
		require_confirmation=bool(document.require_confirmation),
		batch_size=BATCH_SIZE,
	)
	for result in run:
		total.add(result)
	return total
