"""What holds for every flow that saves, whoever meets which condition, and whenever the dispatch happens to run."""

from dataclasses import replace
from datetime import datetime, time, timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from drip_campaigns.core.errors import InvalidFlowError
from drip_campaigns.core.flow.condition_kinds.event import EmailFeedback, EventTest, PastEvent
from drip_campaigns.core.flow.condition_kinds.tag import TagTest
from drip_campaigns.core.flow.conditions import Conditions
from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, WaitOver, begin_waiting, evaluate_step
from drip_campaigns.core.flow.forecast import find_arrivals, find_offsets
from drip_campaigns.core.flow.step_flow import Flow, Otherwise
from drip_campaigns.core.flow.turn import Schedule, Turn
from drip_campaigns.core.flow.wait_kind import OnTimeout
from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.core.flow.wait_kinds.date_field import DateWait
from drip_campaigns.core.flow.wait_kinds.event import EventWait
from drip_campaigns.core.model import (
	ALL_WEEKDAYS,
	Finish,
	Plan,
	Position,
	Reach,
	Send,
	Skip,
	Step,
	StepType,
	Wait,
)
from drip_campaigns.core.schedule.due_steps import (
	advance,
	begin,
	decide,
	end_date,
	find_next,
	go_on,
	pass_over,
	planned_schedule,
)
from drip_campaigns.core.schedule.plan_checks import validate_plan
from drip_campaigns.core.simulation.scripted_data import ScriptedData
from tests.core.strategies import campaigns

