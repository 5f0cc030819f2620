"""Record firings: the events for which a trigger waited. A job enrolls the people after the commit.

A firing's name is made of trigger, record and occurrence, so that an event that is reported twice is one firing.
Nothing here commits, and a user who saves a record waits for one statement at most.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import frappe

from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.db.dialect import insert_new_rows
from drip_campaigns.site.background_jobs import call_after_commit

DOCTYPE = "Drip Trigger Firing"
WORK_JOB = "drip_campaigns.jobs.run_triggers.run_job"
_COLUMNS = (
	*("name", "owner", "creation", "modified", "modified_by", "campaign", "campaign_trigger"),
	*("record_type", "record", "detail", "status", "fired_at", "due_at"),
)


@dataclass(frozen=True)
class Firing:
	"""One trigger and the record at which it fired; the occurrence tells two events at one record apart."""

	trigger: frappe._dict
	record_type: str
	record: str
	occurrence: str = ""
	detail: str | None = None

	@property
	def name(self) -> str:
		"""The same for the same event, 32 characters."""
		parts = (self.trigger.name, self.record_type, self.record, self.occurrence)
		return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

	def due_at(self, fired_at: datetime) -> datetime:
		"""Return when the record is to be enrolled, in the time zone of `fired_at`."""
		delay = timedelta(days=self.trigger.delay_days or 0, hours=self.trigger.delay_hours or 0)
		return fired_at + delay


def record_firings(firings: Iterable[Firing], site_now: datetime) -> None:
	"""Insert the firings that are new, in one statement, and start the job that runs them after the commit."""
	rows = [_row(firing, site_now) for firing in firings]
	if rows:
		insert_new_rows(DOCTYPE, _COLUMNS, rows)
		call_after_commit(WORK_JOB, "drip-trigger-firings")


def _row(firing: Firing, site_now: datetime) -> Sequence:
	user = frappe.session.user
	return (
		*(firing.name, user, site_now, site_now, user),
		*(firing.trigger.parent, firing.trigger.name, firing.record_type, firing.record),
		*(firing.detail, FiringStatus.WAITING.value, site_now, firing.due_at(site_now)),
	)
