"""What enrolling would do, before it is done: how many, how many not and why, and ten of them. Reads only.

Uses the same rules as the run itself (`eligibility.py`).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.enrollment.campaign_checks import check_campaign
from drip_campaigns.enrollment.eligibility import Eligibility, EligibilityResult
from drip_campaigns.people.audience import Audience

PAGE = 2000
MOST_RECORDS = 200_000  # more would outlast a web request; the result then says how many were looked at
SAMPLE = 10
EXAMPLES = 3  # named with each reason


class PreviewCounts:
	"""Adds up eligibility results."""

	def __init__(self) -> None:
		self.enrolled = self.resumed = self.looked_at = 0
		self.refused: Counter[tuple[str, str]] = Counter()
		self.examples: dict[tuple[str, str], list[str]] = {}
		self.sample: list[dict[str, str]] = []

	def add(self, judged: Iterable[EligibilityResult]) -> None:
		"""Count the results of a batch."""
		for one in judged:
			self.looked_at += 1
			if one.refusal:
				self._refuse(one)
				continue
			self.resumed += one.resumes is not None
			self.enrolled += one.is_new
			if len(self.sample) < SAMPLE:
				self.sample.append(_describe(one))

	def _refuse(self, one: EligibilityResult) -> None:
		key = (one.refusal.rule, one.refusal.reason)
		self.refused[key] += 1
		examples = self.examples.setdefault(key, [])
		if len(examples) < EXAMPLES:
			examples.append(_describe(one)["title"])

	def as_dict(self) -> dict[str, Any]:
		"""Return the counts for a dialog, the most frequent reason first."""
		refused = [
			{"rule": key[0], "reason": key[1], "count": count, "examples": self.examples[key]}
			for key, count in self.refused.most_common()
		]
		return {
			"looked_at": self.looked_at,
			"enrolled": self.enrolled,
			"resumed": self.resumed,
			"refused": refused,
			"sample": self.sample,
		}


def preview_audience(
	campaign: str, recipient_type: str, filters: str | None, now: datetime
) -> dict[str, Any]:
	"""Return the counts of enrolling an audience, with `total` and `is_everybody`; nothing is written.

	Raises what makes the whole run impossible, as the run does.
	"""
	document = frappe.get_doc("Drip Campaign", campaign)
	check_campaign(document)
	audience = Audience(recipient_type, filters)
	total = audience.count()
	counts = count_pages(document, audience, now)
	return {"total": total, "is_everybody": audience.is_everybody(total), **counts.as_dict()}


def count_pages(campaign, audience, now: datetime, most: int = MOST_RECORDS) -> PreviewCounts:
	"""Return the counts of enrolling an audience (`recipient_type`, `pages`, perhaps a `target_list`), until `most` are judged."""
	target_list = getattr(audience, "target_list", None)
	eligibility = Eligibility(campaign, audience.recipient_type, now, target_list)
	counts = PreviewCounts()
	for names in audience.pages(PAGE):
		counts.add(eligibility.judge(names))
		if counts.looked_at >= most:
			break
	return counts


def _describe(one: EligibilityResult) -> dict[str, str]:
	recipient = one.recipient
	return {
		"name": one.name,
		"title": (recipient and (recipient.full_name or recipient.email)) or one.name,
		"email": recipient.email if recipient else "",
	}
