"""Record firings: the events for which a trigger waited. A job enrolls the people after the commit.

A firing's name is made of trigger, record and occurrence, so that an event that is reported twice is one firing.
Nothing here commits, and a user who saves a record waits for one statement at most.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import frappe

from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.db.bulk_writes import insert_records, standard_values
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

	@property
	def name(self) -> str:
		"""The same for the same event, 32 characters."""
		created = self.created.isoformat() if self.created else ""
		parts = (self.trigger.name, self.record_type, self.record, created, self.occurrence)
		return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

	def due_at(self, fired_at: datetime) -> datetime:
		"""Return when the record is to be enrolled, in the time zone of `fired_at`."""
		delay = timedelta(days=self.trigger.delay_days or 0, hours=self.trigger.delay_hours or 0)
		return fired_at + delay


def record_firings(firings: Iterable[Firing], site_now: datetime) -> None:
	"""Insert the firings that are new, in one statement, and start the job that runs them after the commit."""
	standard = standard_values(frappe.session.user, site_now)
	records = [standard | _record_of(firing, site_now) for firing in _with_creation(list(firings))]
	if records:
		insert_records(DOCTYPE, records, keep_existing=True)
		call_after_commit(WORK_JOB, "drip-trigger-firings")


def _with_creation(firings: Sequence[Firing]) -> Iterator[Firing]:
	"""Fill in when the records were created, with a query for each type that the callers did not have at hand."""
	unknown: dict[str, set[str]] = {}
	for firing in firings:
		if not firing.created and firing.record_type not in NAMED_ONCE:
			unknown.setdefault(firing.record_type, set()).add(firing.record)
	created = {doctype: load_creations(doctype, sorted(names)) for doctype, names in unknown.items()}
	for firing in firings:
		known = firing.created or created.get(firing.record_type, {}).get(firing.record)
		yield replace(firing, created=known)


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
