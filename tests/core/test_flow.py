"""Steps that are no e-mails: how the schedule passes them, and where it ends."""

import pytest

from drip_campaigns.core.checks import validate_plan
from drip_campaigns.core.errors import DuplicateLabelError
from drip_campaigns.core.model import Finish, Reach, Step, StepType
from drip_campaigns.core.schedule import decide, find_next
from tests.core.builders import at, make_plan, send_due, started


def test_a_step_that_is_no_email_is_reached_in_its_turn():
	plan = make_plan(Step("a"), Step("visit", 1, type=StepType.ACTION), Step("b", 2))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-04 10:00"))

	assert done == ["a"]
	assert decide(plan, position, at("2026-05-05 10:00")) == Reach("visit", at("2026-05-05 10:00"))


def test_nothing_follows_an_end():
	plan = make_plan(Step("a"), Step("end", 1, type=StepType.END), Step("b", 2))

	position, done = send_due(plan, started("2026-05-04 10:00"), at("2026-05-09 10:00"))
	position, done_next_day = send_due(plan, position, at("2026-05-10 10:00"))

	assert done + done_next_day == ["a", "end"]
	assert decide(plan, position, at("2026-06-01 10:00")) == Finish()
	assert find_next(plan, position) is None


def test_two_steps_with_one_label_are_refused():
	plan = make_plan(Step("a", label="Hello"), Step("b", label="Hello"))

	with pytest.raises(DuplicateLabelError) as caught:
		validate_plan(plan)

	assert (caught.value.field, caught.value.step) == ("label", "b")
