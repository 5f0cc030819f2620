"""What strangers type: names and reasons, as they are kept."""

import html

from hypothesis import example, given
from hypothesis import strategies as st

from drip_campaigns.core.plain_text import FORMULA_STARTS, clean_name, has_link, neutral_cell, one_line
from tests.fuzz.hostile import TEXTS, texts


def all_examples(function):
	"""Try every hostile text, besides those that chance makes."""
	for text in TEXTS:
		function = example(text)(function)
	return function


@all_examples
@given(texts)
def test_name_has_no_markup_no_control_character_and_no_formula(text):
	name = clean_name(text, 140)

	assert not set(name) & {"<", ">", "\n", "\r", "\0", "\t"}
	assert not set(html.unescape(name)) & {"<", ">"}
	assert not name.startswith(FORMULA_STARTS)
	assert len(name) <= 140
	assert clean_name(name, 140) == name


@all_examples
@given(texts)
def test_reason_is_one_line_and_no_formula(text):
	reason = one_line(text, 500)

	assert len(reason.splitlines()) <= 1
	assert not reason.startswith(FORMULA_STARTS)
	assert len(reason) <= 500


@all_examples
@given(texts)
def test_cell_of_a_spreadsheet_computes_nothing(text):
	cell = neutral_cell(text)

	assert cell.removeprefix("'") == text.removeprefix("'") or cell == f"'{text}"
	assert not cell.startswith(("=", "@", "\t", "\r"))


@given(st.from_regex(r"[a-z]{2,9}\.(com|example|org)", fullmatch=True), texts)
def test_domain_is_a_link_wherever_it_stands(domain, text):
	assert has_link(f"{text} {domain}")
