"""Plans that cannot be followed are refused with the field, and the step, that is wrong."""

from datetime import time, timedelta

import pytest

from drip_campaigns.core import errors
from drip_campaigns.core.model import Step
from drip_campaigns.core.schedule.plan_checks import validate_plan
from tests.core.builders import after, day, make_plan, on_days


@pytest.mark.parametrize(
	("steps", "rules", "error", "field", "step"),
	[
		((), {}, errors.NoStepsError, "steps", None),
		((Step("a"), Step("a", 2)), {}, errors.DuplicateStepError, "id", "a"),
		((Step("a", -1),), {}, errors.InvalidDelayError, "send_after_days", "a"),
		((Step("a"), Step("b", 0, -1)), {}, errors.InvalidDelayError, "send_after_hours", "b"),
		((Step("a", 30000), after("b", 30000)), {}, errors.InvalidDelayError, "send_after_days", "b"),
		((Step("a"),), {"timezone": "Europe/Atlantis"}, errors.UnknownTimeZoneError, "timezone", None),
		((Step("a"),), {"weekdays": frozenset()}, errors.InvalidWeekdaysError, "weekdays", None),
		((Step("a"),), {"weekdays": frozenset({7})}, errors.InvalidWeekdaysError, "weekdays", None),
		((Step("a"),), {"window": (time(17), time(9))}, errors.InvalidWindowError, "window", None),
		((Step("a"),), {"window": (time(9), time(9))}, errors.InvalidWindowError, "window", None),
		((Step("a"),), {"window": (time(0), time(0))}, errors.InvalidWindowError, "window", None),
		((Step("a"),), {"grace": timedelta(hours=-1)}, errors.InvalidPeriodError, "grace", None),
		((Step("a"),), {"restart_after_days": -1}, errors.InvalidPeriodError, "restart_after_days", None),
		(
			(Step("a"),),
			{"start_date": day("2026-05-02"), "end_date": day("2026-05-01")},
			errors.InvalidDatesError,
			"end_date",
			None,
		),
	],
)
def test_a_plan_that_cannot_be_followed_is_refused(steps, rules, error, field, step):
	plan = make_plan(*steps, **rules)

	with pytest.raises(error) as caught:
		validate_plan(plan)

	assert (caught.value.field, caught.value.step) == (field, step)
	assert isinstance(caught.value, errors.InvalidPlanError)
	assert str(caught.value)


@pytest.mark.parametrize(
	"plan",
	[
		make_plan(*on_days(a=0, b=3)),
		make_plan(Step("a", enabled=False)),
		make_plan(Step("a"), window=(time(18), time(0))),
		make_plan(Step("a"), start_date=day("2026-05-01"), end_date=day("2026-05-01")),
	],
)
def test_a_plan_that_can_be_followed_is_accepted(plan):
	assert validate_plan(plan) is None
