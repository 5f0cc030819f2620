"""Refresh a target list: read its sources page by page, so that a refresh can be canceled and resumed. Idempotent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.lists import RefreshStatus
from drip_campaigns.db.savepoints import attempt_each
from drip_campaigns.db.single_writes import write_fields, write_values
from drip_campaigns.enrollment.list_membership import count_members
from drip_campaigns.jobs import first_refresh
from drip_campaigns.jobs.batches import LIST_REFRESH, BatchJob, BatchState, run_batches, run_transaction
from drip_campaigns.lists.add_members import ImportResult, MemberImporter
from drip_campaigns.lists.refreshes import DOCTYPE
from drip_campaigns.lists.remove_members import find_missing, remove_members
from drip_campaigns.lists.sources import Page, Source, make_source
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.error_log import log_failure
from drip_campaigns.site.messages import as_html, bold, read_error
from drip_campaigns.site.notify import find_managers, notify

JOB = "drip_campaigns.jobs.refresh_lists.run"
PAGE_SIZE = 1000
LOST_AFTER = timedelta(minutes=30)  # a run without progress for so long has lost its worker
KEPT = timedelta(days=90)
REALTIME_EVENT = "drip_target_list_refresh"
LIVE = (RefreshStatus.QUEUED.value, RefreshStatus.RUNNING.value)
FINISHED = (RefreshStatus.COMPLETED.value, RefreshStatus.FAILED.value)


class RefreshRefusedError(DripError):
	"""The list cannot be refreshed."""


def start(target_list: str, now: datetime, *, anew: bool = False) -> str:
	"""Enqueue a refresh after the commit, and return the run; a run that is queued or running is returned as it is."""
	going_on = frappe.get_all(
		DOCTYPE, filters={"target_list": target_list, "status": ["in", LIVE]}, pluck="name"
	)
	if going_on:
		return going_on[0]
	if not frappe.db.exists("Drip Target List Source", {"parent": target_list}):
		raise RefreshRefusedError(_("List {0} has no sources. Add a row under Sources.").format(target_list))
	# nosemgrep: ignore-permissions - a record of the app; who may refresh is checked on the list
	run = frappe.get_doc(
		doctype=DOCTYPE,
		target_list=target_list,
		status=RefreshStatus.QUEUED.value,
		started_at=to_site(now),
		is_first=int(anew or first_refresh.is_first(target_list)),
	).insert(ignore_permissions=True)
	enqueue(run.name)
	return run.name


def start_anew(target_list: str, now: datetime) -> str:
	"""Cancel the current run and start a new one, because the sources changed."""
	cancel(target_list)
	return start(target_list, now, anew=True)


def cancel(target_list: str) -> None:
	"""Cancel the current run after its current page. Nobody is removed from the list, because not all sources were read."""
	filters = {"target_list": target_list, "status": ["in", LIVE]}
	for name in frappe.get_all(DOCTYPE, filters=filters, pluck="name"):
		write_values(DOCTYPE, name, {"status": RefreshStatus.CANCELLED.value})


def resume(name: str) -> None:
	"""Resume a run that failed or was canceled, where it stopped."""
	run = frappe.get_doc(DOCTYPE, name)
	if run.status not in (RefreshStatus.FAILED.value, RefreshStatus.CANCELLED.value):
		raise RefreshRefusedError(_("Run {0} is {1}. Start a new one.").format(name, _(run.status)))
	write_fields(run, {"status": RefreshStatus.QUEUED.value, "error": None})
	enqueue(name)


def enqueue(name: str) -> None:
	"""Enqueue a run after the commit."""
	frappe.enqueue(
		JOB, queue="long", name=name, job_id=f"drip-list-{name}", deduplicate=True, enqueue_after_commit=True
	)


def refresh_due() -> None:
	"""Start the refreshes that are due, and resume runs whose worker was killed. The scheduler calls it every quarter of an hour."""
	start_due(utc_now())


def start_due(now: datetime) -> list[str]:
	"""Start the refreshes that are due at `now`, and return their runs."""
	lost = {"status": ["in", LIVE], "modified": ["<", to_site(now - LOST_AFTER)]}
	for name in frappe.get_all(DOCTYPE, filters=lost, pluck="name"):
		enqueue(name)
	runs = [start(name, now) for name in _find_due(now)]
	frappe.db.delete(DOCTYPE, {"started_at": ["<", to_site(now - KEPT)]})
	frappe.db.commit()
	return runs


def _find_due(now: datetime) -> list[str]:
	filled = set(frappe.get_all("Drip Target List Source", pluck="parent", distinct=True, order_by=None))
	filters = {"refresh_hours": [">", 0], "name": ["in", list(filled)]}
	lists = (
		frappe.get_all("Drip Target List", filters=filters, fields=["name", "refresh_hours"])
		if filled
		else []
	)
	runs = frappe.get_all(DOCTYPE, fields=["target_list", "started_at"], order_by="started_at")
	last = {run.target_list: run.started_at for run in runs}
	return [
		row.name
		for row in lists
		if row.name not in last or last[row.name] <= to_site(now - timedelta(hours=row.refresh_hours))
	]


def run(name: str) -> None:
	"""Run the rest of a run, with the rights of the list's owner: a background job."""
	user = frappe.session.user
	try:
		_Run(name).go_on()
	except Exception as error:  # noqa: BLE001 - recorded on the run, which can be resumed
		frappe.db.rollback()
		text = str(error) if isinstance(error, DripError) else f"{type(error).__name__}: {error}"
		write_values(DOCTYPE, name, {"status": RefreshStatus.FAILED.value, "error": text})
		_notify_failure(frappe.db.get_value(DOCTYPE, name, "target_list"), text)
		frappe.db.commit()
	finally:
		frappe.set_user(user)


