"""The firings that came while their paused campaign took no one new: counted, and enrolled or left out when it resumes.

Nothing here commits.
"""

from datetime import datetime

import frappe

from drip_campaigns.core.flow.triggers import FiringStatus
from drip_campaigns.db.bulk_writes import set_where
from drip_campaigns.site.background_jobs import call_after_commit
from drip_campaigns.triggers.firings import DOCTYPE, WORK_JOB


def count_refused(campaign: str) -> int:
	"""Return how many firings `settle_refused` enrolls or leaves out."""
	return frappe.db.count(DOCTYPE, _refused_of(campaign))


def settle_refused(campaign: str, site_now: datetime, *, enroll: bool) -> None:
	"""Let the triggers run now for those who came during the pause, or leave them out for good."""
	if not count_refused(campaign):
		return
	firing = frappe.qb.DocType(DOCTYPE)
	is_refused = (firing.campaign == campaign) & (firing.status == FiringStatus.REFUSED.value)
	status = FiringStatus.WAITING if enroll else FiringStatus.DONE
	waiting = {"due_at": site_now, "outcome": None} if enroll else {}
	set_where(DOCTYPE, is_refused, {"status": status.value, "modified": site_now, **waiting})
	if enroll:
		call_after_commit(WORK_JOB, "drip-trigger-firings")


def _refused_of(campaign: str) -> dict[str, str]:
	return {"campaign": campaign, "status": FiringStatus.REFUSED.value}
