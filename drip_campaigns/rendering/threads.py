"""The threads of a batch's recipients: read at once, and only when a step is to be in the same thread as the email before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import frappe

from drip_campaigns.core.flow.threads import EarlierEmail, Thread, find_thread
from drip_campaigns.core.model import EmailStatus, Plan
from drip_campaigns.core.schedule.confirmation import QUESTIONS
from drip_campaigns.db.dialect import is_among

# One that was skipped, withdrawn or refused is not there to be answered.
_ON_ITS_WAY = (
	EmailStatus.QUEUED.value,
	EmailStatus.SENDING.value,
	EmailStatus.SENT.value,
	EmailStatus.IN_DOUBT.value,
)


class Threads:
	"""What each recipient of a batch has been sent of a campaign before."""

	def __init__(self, plan: Plan, rows: Mapping[str, Any]) -> None:
		self._plan, self._rows = plan, rows
		self._enrollments: Sequence[str] = ()
		self._earlier: Mapping[str, list[EarlierEmail]] | None = None

	def begin(self, enrollments: Sequence[str]) -> None:
		"""Forget the batch before; the emails of these are read once somebody asks."""
		self._enrollments, self._earlier = enrollments, None

	def of(self, enrollment: str, step: str) -> Thread | None:
		"""Return the thread that a step belongs to, or None: it begins one."""
		row = self._rows.get(step)
		if row is None or not row.get("in_thread"):
			return None
		if self._earlier is None:
			self._earlier = self._load()
		return find_thread(self._earlier.get(enrollment, ()))

	def _load(self) -> Mapping[str, list[EarlierEmail]]:
		email = frappe.qb.DocType("Drip Email")
		rows = (
			frappe.qb.from_(email)
			.select(
				email.enrollment, email.step, email.queued_at, email.subject, email.message_id, email.thread
			)
			.where(is_among(email.enrollment, self._enrollments) & email.status.isin(_ON_ITS_WAY))
			.where((email.message_id != "") & email.step.notin(sorted(QUESTIONS)))
			.run(as_dict=True)
		)
		earlier: dict[str, list[EarlierEmail]] = defaultdict(list)
		for row in sorted(rows, key=self._when):
			earlier[row.enrollment].append(EarlierEmail(row.subject or "", row.message_id, row.thread or ""))
		return earlier

	def _when(self, row: frappe._dict) -> tuple:
		"""Two steps of one day may have been queued in one run."""
		placed = self._plan.placed.get(row.step)
		return row.queued_at, placed.place if placed else (0, 0)