FEWER = settings(max_examples=settings().max_examples // 5)  # lives with a flow are long
TURNS = 2000  # more than a loop of hours can take in the days that a life lasts
LABELS = tuple("abcdef")
CONDITIONS = (None, None, Conditions((TagTest("hot"),)), Conditions((EventTest(EmailFeedback.OPENED, "a"),)))
WAITS = (
	EventWait(EventTest(EmailFeedback.OPENED, "a"), limit_hours=30),
	EventWait(EventTest(EmailFeedback.CLICKED), counts_from_start=False),
	ClockWait(time(9)),
	DateWait("renewal", -1, limit_hours=48),
)
minutes = st.integers(0, 60 * 24 * 9).map(lambda number: timedelta(minutes=number))


@st.composite
def flows(draw: st.DrawFn, step: Step, labels: tuple[str, ...]) -> Step:
	"""Draw how a step stands in the flow."""
	somewhere = st.sampled_from(labels)
	step_type = draw(
		st.sampled_from((StepType.SEND, StepType.SEND, StepType.WAIT, StepType.ACTION, StepType.END))
	)
	awaited = None
	if step_type is StepType.WAIT:
		on_timeout = draw(st.sampled_from(OnTimeout))
		awaited = replace(
			draw(st.sampled_from(WAITS)), on_timeout=on_timeout, on_timeout_step=draw(somewhere)
		)
	return replace(
		step,
		type=step_type,
		flow=Flow(
			conditions=draw(st.sampled_from(CONDITIONS)),
			otherwise=draw(st.sampled_from(Otherwise)),
			otherwise_step=draw(somewhere),
			next_step=draw(st.sampled_from(("", "", "", *labels))),
			awaited=awaited,
			expires_after_hours=draw(st.sampled_from((0, 0, 6))),
		),
	)


@st.composite
def lives(draw: st.DrawFn) -> tuple[Plan, Position, list[datetime], ScriptedData]:
	"""Draw a flow that saves, a start, the runs, and what becomes known of the recipient."""
	plan, start = draw(campaigns())
	steps = tuple(replace(step, label=label) for step, label in zip(plan.steps, LABELS, strict=False))
	labels = tuple(step.label for step in steps)
	plan = replace(plan, steps=tuple(draw(flows(step, labels)) for step in steps))
	try:
		validate_plan(plan)
	except InvalidFlowError:
		assume(False)
	facts = ScriptedData({"tags": draw(st.sampled_from(((), ("hot",)))), "fields": {"renewal": start.date()}})
	for event in draw(st.lists(st.tuples(st.sampled_from(("Opened", "Clicked")), minutes), max_size=3)):
		facts._happenings.append(PastEvent(event[0], "a", start + event[1]))
	runs = sorted(start + after for after in draw(st.lists(minutes, min_size=1, max_size=8)))
	return plan, begin(start, None), runs, facts


def run_all(plan: Plan, position: Position, runs: list[datetime], facts: ScriptedData):
	"""Carry out the runs; return the position, what was carried out, and how each run ended."""
	done, ends = [], []
	for now in runs:
		for _turn in range(TURNS):
			due = decide(plan, position, now)
			turn = evaluate_step(plan, position, due, facts, now) if isinstance(due, Send | Reach) else due
			if isinstance(turn, Wait | Finish | ExitCampaign):
				break
			position, carried_out = take(plan, position, turn, now)
			done += carried_out
		ends.append((now, turn))
		if isinstance(turn, Finish | ExitCampaign):
			break
		if isinstance(due, Reach):
			position = begin_waiting(position, due)
	return position, done, ends


def take(plan: Plan, position: Position, turn, now: datetime) -> tuple[Position, list[str]]:
	if isinstance(turn, Branch):
		is_done = turn.target is None
		return go_on(plan, position, turn.step_id, now, turn.target, is_done=is_done), []
	if isinstance(turn, WaitOver):
		at = turn.at if plan.keeps_dates else now
		return go_on(plan, position, turn.step_id, at, turn.target), []
	if isinstance(turn, Skip):
		return pass_over(plan, position, turn, now), []
	carried_out = [] if not plan.placed[turn.step_id].step.acts else [turn.step_id]
	return advance(plan, position, turn.step_id, now), carried_out


@FEWER
@given(lives())
def test_every_run_ends_or_waits_for_a_later_moment(life):
	plan, position, runs, facts = life

	_, _, ends = run_all(plan, position, runs, facts)

	for now, turn in ends:
		assert isinstance(turn, Finish | ExitCampaign) or (isinstance(turn, Wait) and turn.until > now)


@FEWER
@given(lives())
def test_nothing_is_carried_out_twice_or_although_it_is_disabled(life):
	plan, position, runs, facts = life

	_, done, _ = run_all(plan, position, sorted(runs * 2), facts)

	assert len(done) == len(set(done))
	assert set(done) <= {step.id for step in plan.steps if step.enabled}


@FEWER
@given(lives())
def test_waits_are_forgotten_by_the_store_and_nothing_changes(life):
	"""What the database does not keep of a position, which steps without an email were passed, is not needed."""
	plan, position, runs, facts = life
	acting = {step.id for step in plan.steps if step.acts}

	kept, done, _ = run_all(plan, position, runs, facts)
	reloaded, again = position, []
	for now in runs:
		if find_next(plan, reloaded) is None and reloaded is not position:
			break
		reloaded, more, ends = run_all(plan, reloaded, [now], facts)
		reloaded, again = replace(reloaded, done=reloaded.done & acting), again + more
		if isinstance(ends[-1][1], Finish | ExitCampaign):
			break

	assert (again, reloaded) == (done, kept)


@FEWER
@given(lives())
def test_what_is_planned_ends_although_there_are_loops(life):
	plan, position, _, _ = life

	schedule = planned_schedule(plan, position)

	moments = [moment for _step, moment in schedule]
	assert len(schedule) <= len(plan.steps)
	assert moments == sorted(moments) or plan.keeps_dates
	assert end_date(plan, position, None)


@FEWER
@given(lives())
def test_whatever_happens_was_forecast_and_comes_no_earlier(life):
	plan, position, runs, facts = life
	arrivals = find_arrivals(plan, position, position.start)

	for now in runs:
		turn = Turn(Schedule(plan), position, facts, now)
		reached = [decision for decision in turn.pass_steps() if not isinstance(decision, Skip)]
		if isinstance(turn.decision, Send | ExitCampaign):
			reached.append(turn.decision)
		position = turn.position
		for decision in reached:
			assert arrivals[decision.step_id].earliest <= now
		if isinstance(turn.decision, Send):
			position = turn.schedule.pass_step(position, turn.decision, now)
		elif isinstance(turn.decision, Finish | ExitCampaign):
			break


@given(lives())
def test_each_step_comes_within_the_days_that_are_drawn_for_it(life):
	"""What the form draws, before weekdays, window and holidays move it, contains the day on which the step comes."""
	drawn, start, _runs, facts = life
	days = {"weekdays": ALL_WEEKDAYS, "holidays": frozenset(), "window": None, "quiet": None}
	steps = tuple(replace(step, held_until=None) for step in drawn.steps)
	plan = replace(drawn, steps=steps, timezone="UTC", start_date=None, end_date=None, **days)
	offsets, position, now = find_offsets(plan), begin(start.start, None), start.start

	for _run in range(TURNS):
		turn = Turn(Schedule(plan), position, facts, now)
		reached = [decision for decision in turn.pass_steps() if isinstance(decision, Reach)]
		if isinstance(turn.decision, Send):
			reached.append(turn.decision)
		for decision in reached:
			hours = (now - start.start) / timedelta(hours=1)
			offset = offsets[decision.step_id]
			assert offset.earliest <= hours
			assert offset.latest is None or hours <= offset.latest
		position = turn.position
		if isinstance(turn.decision, Send):
			position = turn.schedule.pass_step(position, turn.decision, now)
		elif isinstance(turn.decision, Wait):
			now = turn.decision.until
		else:
			break
