"""Refreshing a target list: its sources asked page by page, each page committed, so that it can be left, stopped and resumed.

Running it again changes nothing that is right already. Commits after each page, which makes this an entry point like
the runner.
"""

import time
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils import create_batch, escape_html

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.lists import RefreshStatus
from drip_campaigns.enrollment.list_membership import count_members
from drip_campaigns.jobs import first_refresh
from drip_campaigns.lists.add_members import MemberImporter
from drip_campaigns.lists.refreshes import DOCTYPE
from drip_campaigns.lists.remove_members import find_missing, remove_members
from drip_campaigns.lists.sources import Page, make_source
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.notify import find_managers, notify

JOB = "drip_campaigns.jobs.refresh_lists.run"
PAGE_SIZE = 1000
RACE_ATTEMPTS = 5
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500; a longer run is handed to the next job
LOST_AFTER = timedelta(minutes=30)  # a run that nobody has touched for so long has lost its worker
KEPT = timedelta(days=90)
REALTIME_EVENT = "drip_target_list_refresh"
LIVE = (RefreshStatus.QUEUED.value, RefreshStatus.RUNNING.value)
FINISHED = (RefreshStatus.COMPLETED.value, RefreshStatus.FAILED.value)


class RefreshRefusedError(DripError):
	"""The list cannot be refreshed."""


def start(target_list: str, now: datetime, *, anew: bool = False) -> str:
	"""Let a worker refresh a list after the commit, and return the run; one that is under way is not started twice."""
	going_on = frappe.get_all(
		DOCTYPE, filters={"target_list": target_list, "status": ["in", LIVE]}, pluck="name"
	)
	if going_on:
		return going_on[0]
	if not frappe.db.exists("Drip Target List Source", {"parent": target_list}):
		raise RefreshRefusedError(
			_("List {0} has no sources, so there is nothing to ask. Add a row under Sources.").format(
				target_list
			)
		)
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
	"""Start from the beginning, for the sources have changed; a run under way ends."""
	cancel(target_list)
	return start(target_list, now, anew=True)


def cancel(target_list: str) -> None:
	"""Stop what is under way after its present page. Nobody drops out of a list whose sources were not all asked."""
	filters = {"target_list": target_list, "status": ["in", LIVE]}
	for name in frappe.get_all(DOCTYPE, filters=filters, pluck="name"):
		frappe.db.set_value(DOCTYPE, name, "status", RefreshStatus.CANCELLED.value)


def resume(name: str) -> None:
	"""Let a run that failed or was cancelled go on where it stopped."""
	run = frappe.get_doc(DOCTYPE, name)
	if run.status not in (RefreshStatus.FAILED.value, RefreshStatus.CANCELLED.value):
		raise RefreshRefusedError(_("Run {0} is {1}. Start a new one.").format(name, _(run.status)))
	run.db_set({"status": RefreshStatus.QUEUED.value, "error": None})
	enqueue(name)


def enqueue(name: str) -> None:
	"""Let a worker run it, once the present transaction is committed."""
	frappe.enqueue(
		JOB, queue="long", name=name, job_id=f"drip-list-{name}", deduplicate=True, enqueue_after_commit=True
	)


def refresh_due() -> None:
	"""Start what is due by its schedule, and take up what has lost its worker: called every quarter of an hour."""
	look_after(utc_now())


def look_after(now: datetime) -> list[str]:
	"""Start the lists that are due at `now`, and return their runs."""
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
	"""Refresh from where the run stands to its end, with the rights of the list's owner: a background job."""
	user = frappe.session.user
	try:
		_Run(name).go_on()
	except Exception as error:  # noqa: BLE001 - recorded on the run, which can be resumed
		frappe.db.rollback()
		text = str(error) if isinstance(error, DripError) else f"{type(error).__name__}: {error}"
		frappe.db.set_value(DOCTYPE, name, {"status": RefreshStatus.FAILED.value, "error": text})
		_tell_failed(frappe.db.get_value(DOCTYPE, name, "target_list"), text)
		frappe.db.commit()
	finally:
		frappe.set_user(user)


def _tell_failed(target_list: str, error: str) -> None:
	"""Tell the owner of a list and the managers that it is not filled any more: once, until a refresh is completed again."""
	filters = {"target_list": target_list, "status": ["in", FINISHED]}
	latest = frappe.get_all(DOCTYPE, filters=filters, order_by="started_at desc", limit=2, pluck="status")
	if latest.count(RefreshStatus.FAILED.value) > 1:
		return
	subject = _("Target List {0} could not be refreshed: {1} Who should join it waits.").format(
		frappe.bold(escape_html(target_list)), escape_html(error)
	)
	told = {frappe.db.get_value("Drip Target List", target_list, "owner"), *find_managers()}
	frappe.db.after_commit.add(lambda: notify(told, subject, "Drip Target List", target_list))


