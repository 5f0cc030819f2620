"""Record firings: the events for which a trigger waited. A job enrolls the people after the commit.

A firing's name is made of trigger, record and occurrence, so that an event that is reported twice is one firing. A
document and its amendments are one event, under the name of the first of them. An amendment is no new firing, but it brings
back one that led to nobody, for example because the document was canceled before its delay had passed. So does a record
that is seen again on its day.
Nothing here commits, and a user who saves a record waits for one statement at most.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import frappe

from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.db.bulk_writes import insert_records, set_each, standard_values
from drip_campaigns.db.dialect import select_in
from drip_campaigns.people.recipients import load_creations
from drip_campaigns.site.background_jobs import call_after_commit

DOCTYPE = "Drip Trigger Firing"
NAMED_ONCE = ("Drip Enrollment", "Drip Target List Member")  # no later record gets their names
WORK_JOB = "drip_campaigns.jobs.run_triggers.run_job"


@dataclass(frozen=True)
class Firing:
	"""One trigger and the record at which it fired; the occurrence tells two events at one record apart."""

	trigger: frappe._dict
	record_type: str
	record: str
	occurrence: str = ""
	detail: str | None = None
	created: datetime | None = None  # when the record was created: a later one of its name is another one
	first: str | None = None  # of an amended document: the first document of its chain, which names the event
	first_created: datetime | None = None
	is_new: bool = True  # otherwise it only brings back an earlier one
	brings_back: bool = False  # one that led to nobody waits again

	@property
	def name(self) -> str:
		"""The same for the same event, 32 characters."""
		record, moment = (self.first, self.first_created) if self.first else (self.record, self.created)
		created = moment.isoformat() if moment else ""
		parts = (self.trigger.name, self.record_type, record, created, self.occurrence)
		return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

	def due_at(self, fired_at: datetime) -> datetime:
		"""Return when the record is to be enrolled, in the time zone of `fired_at`."""
		delay = timedelta(days=self.trigger.delay_days or 0, hours=self.trigger.delay_hours or 0)
		return fired_at + delay


def record_firings(firings: Iterable[Firing], site_now: datetime) -> None:
	"""Insert the firings that are new, in one statement, and start the job that runs them after the commit."""
	standard = standard_values(frappe.session.user, site_now)
	firings = list(_with_creation(list(firings)))
	_bring_back([firing for firing in firings if firing.brings_back], site_now)
	records = [standard | _record_of(firing, site_now) for firing in firings if firing.is_new]
	insert_records(DOCTYPE, records, keep_existing=True)
	if firings:
		call_after_commit(WORK_JOB, "drip-trigger-firings")


def _with_creation(firings: Sequence[Firing]) -> Iterator[Firing]:
	"""Fill in when the records were created, with a query for each type that the callers did not have at hand."""
	unknown: dict[str, set[str]] = {}
	for firing in firings:
		if not firing.created and firing.record_type not in NAMED_ONCE:
			unknown.setdefault(firing.record_type, set()).add(firing.record)
		if firing.first:
			unknown.setdefault(firing.record_type, set()).add(firing.first)
	created = {doctype: load_creations(doctype, sorted(names)) for doctype, names in unknown.items()}
	for firing in firings:
		known = created.get(firing.record_type, {})
		moment = firing.created or known.get(firing.record)
		yield replace(firing, created=moment, first_created=known.get(firing.first))


def _bring_back(seen_again: Sequence[Firing], site_now: datetime) -> None:
	"""Let the firings that led to nobody wait again, for the record as it is now."""
	names = [firing.name for firing in seen_again]
	rows = select_in(DOCTYPE, ["name"], "name", names, status=FiringStatus.NO_MATCH.value)
	found = {row.name for row in rows}
	columns = ("record", "record_created_at", "status", "fired_at", "due_at")
	again = [_record_of(firing, site_now) for firing in seen_again if firing.name in found]
	set_each(
		DOCTYPE,
		("name", "modified", "outcome", *columns),
		[(row["name"], site_now, None, *(row[column] for column in columns)) for row in again],
	)


def _record_of(firing: Firing, site_now: datetime) -> dict[str, Any]:
	return {
		"name": firing.name,
		"campaign": firing.trigger.parent,
		"campaign_trigger": firing.trigger.name,
		"record_type": firing.record_type,
		"record": firing.record,
		"record_created_at": firing.created,
		"detail": firing.detail,
		"status": FiringStatus.WAITING.value,
		"fired_at": site_now,
		"due_at": firing.due_at(site_now),
	}
