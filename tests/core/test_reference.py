"""The incremental core does exactly what a naive walk through the calendar does."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.model import Finish, Plan, Send, Skip, Step
from drip_campaigns.core.schedule import advance, begin, decide, shift
from tests.core.reference import History, Reference, Run
from tests.core.strategies import GRID, campaigns


class Enrollment:
	"""One enrollment kept by the core as a site keeps it: nothing but its position."""

	def __init__(self, start: datetime) -> None:
		self.position = begin(start, None)
		self.history = History()

	def run(self, run: Run) -> None:
		while isinstance(decision := decide(run.plan, self.position, run.at), (Send, Skip)):
			if isinstance(decision, Send):
				self.history.sent.append((decision.step_id, decision.planned_at, run.at))
			else:
				self.history.skipped.append((decision.step_id, run.at))
			self.position = advance(run.plan, self.position, decision.step_id, run.at)
		self.history.finished = isinstance(decision, Finish)


@st.composite
def run_times(draw: st.DrawFn, start: datetime) -> list[datetime]:
	"""Draw when the dispatch runs: now and then, with gaps of minutes and of days, until long after everything."""
	gaps = draw(st.lists(st.sampled_from((1, 1, 2, 5, 24, 47, 48, 49, 150)), min_size=4, max_size=25))
	times = [start + GRID * sum(gaps[:number]) for number in range(len(gaps))]
	return times + [times[-1] + timedelta(days=number) for number in range(1, 4)]


@given(campaign=campaigns(), data=st.data())
def test_the_core_does_what_a_naive_walk_through_the_calendar_does(campaign, data):
	plan, start = campaign
	core, naive = Enrollment(start), Reference(start, plan.timezone)

	for moment in data.draw(run_times(start)):
		core.run(Run(moment, plan))
		naive.run(Run(moment, plan))

	assert core.history == naive.history


@given(campaign=campaigns(), data=st.data())
def test_the_core_does_so_while_steps_are_added_disabled_and_enabled(campaign, data):
	plan, start = campaign
	plan = replace(plan, steps=data.draw(fixed_steps("s")))
	core, naive = Enrollment(start), Reference(start, plan.timezone)

	for moment in data.draw(run_times(start)):
		plan = data.draw(edited(plan)) if data.draw(st.booleans()) else plan
		core.run(Run(moment, plan))
		naive.run(Run(moment, plan))

	assert core.history == naive.history


# Kolkata sets no clocks: pauses over clock changes have examples and properties of their own.
@given(campaign=campaigns("Asia/Kolkata"), data=st.data())
def test_the_core_does_so_through_pauses(campaign, data):
	plan, start = campaign
	core, naive = Enrollment(start), Reference(start, plan.timezone)

	held_until = start - timedelta(days=2)
	for moment in data.draw(run_times(start)):
		if moment - held_until > GRID * 3 and data.draw(st.booleans()):
			held_from, held_until = moment - GRID * data.draw(st.integers(1, 2)), moment
			core.position = shift(plan, core.position, held_from, held_until)
			naive.pause(held_from, held_until)
		core.run(Run(moment, plan))
		naive.run(Run(moment, plan))

	assert core.history == naive.history


@st.composite
def fixed_steps(draw: st.DrawFn, prefix: str) -> tuple[Step, ...]:
	"""Draw steps that count from the start, so that adding one moves no other."""
	days = draw(st.lists(st.integers(0, 6), min_size=1, max_size=4))
	return tuple(
		Step(f"{prefix}{number}", after, draw(st.sampled_from((0, 5)))) for number, after in enumerate(days)
	)


@st.composite
def edited(draw: st.DrawFn, plan: Plan) -> Plan:
	"""Draw the plan with a row added at some place, and with some rows disabled."""
	steps = list(plan.steps)
	if len(steps) < 8 and draw(st.booleans()):
		new = Step(f"new{len(steps)}", draw(st.integers(0, 6)), draw(st.sampled_from((0, 5))))
		steps.insert(draw(st.integers(0, len(steps))), new)
	return replace(plan, steps=tuple(replace(step, enabled=draw(st.integers(0, 3)) > 0) for step in steps))
