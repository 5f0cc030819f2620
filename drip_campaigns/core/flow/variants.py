"""Variants of a step: which enrollment gets which, and whether one is significantly better. Values in, values out.

The test is honest: every pair of variants is compared (Fisher's exact test where numbers are small, else the two-proportion
test), the p-values are corrected for the number of pairs by Holm's method, and the test runs once, not repeatedly until it is significant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from drip_campaigns.core.model import Label

SIGNIFICANT = 0.05
SMALL_CELL = 5  # expected numbers below it are too small for the normal approximation


class Criterion(Label):
	"""How the winner is chosen; only people count, not bots."""

	OPENS = "Opens"
	CLICKS = "Clicks"
	REPLIES = "Replies"
	GOALS = "Goals"


class NoWinnerFallback(Label):
	"""The variant for the remaining recipients when the difference is not significant."""

	VARIANT_A = "Variant A"
	HIGHEST_RATE = "Highest Rate"


@dataclass(frozen=True)
class VariantCount:
	"""How often a variant was sent, and how often it had the result that the winner is chosen by."""

	variant: str
	sent: int
	hits: int

	@property
	def rate(self) -> float:
		"""The share of its recipients with the result."""
		return self.hits / self.sent if self.sent else 0.0

	@property
	def interval(self) -> tuple[float, float]:
		"""The bounds of the true rate with 95% confidence (Wilson)."""
		if not self.sent:
			return 0.0, 1.0
		# Loading scipy takes a second, and only a comparison needs it.
		from scipy.stats import binomtest

		interval = binomtest(self.hits, self.sent).proportion_ci(method="wilson")
		return float(interval.low), float(interval.high)


@dataclass(frozen=True)
class VariantResult:
	"""The variant for the remaining recipients, whether it is significantly better than the second, and the corrected p-value."""

	variant: str
	is_significant: bool
	p_value: float


def choose_variant(weights: Sequence[tuple[str, int]], enrollment: str, step: str) -> str:
	"""Return the variant of a step for an enrollment: always the same one, and in the long run as often as its weight."""
	digest = hashlib.blake2b(f"{enrollment}\0{step}".encode(), digest_size=16).digest()
	ticket = int.from_bytes(digest, "big") % sum(weight for _variant, weight in weights)
	for variant, weight in weights:
		ticket -= weight
		if ticket < 0:
			return variant
	raise ValueError("weights are positive")


def compare_variants(trials: Sequence[VariantCount], otherwise: NoWinnerFallback) -> VariantResult:
	"""Return which variant wins; without a significant difference the first or the greatest, as `otherwise` says."""
	ranked = sorted(trials, key=lambda trial: -trial.rate)  # of equal ones the first stays first
	best, next_best = ranked[0], ranked[1]
	p_value = _correct(trials)[frozenset((best.variant, next_best.variant))]
	if p_value < SIGNIFICANT and best.rate > next_best.rate:
		return VariantResult(best.variant, True, p_value)
	kept = trials[0] if otherwise is NoWinnerFallback.VARIANT_A else best
	return VariantResult(kept.variant, False, p_value)


def _correct(trials: Sequence[VariantCount]) -> dict[frozenset[str], float]:
	"""Return Holm's p-value for each pair of variants."""
	pairs = sorted(
		((_compare(one, other), (one, other)) for one, other in combinations(trials, 2)),
		key=lambda pair: pair[0],
	)
	corrected, largest = {}, 0.0
	for rank, (p_value, (one, other)) in enumerate(pairs):
		largest = max(largest, min(p_value * (len(pairs) - rank), 1.0))
		corrected[frozenset((one.variant, other.variant))] = largest
	return corrected


def _compare(one: VariantCount, other: VariantCount) -> float:
	"""Return the two-sided p-value of the hypothesis that two variants are equally good."""
	# Loading scipy takes a second, and only a decision needs it.
	from scipy.stats import chi2_contingency, fisher_exact

	table = [[one.hits, one.sent - one.hits], [other.hits, other.sent - other.hits]]
	rows = [sum(row) for row in table]
	columns = [sum(column) for column in zip(*table, strict=True)]
	if 0 in rows or 0 in columns:
		return 1.0  # nothing was sent, or all results are equal: there is no evidence
	expected = min(row * column / sum(rows) for row in rows for column in columns)
	if expected < SMALL_CELL:
		return float(fisher_exact(table)[1])
	return float(chi2_contingency(table, correction=False)[1])  # of two by two: the two-proportion z-test
