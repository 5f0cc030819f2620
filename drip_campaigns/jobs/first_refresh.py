"""The first refresh after the sources of a list changed: campaigns enroll its new members after it, many only if confirmed.

Otherwise a mistake in a source could enroll a hundred thousand people. Only the job commits.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.lists import RefreshStatus
from drip_campaigns.db.single_writes import write_fields, write_values
from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.jobs.batches import run_transaction
from drip_campaigns.lists.refreshes import DOCTYPE, find_waiting
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import notify
from drip_campaigns.triggers.firings import Firing, record_firings

JOB = "drip_campaigns.jobs.first_refresh.fire_job"
ASK_FROM = 100  # fewer people are enrolled without a question
PAGE_SIZE = 5000


class NoQuestionError(DripError):
	"""The question was answered already, or the list was refreshed again."""


def is_first(target_list: str) -> bool:
	"""Return True if no refresh was completed since the sources changed, so that the next one is the first."""
	latest = _load_runs(target_list, limit=1)
	return not latest or bool(latest[0].is_first and latest[0].status != RefreshStatus.COMPLETED.value)


def finish(run, now: datetime) -> None:
	"""Enroll the new members of a completed first refresh; if they are many, ask the owners of list and campaigns first."""
	triggers = find_waiting(run.target_list) if run.is_first and not frappe.flags.drip_no_triggers else ()
	members = _find_added(run) if triggers else []
	if len(members) >= ASK_FROM:
		_close_questions(run.target_list)
		write_fields(run, {"awaiting_decision": len(members)})
		_ask(run, triggers)
	elif members:
		_fire(run, members, now)


def answer(run, *, enroll: bool) -> int:
	"""Enroll the members that wait for the answer in the background, or do not enroll them; return how many they are."""
	count = frappe.db.get_value(DOCTYPE, run.name, "awaiting_decision", for_update=True)
	if not count:
		raise NoQuestionError()
	write_fields(run, {"awaiting_decision": 0})
	if enroll:
		frappe.enqueue(JOB, queue="long", run=run.name, enqueue_after_commit=True)
	return count


def fire_job(run: str) -> None:
	"""Enroll the new members of a first refresh in the campaigns: a background job that commits page by page."""
	document = frappe.get_doc(DOCTYPE, run)
	for members in create_batch(_find_added(document), PAGE_SIZE):
		run_transaction(partial(_fire, document, members, utc_now()))


def _fire(run, members: Sequence[str], now: datetime) -> None:
	triggers = find_waiting(run.target_list)
	record_firings(
		(Firing(row, MEMBER, name, run.name) for row in triggers for name in members), to_site(now)
	)


def _find_added(run) -> list[str]:
	"""Return the members that a completed first refresh added and that are still on the list."""
	filters = {
		"target_list": run.target_list,
		"joined_at": ["between", [_begun_at(run), run.finished_at]],
		"is_filled": 1,
		"opted_out": 0,
		"removed_at": ["is", "not set"],
	}
	return frappe.get_all(MEMBER, filters=filters, pluck="name", order_by="name")


def _begun_at(run) -> datetime:
	"""Return when the first refresh began, including attempts that were not completed or not answered."""
	begun = run.started_at
	for earlier in _load_runs(run.target_list):
		is_open = earlier.is_first and (
			earlier.status != RefreshStatus.COMPLETED.value or earlier.awaiting_decision
		)
		if not is_open and earlier.name != run.name:
			break
		begun = min(begun, earlier.started_at)
	return begun


def _load_runs(target_list: str, limit: int = 20) -> list[frappe._dict]:
	fields = ["name", "is_first", "status", "awaiting_decision", "started_at"]
	filters = {"target_list": target_list}
	return frappe.get_all(DOCTYPE, filters=filters, fields=fields, order_by="started_at desc", limit=limit)


def _close_questions(target_list: str) -> None:
	"""Drop earlier questions: a later first refresh asks about the same people."""
	write_values(
		DOCTYPE, {"target_list": target_list, "awaiting_decision": [">", 0]}, {"awaiting_decision": 0}
	)


def _ask(run, triggers: Sequence[frappe._dict]) -> None:
	owner = frappe.db.get_value("Drip Target List", run.target_list, "owner")
	campaigns = sorted({row.parent for row in triggers})
	text = _("{0} people joined list {1}. Open the list to decide whether to enroll them in {2}.")
	subject = as_html(text, run.awaiting_decision, bold(run.target_list), ", ".join(campaigns))
	users = {owner, *(row.owner for row in triggers)}
	frappe.db.after_commit.add(lambda: notify(users, subject, "Drip Target List", run.target_list))
