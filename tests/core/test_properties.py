"""What holds for every plan, every start and every moment at which the dispatch happens to run."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.core.model import IfLate, Plan, Position, Send, Skip
from drip_campaigns.core.schedule.due_steps import (
	advance,
	begin,
	decide,
	end_date,
	next_send_at,
	planned_schedule,
	shift,
)
from drip_campaigns.core.schedule.send_window import is_allowed
from drip_campaigns.core.schedule.wall_clock import find_change, from_wall, to_wall
from tests.core.strategies import ZONES, campaigns

Sends = list[tuple[str, datetime]]
minutes = st.integers(0, 60 * 24 * 9).map(lambda number: timedelta(minutes=number))


@st.composite
def lives(draw: st.DrawFn, **rules: object) -> tuple[Plan, Position, list[datetime]]:
	"""Draw a plan, with these rules, a start, and the moments of the runs, to the minute, not on any grid."""
	plan, start = draw(campaigns())
	plan = replace(plan, **rules)
	recipients_zone = draw(st.sampled_from((None, None, *ZONES)))
	start += timedelta(minutes=draw(st.integers(0, 29)))
	runs = sorted(start + after for after in draw(st.lists(minutes, min_size=1, max_size=10)))
	return plan, begin(start, recipients_zone), runs


def run_all(plan: Plan, position: Position, runs: list[datetime]) -> tuple[Position, Sends, Sends]:
	sent, skipped = [], []
	for now in runs:
		while isinstance(decision := decide(plan, position, now), (Send, Skip)):
			(sent if isinstance(decision, Send) else skipped).append((decision.step_id, now))
			position = advance(plan, position, decision.step_id, now)
	return position, sent, skipped


def zone_of(plan: Plan, position: Position) -> ZoneInfo:
	return ZoneInfo(position.timezone or plan.timezone)


@given(lives())
def test_no_step_is_dealt_with_twice_or_out_of_order_or_although_it_is_disabled(life):
	plan, position, runs = life

	_, sent, skipped = run_all(plan, position, sorted(runs * 2))

	dealt_with = [step for step, _ in sent + skipped]
	places = [plan.placed[step].place for step, _ in sent]
	assert len(dealt_with) == len(set(dealt_with))
	assert set(dealt_with) <= {step.id for step in plan.steps if step.enabled}
	assert places == sorted(places)


@given(lives(if_late=IfLate.KEEP_INTERVALS))
def test_distances_on_the_wall_are_kept_or_longer(life):
	plan, position, runs = life
	zone = zone_of(plan, position)

	_, sent, _ = run_all(plan, position, runs)

	for (earlier, sent_at), (later, at) in zip(sent, sent[1:], strict=False):
		distance = timedelta(hours=plan.placed[later].hours - plan.placed[earlier].hours)
		assert at >= sent_at
		assert at >= from_wall(to_wall(sent_at, zone) + distance, zone)


@given(lives())
def test_every_send_lies_in_a_permitted_slot_and_not_before_its_time(life):
	plan, position, runs = life
	zone = zone_of(plan, position)

	_, sent, _ = run_all(plan, position, runs)

	for step, at in sent:
		wall = to_wall(at, zone)
		nominal = from_wall(to_wall(position.start, zone) + timedelta(hours=plan.placed[step].hours), zone)
		assert is_allowed(plan, wall)
		assert plan.end_date is None or wall.date() <= plan.end_date
		assert at >= nominal


@given(lives(if_late=IfLate.KEEP_INTERVALS, end_date=None))
def test_no_step_is_lost(life):
	plan, position, runs = life
	to_come = [step for step, _ in planned_schedule(plan, position)]

	position, sent, skipped = run_all(plan, position, runs)

	assert [step for step, _ in sent] + [step for step, _ in planned_schedule(plan, position)] == to_come
	assert skipped == []


@given(lives())
def test_the_end_date_is_the_last_planned_day_and_then_that_of_the_last_step(life):
	plan, position, runs = life
	zone = zone_of(plan, position)
	position, sent, _ = run_all(plan, position, runs)
	last_sent_at = sent[-1][1] if sent else None

	last_day = end_date(plan, position, last_sent_at)

	schedule = planned_schedule(plan, position)
	last = schedule[-1][1] if schedule else last_sent_at or position.start
	assert last_day == last.astimezone(zone).date()
	assert plan.end_date is None or not schedule or last_day <= plan.end_date


@given(lives())
def test_running_exactly_at_the_planned_moments_sends_as_planned(life):
	plan, position, _ = life
	schedule = planned_schedule(plan, position)

	_, sent, skipped = run_all(plan, position, [at for _, at in schedule])

	assert sent == schedule
	assert skipped == []


@given(lives())
def test_waking_when_told_to_misses_nothing(life):
	plan, position, runs = life
	minute_by_minute = run_all(plan, position, runs)

	sent, skipped, now = [], [], runs[0]
	woken = position
	for now in runs:
		following = next_send_at(plan, woken)
		if following is None or following[1] > now:
			continue
		woken, more_sent, more_skipped = run_all(plan, woken, [now])
		sent, skipped = sent + more_sent, skipped + more_skipped

	assert (woken, sent, skipped) == minute_by_minute


@given(lives(), minutes, minutes)
def test_a_pause_keeps_what_is_left_of_the_delay(life, running, holding):
	plan, position, runs = life
	position, _, _ = run_all(plan, position, runs[:3])
	held_from = max(runs[0], position.anchor_at) + running
	held_until = held_from + holding
	zone, before = zone_of(plan, position), nominal_of(plan, position)
	if before is None:
		return

	after = nominal_of(plan, shift(plan, position, held_from, held_until))

	if before <= held_from:
		assert after <= held_until
	else:
		left = to_wall(before, zone) - to_wall(held_from, zone)
		assert after >= from_wall(to_wall(held_until, zone) + left, zone) - clock_change(
			zone, before, held_from
		)
		assert after >= before_its_gap(before, zone)


def nominal_of(plan: Plan, position: Position) -> datetime | None:
	"""Return when the next step falls due where everything is allowed."""
	following = next_send_at(Plan(plan.steps, plan.timezone, plan.if_late), position)
	return following[1] if following else None


def before_its_gap(moment: datetime, zone: ZoneInfo) -> datetime:
	"""Return the change of the clock that the moment's wall time was read across, if it does not exist, else the moment.

	A wall time in a gap is read with the offset before it, so it lies after wall times that come later and do exist.
	"""
	day_before = moment - timedelta(hours=25)
	gap = moment.astimezone(zone).utcoffset() - day_before.astimezone(zone).utcoffset()
	if gap <= timedelta(0):
		return moment
	change = find_change(zone, day_before, moment)
	return change if moment - change < gap else moment


def clock_change(zone: ZoneInfo, *moments: datetime) -> timedelta:
	"""Return by how much the clock may have been set between and around these moments."""
	offsets = [
		(moment + timedelta(days=days)).astimezone(zone).utcoffset()
		for moment in moments
		for days in (-1, 0, 1)
	]
	return max(offsets) - min(offsets)
