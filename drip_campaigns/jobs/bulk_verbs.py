"""The rest of a verb for very many enrollments: a background job that goes on page by page, shows how far it is, and says the end.

Commits after each page, which makes this an entry point like the runner. A job that is lost loses nothing: whoever
presses again does it with the rest, for what was done is left alone.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.db import deadlocks
from drip_campaigns.enrollment.bulk_verbs import BATCH_SIZE, Order, Verb, VerbResult, act_on
from drip_campaigns.site.clock import from_site, to_site, utc_now

JOB = "drip_campaigns.jobs.bulk_verbs.run"
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500; the rest is handed to the next job
ATTEMPTS = 3
MOST_REASONS = 10


def enqueue(names: Sequence[str], order: Order, before: VerbResult) -> None:
	"""Let a worker do `order` with these enrollments, as the session's user; `before` is what came of those before them."""
	if not names:
		return
	frappe.enqueue(
		JOB,
		queue="long",
		enqueue_after_commit=True,
		names=list(names),
		verb=order.verb.value,
		step=order.step,
		until=str(to_site(order.until)) if order.until else None,
		done=before.done,
		refused=dict(before.refused),
	)


def run(
	names: list[str], verb: str, step: str | None, until: str | None, done: int, refused: dict[str, int]
) -> None:
	"""Do a verb with the rest of the enrollments, with the rights that the user has now."""
	frappe.has_permission("Drip Enrollment", "write", throw=True)
	order = Order(Verb(verb), step, from_site(until))
	outcome, started = VerbResult(done, Counter(refused)), time.monotonic()
	total = done + sum(refused.values()) + len(names)
	pages = list(create_batch(names, BATCH_SIZE))
	for number, page in enumerate(pages):
		if time.monotonic() - started > JOB_BUDGET_SECONDS:
			enqueue([name for rest in pages[number:] for name in rest], order, outcome)
			frappe.db.commit()
			return
		_do_page(page, order, outcome, utc_now())
		_show(outcome, order, total)
	_tell(outcome, order)
	frappe.db.commit()


def _do_page(page: Sequence[str], order: Order, outcome: VerbResult, now: datetime) -> None:
	"""Do one page in one transaction; one that cannot be done is counted with its reason, and stops no other."""
	for _attempt in range(ATTEMPTS):
		try:
			result = act_on(page, order, now)
			frappe.db.commit()
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			deadlocks.wait_after_deadlock()
		except (DripError, frappe.ValidationError) as error:
			frappe.db.rollback()
			outcome.refused[str(error)] += len(page)
			return
		else:
			outcome.done += result.done
			outcome.refused.update(result.refused)
			return
	outcome.refused[_("Others were working on them. Try again.")] += len(page)


def _show(outcome: VerbResult, order: Order, total: int) -> None:
	looked_at = outcome.done + outcome.refused.total()
	words = _("{0} of {1}").format(looked_at, total)
	frappe.publish_progress(100 * looked_at / total, title=_(order.verb.value), description=words)


def _tell(outcome: VerbResult, order: Order) -> None:
	"""Say in the user's notifications what came of it."""
	lines = [f"{count} × {reason}" for reason, count in outcome.refused.most_common(MOST_REASONS)]
	head = _("{0} enrollments: {1} done.").format(_(order.verb.value), outcome.done)
	text = f"{head} {_('The others were left as they were:')} {'; '.join(lines)}" if lines else head
	frappe.get_doc(
		doctype="Notification Log",
		type="Alert",
		for_user=frappe.session.user,
		from_user=frappe.session.user,
		subject=frappe.utils.escape_html(text)[:1000],
		document_type="Drip Enrollment",
	).insert(ignore_permissions=True)
