"""Expressions of conditions: what they mean is what Python means, and none can reach out or run for long."""

import ast
import time
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.sandbox.budget import TooCostlyError, budget
from drip_campaigns.core.sandbox.expression import NODES, evaluate, parse

DOC = {"name": "Ada", "score": 3, "since": date(2026, 3, 2), "note": None}
NAMES = {
	"doc": DOC,
	"recipient": {"email": "ada@x.example"},
	"today": date(2026, 3, 9),
	"now": datetime(2026, 3, 9, 9, 30),  # noqa: DTZ001 - the site's own clock, as conditions get it
	"len": len,
	"any": any,
	"all": all,
	"min": min,
	"max": max,
	"abs": abs,
	"str": str,
}
MOST_SECONDS = 2

SAME_AS_PYTHON = (
	"1 + 2 * 3 - 4 / 2 == 5",
	"doc['score'] > 2 and doc['name'] == 'Ada'",
	"doc['score'] > 5 or doc['name'].lower().startswith('a')",
	"not doc['note']",
	"doc['score'] in (1, 2, 3) and 4 not in [1, 2]",
	"1 < doc['score'] <= 3 < 9",
	"doc['note'] is None and doc['name'] is not None",
	"'yes' if doc['score'] else ''",
	"(today - doc['since']).days == 7",
	"today.weekday() == 0 and now.hour == 9",
	"any(letter == 'd' for letter in doc['name'])",
	"all(x + y > 0 for x in [1, 2] for y in (x, 3) if y)",
	"len([x for x in 'a,b,c'.split(',') if x != 'b']) == 2",
	"{'a': 1}['a'] == 1 and {1, 2} == {2, 1}",
	"max(1, 2, 3) == 3 and min([4, 5]) == 4 and abs(-2) == 2",
	"[a for a, b in [(1, 2), (3, 4)]] == [1, 3]",
	"doc.get('missing', 7) == 7",
	"-doc['score'] == -3",
	"'a' 'b' == 'ab'",
)
OUTSIDE = (
	"doc.name.__class__",
	"().__class__.__bases__[0].__subclasses__()",
	"doc._fields",
	"len.__globals__",
	"''.format(1)",
	"''.join(['a'])",
	"today.__reduce__()",
	"today.strftime('%Y')",
	"doc.items()",
	"doc.update({'a': 1})",
	"[].append(1)",
	"now.replace(year=1)",
)
COSTLY = (
	"'a' * 1000000000",
	"[0] * 1000000000",
	"'a' * 900000 * 900000",
	"any(b * 9999 for b in [a * 9999 for a in ['x' * 9999]])",
	"[x for x in 'a' * 900000]",
	"any(a == b == c for a in 'x' * 9999 for b in 'x' * 9999 for c in 'y' * 9999)",
	"len(['a' * 900000, 'b' * 900000])",
	"[[[[0] * 9999] * 9999] * 9999] == 1",
	"9999999999 * 9999999999" + " * 9999999999" * 130,
	"all([a, a] == [a, a] for a in [[0] * 4000] for b in 'x' * 9000)",
	"('x' * 900000).split('x')",
	"1 in (a for a in 'x' * 900000)",
	"max(a for a in 'x' * 900000 for b in 'x' * 900000)",
	"str('x' * 900000) * 2",
)


@pytest.mark.parametrize("text", SAME_AS_PYTHON)
def test_expression_means_what_it_means_in_python(text):
	expected = bool(eval(text, dict(NAMES)))

	assert evaluate(parse(text), NAMES) is expected


@pytest.mark.parametrize("text", OUTSIDE)
def test_expression_reaches_nothing_but_fields_and_functions(text):
	with pytest.raises((AttributeError, KeyError, TypeError)):
		evaluate(parse(text), NAMES)


@pytest.mark.parametrize("text", COSTLY)
def test_costly_expression_is_stopped_before_it_costs_much(text):
	began = time.process_time()

	with pytest.raises(TooCostlyError):
		evaluate(parse(text), NAMES)

	assert time.process_time() - began < MOST_SECONDS


def test_deep_and_long_expressions_are_refused():
	for text in ("(" * 900 + "1" + ")" * 900, "1" + "+1" * 1500, "not " * 499 + "1", "9" * 1900):
		try:
			evaluate(parse(text), NAMES)
		except (SyntaxError, TooCostlyError):
			continue
	with pytest.raises(SyntaxError):
		parse("1" * 3000)


def test_steps_of_one_text_are_not_taken_from_the_next():
	with pytest.raises(TooCostlyError):
		evaluate(parse(COSTLY[5]), NAMES)
	before = budget.left

	assert evaluate(parse(SAME_AS_PYTHON[0]), NAMES)
	assert budget.left == before


ATOMS = st.sampled_from(
	(
		*(
			"1",
			"0",
			"'a'",
			"''",
			"doc",
			"doc.name",
			"doc.score",
			"recipient.email",
			"today",
			"now",
			"None",
			"[1, 2]",
		),
		*("len", "any", "'x' * 9000", "doc.since", "{}", "doc['name']", "(a for a in 'xy')", "9999999999"),
	)
)
SHAPES = st.sampled_from(
	(
		*(
			"({0} + {1})",
			"({0} * {1})",
			"({0} - {1})",
			"({0} / {1})",
			"({0} == {1})",
			"({0} in {1})",
			"({0} < {1})",
		),
		*("[{0}, {1}]", "({0} and {1})", "({0} or {1})", "(not {0})", "(-{0})", "({0} if {1} else {0})"),
		*("{0}({1})", "{0}[{1}]", "{0}.get({1})", "{0}.split({1})", "{0}.upper()", "[{0} for b in {1}]"),
		*(
			"any({0} for b in {1} for c in {1})",
			"len({0})",
			"max({0}, {1})",
			"str({0})",
			"{{{0}: {1}}}",
			"{0}.days",
		),
	)
)
TEXTS = st.recursive(
	ATOMS,
	lambda inner: st.builds(lambda shape, a, b: shape.format(a, b), SHAPES, inner, inner),
	max_leaves=12,
)
EXPECTED = (DripError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, SyntaxError)


@given(TEXTS)
def test_any_expression_ends_soon_with_an_answer_or_an_error(text):
	began = time.process_time()

	try:
		tree = parse(text)
		assert all(isinstance(node, NODES) for node in ast.walk(tree))
		assert evaluate(tree, NAMES) in (True, False)
	except EXPECTED:
		pass

	assert time.process_time() - began < MOST_SECONDS
