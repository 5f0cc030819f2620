"""Variants: who gets which, and when one may be called better."""

import random
from collections import Counter

import pytest

from drip_campaigns.core.flow.variants import NoWinnerFallback, VariantCount, choose_variant, compare_variants

FIRST, HIGHEST = NoWinnerFallback.VARIANT_A, NoWinnerFallback.HIGHEST_RATE


def test_each_gets_always_the_same_variant_and_all_together_what_the_weights_say():
	weights = [("A", 1), ("B", 2), ("C", 1)]
	names = [f"enrollment-{number}" for number in range(20_000)]

	got = Counter(choose_variant(weights, name, "step") for name in names)

	assert [choose_variant(weights, name, "step") for name in names[:50]] == [
		choose_variant(weights, name, "step") for name in names[:50]
	]
	for variant, share in (("A", 0.25), ("B", 0.5), ("C", 0.25)):
		assert got[variant] / len(names) == pytest.approx(share, abs=0.012), got


def test_variants_of_two_steps_are_chosen_independently():
	both = Counter(
		(
			choose_variant([("A", 1), ("B", 1)], f"e{number}", "one"),
			choose_variant([("A", 1), ("B", 1)], f"e{number}", "two"),
		)
		for number in range(8000)
	)

	assert all(count / 8000 == pytest.approx(0.25, abs=0.02) for count in both.values()), both


@pytest.mark.parametrize(
	("trials", "otherwise", "winner", "is_significant"),
	[
		([VariantCount("A", 500, 50), VariantCount("B", 500, 90)], FIRST, "B", True),
		([VariantCount("A", 500, 50), VariantCount("B", 500, 55)], FIRST, "A", False),
		([VariantCount("A", 500, 50), VariantCount("B", 500, 55)], HIGHEST, "B", False),
		([VariantCount("A", 8, 1), VariantCount("B", 8, 4)], FIRST, "A", False),  # twice as many, of nobody
		([VariantCount("A", 0, 0), VariantCount("B", 50, 40)], FIRST, "A", False),
		([VariantCount("A", 100, 0), VariantCount("B", 100, 0)], HIGHEST, "A", False),
		# Better than one of three is not better than the next best
		(
			[VariantCount("A", 400, 20), VariantCount("B", 400, 80), VariantCount("C", 400, 78)],
			FIRST,
			"A",
			False,
		),
		(
			[VariantCount("A", 400, 20), VariantCount("B", 400, 80), VariantCount("C", 400, 40)],
			FIRST,
			"B",
			True,
		),
	],
)
def test_winner_is_called_so_only_where_the_difference_is_significant(
	trials, otherwise, winner, is_significant
):
	verdict = compare_variants(trials, otherwise)

	assert (verdict.variant, verdict.is_significant) == (winner, is_significant), verdict


def test_p_value_is_that_of_the_textbooks():
	# Two proportions, 45/200 and 65/200: z = 2.239, p = 0.0251
	assert compare_variants(
		[VariantCount("A", 200, 45), VariantCount("B", 200, 65)], FIRST
	).p_value == pytest.approx(0.0251, abs=0.0002)
	# Fisher's tea: 3 of 4 and 1 of 4, two-sided 0.4857
	assert compare_variants(
		[VariantCount("A", 4, 1), VariantCount("B", 4, 3)], FIRST
	).p_value == pytest.approx(0.4857, abs=0.0001)


def test_of_tests_without_a_difference_hardly_one_in_twenty_finds_one():
	rng = random.Random(7)

	def trial(name: str) -> VariantCount:
		return VariantCount(name, 300, sum(rng.random() < 0.2 for _ in range(300)))

	found = sum(compare_variants([trial(name) for name in "ABCD"], FIRST).is_significant for _ in range(120))

	assert found / 120 < 0.06, found


def test_interval_holds_the_rate_and_narrows_with_numbers():
	few, many = VariantCount("A", 10, 2).interval, VariantCount("A", 1000, 200).interval

	assert few[0] < many[0] < 0.2 < many[1] < few[1]
	assert VariantCount("A", 0, 0).interval == (0.0, 1.0)
