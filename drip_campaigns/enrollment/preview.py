"""What enrolling would do, before it is done: how many, how many not and why, and ten of them. Reads only.

Asks the same rules as the run itself (`choice.py`).
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.enrollment.admission import check_campaign
from drip_campaigns.enrollment.eligibility import Eligibility, EligibilityResult
from drip_campaigns.people.audience import Audience

PAGE = 2000
LOOKED_AT_MOST = 200_000  # more would outlast a web request; the figures then say how many were looked at
SAMPLE = 10
EXAMPLES = 3  # named with each reason


class Figures:
	"""Adds up verdicts."""

	def __init__(self) -> None:
		self.enrolled = self.resumed = self.looked_at = 0
		self.refused: Counter[tuple[str, str]] = Counter()
		self.examples: dict[tuple[str, str], list[str]] = {}
		self.sample: list[dict[str, str]] = []

	def add(self, verdicts: Iterable[EligibilityResult]) -> None:
		"""Count the verdicts of a batch."""
		for verdict in verdicts:
			self.looked_at += 1
			if verdict.refusal:
				self._refuse(verdict)
				continue
			self.resumed += verdict.resumes is not None
			self.enrolled += verdict.is_new
			if len(self.sample) < SAMPLE:
				self.sample.append(_describe(verdict))

	def _refuse(self, verdict: EligibilityResult) -> None:
		key = (verdict.refusal.rule, verdict.refusal.reason)
		self.refused[key] += 1
		examples = self.examples.setdefault(key, [])
		if len(examples) < EXAMPLES:
			examples.append(_describe(verdict)["title"])

	def as_dict(self) -> dict[str, Any]:
		"""Return the figures for a dialog, the most frequent reason first."""
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
	"""Return the figures of enrolling an audience, with `total` and `is_everybody`; nothing is written.

	Raises what makes the whole run impossible, as the run does.
	"""
	document = frappe.get_doc("Drip Campaign", campaign)
	check_campaign(document)
	audience = Audience(recipient_type, filters)
	total = audience.count()
	choice, figures = Eligibility(document, recipient_type, now), Figures()
	for names in audience.pages(PAGE):
		figures.add(choice.judge(names)[0])
		if figures.looked_at >= LOOKED_AT_MOST:
			break
	return {"total": total, "is_everybody": audience.is_everybody(total), **figures.as_dict()}


def _describe(verdict: EligibilityResult) -> dict[str, str]:
	recipient = verdict.recipient
	return {
		"name": verdict.name,
		"title": (recipient and (recipient.full_name or recipient.email)) or verdict.name,
		"email": recipient.email if recipient else "",
	}
