"""The rest of a verb for very many enrollments: a background job that shows its progress, and notifies the user at its end.

If the job is lost, the user repeats the verb: enrollments that are done are refused then.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import frappe
from frappe import _

from drip_campaigns.enrollment.verbs import BATCH_SIZE, VerbRequest, apply_verb
from drip_campaigns.jobs.batches import BULK_ACTIONS, BatchJob, BatchState, run_batches
from drip_campaigns.people.row_rights import filter_rows
from drip_campaigns.site.clock import from_site, to_site, utc_now
from drip_campaigns.site.messages import read_error
from drip_campaigns.site.notify import insert_notification

JOB = "drip_campaigns.jobs.bulk_verbs.run"
MOST_REASONS = 10


def enqueue(names: Sequence[str], request: VerbRequest, done: int, refused: Mapping[str, int]) -> None:
	"""Enqueue a verb for these enrollments, as the session's user; `done` and `refused` count those before them."""
	if not names:
		return
	frappe.enqueue(
		JOB,
		queue="long",
		enqueue_after_commit=True,
		names=list(names),
		verb=request.verb.value,
		step=request.step,
		until=str(to_site(request.until)) if request.until else None,
		done=done,
		refused=dict(refused),
	)


class VerbBatch(BatchJob):
	"""The next page of a list of enrollments, and the counts so far."""

	policy = BULK_ACTIONS
	size = BATCH_SIZE

	def __init__(
		self, names: Sequence[str], request: VerbRequest, done: int, refused: Mapping[str, int]
	) -> None:
		self.names, self.request = list(names), request
		self.done, self.refused = done, Counter(refused)
		self.total = done + self.refused.total() + len(names)

	def claim(self, limit: int) -> list[str]:
		"""Return the next names."""
		return self.names[:limit]

	def do(self, rows: Sequence[str]) -> int:
		"""Apply the verb to a page; after the commit, count it and show the progress."""
		allowed = filter_rows("Drip Enrollment", rows, changes=True)
		result = apply_verb(allowed, self.request, utc_now())
		refused = result.refused + Counter({_("You may no longer change it"): len(rows) - len(allowed)})
		frappe.db.after_commit.add(lambda: self._count(rows, result.done, refused))
		return result.done

	def put_off(self, row: str, error: Exception) -> None:
		"""Count an enrollment that the verb cannot be applied to, with the reason."""
		self._count([row], 0, Counter({read_error(error): 1}))

	def skip_busy(self) -> None:
		"""Count the page that other workers hold, with the reason."""
		busy = self.names[: self.size]
		self._count(busy, 0, Counter({_("Another process is changing them. Try again."): len(busy)}))

	def _count(self, names: Sequence[str], done: int, refused: Counter[str]) -> None:
		self.names = self.names[len(names) :]
		self.done += done
		self.refused += refused
		checked = self.done + self.refused.total()
		words = _("{0} of {1}").format(checked, self.total)
		title = _(self.request.verb.value)
		frappe.publish_progress(100 * checked / self.total, title=title, description=words)


def run(
	names: list[str], verb: str, step: str | None, until: str | None, done: int, refused: dict[str, int]
) -> None:
	"""Apply a verb to the rest of the enrollments, with the rights that the user has now."""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	job = VerbBatch(names, VerbRequest.read(verb, step, from_site(until)), done, refused)
	while (state := run_batches(job)[1]) is BatchState.BUSY:
		job.skip_busy()
	if state is BatchState.DONE:
		enqueue(job.names, job.request, job.done, job.refused)
	else:
		_notify_user(job)
	frappe.db.commit()


def _notify_user(job: VerbBatch) -> None:
	"""Notify the user how many enrollments were changed, and why the others were not."""
	lines = [f"{count} × {reason}" for reason, count in job.refused.most_common(MOST_REASONS)]
	head = _("{0} enrollments: {1} done.").format(_(job.request.verb.value), job.done)
	text = f"{head} {_('The others were not changed:')} {'; '.join(lines)}" if lines else head
	insert_notification(frappe.session.user, text, "Drip Enrollment")
