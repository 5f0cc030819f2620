"""The conditions of a step: tests of which all, or any, must be met before the step runs. Values in, values out.

Each kind of test is a file in `condition_kinds/`. What a test asks about comes from `ConditionData`: the dispatch loads
it for a whole batch, the simulation reads it from its script. Nothing here reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from drip_campaigns.core.flow.condition_kinds.campaign import CampaignTest
from drip_campaigns.core.flow.condition_kinds.email_group import GroupTest
from drip_campaigns.core.flow.condition_kinds.event import EventTest
from drip_campaigns.core.flow.condition_kinds.expression import ExpressionTest
from drip_campaigns.core.flow.condition_kinds.field import FieldTest
from drip_campaigns.core.flow.condition_kinds.tag import TagTest
from drip_campaigns.core.flow.condition_kinds.target_list import ListTest
from drip_campaigns.core.flow.condition_test import ConditionData, Test
from drip_campaigns.core.json_fields import Fields, fail, read_choice, read_list

MOST_TESTS = 20
BUILT_IN_TESTS: Mapping[str, type[Test]] = {
	test.kind: test
	for test in (FieldTest, EventTest, TagTest, ListTest, GroupTest, CampaignTest, ExpressionTest)
}


@dataclass(frozen=True)
class Conditions:
	"""The tests of a step, all or any of which must be met."""

	tests: tuple[Test, ...]
	needs_all: bool = True

	def find_unmet(self, data: ConditionData, now: datetime) -> Test | None:
		"""Return the test that keeps the step from running, or None if the step may run."""
		unmet = None
		for test in self.tests:
			if test.is_met(data, now):
				if not self.needs_all:
					return None
			elif self.needs_all:
				return test
			else:
				unmet = unmet or test
		return unmet


def read_conditions(
	value: Any, path: str, kinds: Mapping[str, type[Test]] = BUILT_IN_TESTS
) -> Conditions | None:
	"""Return the conditions that a JSON value describes, or None without tests; raise an error with the path.

	`kinds` are the tests by their kind: another app can add some to a site's.
	"""
	fields = Fields(value, path)
	needs_all = fields.take("match", read_choice({"all": True, "any": False}), True)
	tests = fields.take("tests", read_list(partial(_read_test, kinds)), ())
	fields.refuse_others()
	if len(tests) > MOST_TESTS:
		fail(fields.path_of("tests"), f"must not be more than {MOST_TESTS}")
	return Conditions(tests, needs_all) if tests else None


def _read_test(kinds: Mapping[str, type[Test]], value: Any, path: str) -> Test:
	fields = Fields(value, path)
	test = fields.take("kind", read_choice(kinds)).read(fields)
	fields.refuse_others()
	return test
