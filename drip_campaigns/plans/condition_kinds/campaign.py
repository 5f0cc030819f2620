"""Conditions on the recipient's place in another campaign."""

from collections import defaultdict
from collections.abc import Callable

from frappe import _

from drip_campaigns.core.flow.condition_kinds.campaign import CampaignStanding, CampaignTest
from drip_campaigns.core.model import LIVE_STATUSES, Status
from drip_campaigns.plans.condition_kind import ConditionKind, find_missing_record
from drip_campaigns.plans.past_enrollments import find_past_enrollments, identify


class CampaignCondition(ConditionKind):
	"""The person counts, by record or by address. Of several enrollments in the campaign, each counts."""

	test = CampaignTest
	label = "Campaign"
	doctype = "Drip Campaign"

	def describe(self, test: CampaignTest) -> str:
		return _SENTENCES[test.stands, test.negated]().format(test.campaign)

	def find_problem(self, test: CampaignTest) -> str | None:
		return find_missing_record(self.doctype, test.campaign)

	def load(self, batch) -> dict[tuple[str, str], set[tuple[str, CampaignStanding]]]:
		"""Load the campaigns of each recipient, with how they are related to it."""
		asked = {test.campaign for test in batch.tests_of(CampaignTest)}
		people = {key: identify(one) for key, one in batch.recipients.items()}
		found = defaultdict(set)
		for person, rows in find_past_enrollments(people, ("campaign", "status")).items():
			for row in rows:
				if row.campaign in asked:
					standings = (CampaignStanding.EVER, _find_standing(row.status))
					found[person] |= {(row.campaign, one) for one in standings}
		return found


def _find_standing(status: str) -> CampaignStanding:
	if Status(status) in LIVE_STATUSES:
		return CampaignStanding.NOW
	return CampaignStanding.COMPLETED if status == Status.COMPLETED.value else CampaignStanding.LEFT


def label_standings() -> dict[str, str]:
	"""Return what the form calls each standing, by what a JSON value calls it."""
	words = {
		CampaignStanding.EVER: _("was ever in it"),
		CampaignStanding.NOW: _("is in it"),
		CampaignStanding.COMPLETED: _("has completed it"),
		CampaignStanding.LEFT: _("has left it"),
	}
	return {standing.value.lower(): label for standing, label in words.items()}


_SENTENCES: dict[tuple[CampaignStanding, bool], Callable[[], str]] = {
	(CampaignStanding.EVER, False): lambda: _("was ever in campaign {0}"),
	(CampaignStanding.EVER, True): lambda: _("was never in campaign {0}"),
	(CampaignStanding.NOW, False): lambda: _("is in campaign {0}"),
	(CampaignStanding.NOW, True): lambda: _("isn't in campaign {0}"),
	(CampaignStanding.COMPLETED, False): lambda: _("has completed campaign {0}"),
	(CampaignStanding.COMPLETED, True): lambda: _("hasn't completed campaign {0}"),
	(CampaignStanding.LEFT, False): lambda: _("has left campaign {0}"),
	(CampaignStanding.LEFT, True): lambda: _("hasn't left campaign {0}"),
}