class _Run:
	def __init__(self, name: str) -> None:
		self.document = frappe.get_doc(DOCTYPE, name)
		self.target_list = frappe.get_doc("Drip Target List", self.document.target_list)
		self.sources = [make_source(row) for row in self.target_list.sources]

	def go_on(self) -> None:
		if self.document.status not in LIVE:
			return
		_become(self.target_list)
		self._begin()
		started = time.monotonic()
		while self._try(self._take_page):
			if time.monotonic() - started > JOB_BUDGET_SECONDS:
				frappe.enqueue(JOB, queue="long", name=self.document.name)
				return
		if self.document.status == RefreshStatus.RUNNING.value:
			self._drop_the_others()

	def _begin(self) -> None:
		if self.document.status == RefreshStatus.QUEUED.value and not self.document.total:
			self.document.db_set("total", sum(source.count() for source in self.sources))
		self.document.db_set("status", RefreshStatus.RUNNING.value)
		frappe.db.commit()

	def _try(self, work) -> bool:
		"""Do one piece of work in one transaction; again, if somebody else was at the same rows."""
		for attempt in range(RACE_ATTEMPTS):
			try:
				result = work()
				frappe.db.commit()
				return result
			except Exception as error:
				frappe.db.rollback()  # the next attempt sees what the other has committed
				is_race = isinstance(error, frappe.QueryDeadlockError | frappe.QueryTimeoutError)
				if attempt + 1 == RACE_ATTEMPTS or not (is_race or frappe.db.is_unique_key_violation(error)):
					raise
		return False

	def _take_page(self) -> bool:
		"""Take the next page; return whether there may be another. Two workers take turns: the run's row is locked."""
		self.document = run = frappe.get_doc(DOCTYPE, self.document.name, for_update=True)
		if run.status != RefreshStatus.RUNNING.value or run.source_row >= len(self.sources):
			return False
		source = self.sources[run.source_row]
		page = source.page(run.last_record or "", PAGE_SIZE)
		if page is None:
			run.db_set({"source_row": run.source_row + 1, "last_record": ""})
		else:
			self._take(page, source.asks_rights)
		return True

	def _take(self, page: Page, asks_rights: bool) -> None:
		run = self.document
		intake = MemberImporter(run.target_list, run.name, utc_now(), fires=not run.is_first)
		taken = intake.add_page(page.people, asks_rights=asks_rights)
		run.db_set(
			{
				"last_record": page.last,
				"processed": run.processed + len(page.people),
				"joined": run.joined + taken.joined,
				"came_back": run.came_back + taken.came_back,
				"unreachable": run.unreachable + taken.unreachable,
			}
		)
		self._tell()

	def _drop_the_others(self) -> None:
		for names in create_batch(find_missing(self.target_list.name, self.document.name), PAGE_SIZE):
			self._try(lambda names=names: self._drop(names))
		self._try(self._finish)

	def _drop(self, names: list[str]) -> bool:
		gone = remove_members(self.target_list.name, names, utc_now())
		self.document.db_set("dropped_out", self.document.dropped_out + gone)
		return True

	def _finish(self) -> bool:
		values = {"status": RefreshStatus.COMPLETED.value, "finished_at": to_site(utc_now())}
		self.document.db_set(values, notify=True)
		first_refresh.finish(self.document, utc_now())
		count = count_members(self.target_list.name)
		frappe.db.set_value(
			"Drip Target List", self.target_list.name, "member_count", count, update_modified=False
		)
		self._tell()
		return True

	def _tell(self) -> None:
		"""Let open forms draw their progress bar; one without realtime asks by itself."""
		run = self.document
		progress = {"target_list": run.target_list, "processed": run.processed, "total": run.total}
		frappe.publish_realtime(
			REALTIME_EVENT, progress, doctype="Drip Target List", docname=run.target_list, after_commit=True
		)


def _become(target_list) -> None:
	"""Go on with the rights of the list's owner, if there still is one."""
	owner = target_list.owner
	is_enabled = owner == "Administrator" or frappe.db.get_value("User", owner, "enabled")
	if not is_enabled or not frappe.has_permission("Drip Target List", "read", user=owner):
		raise RefreshRefusedError(
			_("{0}, who owns list {1}, may not read target lists any more. Give back the right.").format(
				owner, target_list.name
			)
		)
	frappe.set_user(owner)