def _notify_failure(target_list: str, error: str) -> None:
	"""Notify the owner of the list and the managers, once until a refresh is completed again."""
	filters = {"target_list": target_list, "status": ["in", FINISHED]}
	latest = frappe.get_all(DOCTYPE, filters=filters, order_by="started_at desc", limit=2, pluck="status")
	if latest.count(RefreshStatus.FAILED.value) > 1:
		return
	subject = as_html(
		_("Target List {0} could not be refreshed: {1} New people are not added until it works again."),
		bold(target_list),
		error,
	)
	users = {frappe.db.get_value("Drip Target List", target_list, "owner"), *find_managers()}
	frappe.db.after_commit.add(lambda: notify(users, subject, "Drip Target List", target_list))


class _Run(BatchJob):
	"""One refresh of a list. A batch is a page of a source; two workers take turns, because each locks the run."""

	policy = LIST_REFRESH

	def __init__(self, name: str) -> None:
		self.document = frappe.get_doc(DOCTYPE, name)
		self.target_list = frappe.get_doc("Drip Target List", self.document.target_list)
		self.sources: list[Source] = []  # made when it begins, with the rights of the list's owner

	@property
	def size(self) -> int:
		return PAGE_SIZE

	def claim(self, limit: int) -> Sequence[tuple[Source, Page | None]]:
		"""Lock the run, and return the source that is next with its next page; the page is None at the end of a source."""
		self.document = run = frappe.get_doc(DOCTYPE, self.document.name, for_update=True)
		if run.status != RefreshStatus.RUNNING.value or run.source_row >= len(self.sources):
			return ()
		source = self.sources[run.source_row]
		return [(source, source.page(run.last_record or "", limit))]

	def do(self, rows: Sequence[tuple[Source, Page | None]]) -> int:
		"""Add the people of a page to the list, or go to the next source; return how many people."""
		[(source, page)] = rows
		if page is None:
			write_fields(self.document, {"source_row": self.document.source_row + 1, "last_record": ""})
			return 0
		self._add_page(page, source.asks_rights)
		return len(page.people)

	def go_on(self) -> None:
		if self.document.status not in LIVE:
			return
		_set_owner_as_user(self.target_list)
		self._begin()
		_count, state = run_batches(self)
		if state is BatchState.DONE:
			frappe.enqueue(JOB, queue="long", name=self.document.name)
		elif self.document.status == RefreshStatus.RUNNING.value:
			self._remove_others()

	def _begin(self) -> None:
		self.sources = [make_source(row) for row in self.target_list.sources]
		if self.document.status == RefreshStatus.QUEUED.value and not self.document.total:
			write_fields(self.document, {"total": sum(source.count() for source in self.sources)})
		write_fields(self.document, {"status": RefreshStatus.RUNNING.value})
		frappe.db.commit()

	def _add_page(self, page: Page, asks_rights: bool) -> None:
		run = self.document
		importer = MemberImporter(run.target_list, run.name, utc_now(), fires=not run.is_first)
		parts, failed = attempt_each(
			page.people, lambda people: importer.add_page(people, asks_rights=asks_rights)
		)
		taken = ImportResult.sum(parts)
		for (doctype, name), error in failed:
			log_failure(
				_("Drip Campaigns: {0} {1} could not be added to list {2}").format(
					_(doctype), name, run.target_list
				),
				read_error(error),
			)
		write_fields(
			run,
			{
				"last_record": page.last,
				"processed": run.processed + len(page.people),
				"joined": run.joined + taken.joined,
				"came_back": run.came_back + taken.came_back,
				"unreachable": run.unreachable + taken.unreachable + len(failed),
			},
		)
		self._show_progress()

	def _remove_others(self) -> None:
		for names in create_batch(find_missing(self.target_list.name, self.document.name), PAGE_SIZE):
			run_transaction(partial(self._remove, names))
		run_transaction(self._finish)

	def _remove(self, names: list[str]) -> None:
		removed = remove_members(self.target_list.name, names, utc_now())
		before = frappe.db.get_value(DOCTYPE, self.document.name, "dropped_out")
		write_fields(self.document, {"dropped_out": before + removed})

	def _finish(self) -> None:
		values = {"status": RefreshStatus.COMPLETED.value, "finished_at": to_site(utc_now())}
		write_fields(self.document, values, notify=True)
		first_refresh.finish(self.document, utc_now())
		count = count_members(self.target_list.name)
		write_values(
			"Drip Target List", self.target_list.name, {"member_count": count}, update_modified=False
		)
		self._show_progress()

	def _show_progress(self) -> None:
		"""Send the progress to open forms; a form without realtime asks the server."""
		run = self.document
		progress = {"target_list": run.target_list, "processed": run.processed, "total": run.total}
		frappe.publish_realtime(
			REALTIME_EVENT, progress, doctype="Drip Target List", docname=run.target_list, after_commit=True
		)


def _set_owner_as_user(target_list) -> None:
	"""Continue with the rights of the list's owner, if the owner is enabled and may read the list."""
	owner = target_list.owner
	is_enabled = owner == "Administrator" or frappe.db.get_value("User", owner, "enabled")
	if not is_enabled or not frappe.has_permission("Drip Target List", "read", user=owner):
		raise RefreshRefusedError(
			_(
				"{0} owns list {1} but may no longer read target lists. Restore the right, or assign another owner."
			).format(owner, target_list.name)
		)
	frappe.set_user(owner)
