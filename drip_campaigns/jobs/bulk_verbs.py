"""The rest of a verb for very many enrollments: a background job that shows its progress, and notifies the user at its end.

It commits after each page. If the job is lost, the user repeats the verb: enrollments that are done are refused then.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.db import deadlocks
from drip_campaigns.enrollment.verbs import BATCH_SIZE, VerbRequest, apply_verb
from drip_campaigns.site.clock import from_site, to_site, utc_now

JOB = "drip_campaigns.jobs.bulk_verbs.run"
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500; the rest is handed to the next job
ATTEMPTS = 3
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


def run(
	names: list[str], verb: str, step: str | None, until: str | None, done: int, refused: dict[str, int]
) -> None:
	"""Apply a verb to the rest of the enrollments, with the rights that the user has now."""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	request = VerbRequest.read(verb, step, from_site(until))
	refused, started = Counter(refused), time.monotonic()
	total = done + refused.total() + len(names)
	pages = list(create_batch(names, BATCH_SIZE))
	for number, page in enumerate(pages):
		if time.monotonic() - started > JOB_BUDGET_SECONDS:
			enqueue([name for rest in pages[number:] for name in rest], request, done, refused)
			frappe.db.commit()
			return
		changed, reasons = _run_page(page, request, utc_now())
		done += changed
		refused += reasons
		_show_progress(done + refused.total(), total, request)
	_notify_user(done, refused, request)
	frappe.db.commit()


def _run_page(page: Sequence[str], request: VerbRequest, now: datetime) -> tuple[int, Counter[str]]:
	"""Apply the verb to one page in one transaction; a page that fails is counted with its reason, and stops no other."""
	for _attempt in range(ATTEMPTS):
		try:
			result = apply_verb(page, request, now)
			frappe.db.commit()
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			deadlocks.wait_after_deadlock()
		except (DripError, frappe.ValidationError) as error:
			frappe.db.rollback()
			return 0, Counter({str(error): len(page)})
		else:
			return result.done, result.refused
	return 0, Counter({_("Another process is changing them. Try again."): len(page)})


def _show_progress(looked_at: int, total: int, request: VerbRequest) -> None:
	words = _("{0} of {1}").format(looked_at, total)
	frappe.publish_progress(100 * looked_at / total, title=_(request.verb.value), description=words)


def _notify_user(done: int, refused: Counter[str], request: VerbRequest) -> None:
	"""Notify the user how many enrollments were changed, and why the others were not."""
	lines = [f"{count} × {reason}" for reason, count in refused.most_common(MOST_REASONS)]
	head = _("{0} enrollments: {1} done.").format(_(request.verb.value), done)
	text = f"{head} {_('The others were not changed:')} {'; '.join(lines)}" if lines else head
	frappe.get_doc(
		doctype="Notification Log",
		type="Alert",
		for_user=frappe.session.user,
		from_user=frappe.session.user,
		subject=frappe.utils.escape_html(text)[:1000],
		document_type="Drip Enrollment",
	).insert(ignore_permissions=True)
