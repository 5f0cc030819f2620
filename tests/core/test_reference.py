"""The incremental core does exactly what a naive walk through the calendar does."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.model import Finish, Plan, Send, Skip, Step
from drip_campaigns.core.schedule.due_steps import advance, begin, decide, shift
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


# Steps that count from the start, so that adding one moves no other.
fixed_steps = st.builds(Step, st.just("new"), st.integers(0, 6), st.sampled_from((0, 5)))


@dataclass(frozen=True)
class Edit:
	"""What a user does to a schedule: a row added at some place or none, and the rows that are disabled."""

	new: Step | None
	row: int
	disabled: int  # one bit a row

	def carry_out(self, plan: Plan) -> Plan:
		steps = list(plan.steps)
		if self.new:
			steps.insert(self.row % (len(steps) + 1), replace(self.new, id=f"new{len(steps)}"))
		return replace(
			plan,
			steps=tuple(
				replace(step, enabled=not self.disabled >> row & 1) for row, step in enumerate(steps)
			),
		)


edits = st.builds(
	Edit, st.none() | fixed_steps, st.integers(0, 7), st.sampled_from((0, 0, 1, 2, 4, 8, 5, 18))
)


def run_times(start: datetime) -> st.SearchStrategy[list[datetime]]:
	"""Draw when the dispatch runs: now and then, with gaps of minutes and of days, until long after everything."""
	gaps = st.lists(st.sampled_from((1, 1, 2, 5, 24, 47, 48, 49, 150)), min_size=4, max_size=12)
	return gaps.map(lambda drawn: [start + GRID * since for since in accumulate((0, *drawn, 48, 48, 48))])


@given(campaign=campaigns(), data=st.data())
def test_the_core_does_what_a_naive_walk_through_the_calendar_does(campaign, data):
	plan, start = campaign
	core, naive = Enrollment(start), Reference(start, plan.timezone)

	for moment in data.draw(run_times(start)):
		core.run(Run(moment, plan))
		naive.run(Run(moment, plan))

	assert core.history == naive.history


@given(
	campaign=campaigns(),
	steps=st.lists(fixed_steps, min_size=1, max_size=4),
	edits=st.lists(edits),
	data=st.data(),
)
def test_the_core_does_so_while_steps_are_added_disabled_and_enabled(campaign, steps, edits, data):
	plan, start = campaign
	plan = replace(plan, steps=tuple(replace(step, id=f"s{row}") for row, step in enumerate(steps)))
	core, naive = Enrollment(start), Reference(start, plan.timezone)

	for moment in data.draw(run_times(start)):
		plan = edits.pop().carry_out(plan) if edits else plan
		core.run(Run(moment, plan))
		naive.run(Run(moment, plan))

	assert core.history == naive.history


# Kolkata sets no clocks: pauses over clock changes have examples and properties of their own.
@given(campaign=campaigns("Asia/Kolkata"), pauses=st.lists(st.integers(0, 2)), data=st.data())
def test_the_core_does_so_through_pauses(campaign, pauses, data):
	plan, start = campaign
	core, naive = Enrollment(start), Reference(start, plan.timezone)

	held_until = start - timedelta(days=2)
	for moment in data.draw(run_times(start)):
		length = pauses.pop() if pauses else 0
		if length and moment - held_until > GRID * 3:
			held_from, held_until = moment - GRID * length, moment
			core.position = shift(plan, core.position, held_from, held_until)
			naive.pause(held_from, held_until)
		core.run(Run(moment, plan))
		naive.run(Run(moment, plan))

	assert core.history == naive.history
