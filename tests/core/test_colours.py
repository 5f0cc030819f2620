"""The color of a site on its recipients' pages: readable, whichever it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.colors import READABLE, contrast, is_color, make_accent

LIGHT, DARK = ("#ffffff", "#f4f5f7"), ("#1f252c", "#14181d")
colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(colors, st.sampled_from([LIGHT, DARK]))
def test_every_colour_can_be_read_as_a_link_and_under_the_text_of_a_button(color, grounds):
	accent = make_accent(color, grounds)

	assert min(contrast(accent.plain, ground) for ground in grounds) >= READABLE
	assert contrast(accent.text, accent.plain) >= READABLE


def test_colour_that_can_be_read_is_kept_as_it_is():
	assert make_accent("#1a6fc9", ("#ffffff",)).plain == "#1a6fc9"


def test_contrast_is_what_the_standard_says():
	assert contrast("#000", "#ffffff") == pytest.approx(21)
	assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(
	("text", "is_one"),
	[
		("#1a6fc9", True),
		(" #ABC ", True),
		("red", False),
		("#12", False),
		("#12345g", False),
		("#fff;}", False),
	],
)
def test_what_a_colour_is(text, is_one):
	assert is_color(text) is is_one
