"""Import the opt-outs of another tool from a file: page by page, with its progress, and a notification at the end.

If the job is lost, the user imports the file again: addresses that are suppressed stay as they are.
"""

from collections import Counter
from collections.abc import Sequence

import frappe
from frappe import _

from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.opt_out_file import MOST_ERRORS, read_opt_outs, suppress_rows
from drip_campaigns.jobs.batches import BULK_ACTIONS, BatchJob, BatchState, run_batches
from drip_campaigns.people.people_file import Row
from drip_campaigns.people.suppression import DOCTYPE
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import read_error
from drip_campaigns.site.notify import insert_notification

JOB = "drip_campaigns.jobs.import_opt_outs.run"
BATCH_SIZE = 500


class OptOutBatch(BatchJob):
	"""The next page of the addresses of a file, and the counts so far."""

	policy = BULK_ACTIONS
	size = BATCH_SIZE

	def __init__(self, file_url: str, mapping: str, reason: str, note: str) -> None:
		found = read_opt_outs(file_url, mapping)
		self.reason, self.note = SuppressionReason(reason), note
		self.rows, self.errors, self.problem = list(found.rows.values()), found.errors, found.problem
		self.counts, self.done, self.total = Counter(), 0, len(self.rows)

	def claim(self, limit: int) -> list[Row]:
		"""Return the next rows."""
		return self.rows[self.done : self.done + limit]

	def do(self, rows: Sequence[Row]) -> int:
		"""Suppress the addresses of a page; after the commit, count them and show the progress."""
		counts = suppress_rows(rows, self.reason, self.note, utc_now())
		frappe.db.after_commit.add(lambda: self._count(len(rows), counts))
		return len(rows)

	def put_off(self, row: Row, error: Exception) -> None:
		"""Record on a row that fails alone why it fails."""
		self.errors.append((row.number, read_error(error)))
		self._count(1, Counter())

	def describe(self) -> dict:
		"""Return the counts so far, and the errors by row."""
		return {
			"problem": self.problem,
			"new": self.counts["new"],
			"known": self.counts["known"],
			"errors_count": len(self.errors),
			"errors": [{"row": row, "text": text} for row, text in sorted(self.errors)[:MOST_ERRORS]],
		}

	def _count(self, rows: int, counts: Counter[str]) -> None:
		self.done += rows
		self.counts += counts
		words = _("{0} of {1}").format(self.done, self.total)
		frappe.publish_progress(100 * self.done / self.total, title=_("Import Opt-Outs"), description=words)


def enqueue(file_url: str, mapping: str, reason: str, note: str) -> None:
	"""Enqueue the import of a file, as the session's user."""
	frappe.enqueue(
		JOB,
		queue="long",
		enqueue_after_commit=True,
		file_url=file_url,
		mapping=mapping,
		reason=reason,
		note=note,
	)


def run(file_url: str, mapping: str, reason: str, note: str, *, notifies: bool = True) -> dict:
	"""Import a file, with the rights that the user has now; return the counts."""
	frappe.has_permission(DOCTYPE, "create", throw=True)
	job = OptOutBatch(file_url, mapping, reason, note)
	state = run_batches(job)[1]
	if state in (
		BatchState.DONE,
		BatchState.BUSY,
	):  # the time is up, or others hold the rows: what is done stays done
		enqueue(file_url, mapping, reason, note)
	elif notifies:
		_notify_user(job)
		frappe.db.commit()
	return job.describe()


def _notify_user(job: OptOutBatch) -> None:
	counts = job.describe()
	text = _("Import Opt-Outs: {0} suppressed, {1} were suppressed before, {2} rows have an error.").format(
		counts["new"], counts["known"], counts["errors_count"]
	)
	if counts["errors"]:
		first = "; ".join(f"{one['row']}: {one['text']}" for one in counts["errors"][:10])
		text = f"{text} {_('Rows with an error:')} {first}"
	insert_notification(frappe.session.user, f"{text} {job.problem}".strip(), DOCTYPE)
