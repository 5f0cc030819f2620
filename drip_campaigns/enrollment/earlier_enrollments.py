"""The campaign's rule on re-enrollment for people who were in it before, by record or by address. Reads only."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

import frappe

from drip_campaigns.core.model import Plan, ReEnrollmentDecision, Resume, Status
from drip_campaigns.core.schedule.confirmation import NEVER_CONFIRMED
from drip_campaigns.core.schedule.reenrollment import re_enroll
from drip_campaigns.plans.enrollment_rows import ENROLLMENT_FIELDS, load_handled_steps
from drip_campaigns.plans.enrollment_state import LIVE_VALUES, read_position
from drip_campaigns.plans.past_enrollments import Identity, find_past_enrollments
from drip_campaigns.site.clock import from_site


class EarlierEnrollments:
	"""The earlier enrollments of a batch of records in one campaign, by the record's name."""

	def __init__(self, campaign: str, people: Mapping[str, Identity], plan: Plan, now: datetime) -> None:
		self.campaign, self.people, self.plan, self.now = campaign, people, plan, now

	@cached_property
	def rows(self) -> dict[str, frappe._dict]:
		"""The enrollment that counts for each person who was in the campaign: the record's live one, else the latest."""
		chosen = {}
		for name, rows in find_past_enrollments(
			self.people, ENROLLMENT_FIELDS, campaign=self.campaign
		).items():
			counting = [row for row in rows if _counts(self.people[name], row)]
			counting.sort(key=lambda row: row.status in LIVE_VALUES)
			if counting:
				chosen[name] = counting[-1]
		handled = load_handled_steps([row.name for row in chosen.values()])
		return {name: row.update(done=handled[row.name]) for name, row in chosen.items()}

	@cached_property
	def decisions(self) -> dict[str, ReEnrollmentDecision]:
		"""What the rule says about each of them."""
		return {name: self._decide(row) for name, row in self.rows.items()}

	def _decide(self, row: frappe._dict) -> ReEnrollmentDecision:
		position, ended_at = read_position(row, row.done), from_site(row.ended_at) or self.now
		return re_enroll(self.plan, position, Status(row.status), ended_at, self.now)

	def is_live(self, name: str) -> bool:
		"""Say whether the record is in the campaign now."""
		return name in self.rows and self.rows[name].status in LIVE_VALUES

	def was_other_record(self, name: str) -> bool:
		"""Say whether the person was in the campaign as another record with the same address."""
		return not self.people[name].is_record_of(self.rows[name])

	def find_resumable(self, name: str) -> frappe._dict | None:
		"""Return the enrollment that continues instead of a new one, if the rule says so."""
		return self.rows.get(name) if isinstance(self.decisions.get(name), Resume) else None


def _counts(person: Identity, row: frappe._dict) -> bool:
	"""Say whether an enrollment is a person's past. Another record's live one is a matter of the rule `duplicate`."""
	if row.status in LIVE_VALUES:
		return person.is_record_of(row)
	return row.confirmation not in NEVER_CONFIRMED  # a person who never confirmed was never in the campaign
