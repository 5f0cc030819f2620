"""The threads of a batch's recipients: read in one query, and only if a step replies in the thread of an earlier email."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import frappe

from drip_campaigns.core.flow.threads import EarlierEmail, Thread, find_thread
from drip_campaigns.core.model import EmailStatus, Plan
from drip_campaigns.core.schedule.confirmation import QUESTIONS
from drip_campaigns.db.dialect import is_among
from drip_campaigns.people.addresses import normalize

# A skipped, canceled, or refused email cannot be replied to.
_ON_ITS_WAY = (
	EmailStatus.QUEUED.value,
	EmailStatus.SENDING.value,
	EmailStatus.SENT.value,
	EmailStatus.IN_DOUBT.value,
)
Earlier = Mapping[tuple[str, str], list[EarlierEmail]]  # by enrollment and normalized address


class Threads:
	"""The emails that each recipient of a batch has got from a campaign."""

	def __init__(self, plan: Plan, rows: Mapping[str, Any]) -> None:
		self._plan, self._rows = plan, rows
		self._enrollments: Sequence[str] = ()
		self._earlier: Earlier | None = None

	def begin(self, enrollments: Sequence[str]) -> None:
		"""Start a batch. The emails of its enrollments are read when needed."""
		self._enrollments, self._earlier = enrollments, None

	def of(self, enrollment: str, step: str, address: str) -> Thread | None:
		"""Return the thread that a step to `address` continues, or None if it starts one.

		A record's address can change to another person's, who never got the emails before.
		"""
		row = self._rows.get(step)
		if row is None or not row.get("in_thread"):
			return None
		if self._earlier is None:
			self._earlier = self._load()
		return find_thread(self._earlier.get((enrollment, normalize(address)), ()))

	def _load(self) -> Earlier:
		email = frappe.qb.DocType("Drip Email")
		rows = (
			frappe.qb.from_(email)
			.select(
				email.enrollment, email.step, email.queued_at, email.subject, email.message_id, email.thread
			)
			.select(email.email_address)
			.where(is_among(email.enrollment, self._enrollments) & email.status.isin(_ON_ITS_WAY))
			.where((email.message_id != "") & email.step.notin(sorted(QUESTIONS)))
			.run(as_dict=True)
		)
		earlier = defaultdict(list)
		for row in sorted(rows, key=self._when):
			key = row.enrollment, normalize(row.email_address or "")
			earlier[key].append(EarlierEmail(row.subject or "", row.message_id, row.thread or ""))
		return earlier

	def _when(self, row: frappe._dict) -> tuple:
		"""Return the sort key of an email: two steps of one day may have been queued in one run."""
		placed = self._plan.placed.get(row.step)
		return row.queued_at, placed.place if placed else (0, 0)
