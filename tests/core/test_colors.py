"""Colors: their contrast, and what is one."""

import pytest

from drip_campaigns.core.colors import contrast, is_color


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
