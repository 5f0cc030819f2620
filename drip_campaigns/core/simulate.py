"""Play a campaign through time without a site: `python -m drip_campaigns.core.simulate FILE.json`.

Each turn is decided by the engine of the dispatch (`flow/turn.py`); this carries it out in memory. The dispatch runs at
the start of the enrollment and at regular minutes from midnight, as a site's scheduler does. Runs with nothing to do
are left out, so years take milliseconds. docs/guide/schedule.md describes the file and the rules.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.evaluate import Branch, ExitCampaign, WaitOver
from drip_campaigns.core.flow.turn import PassedStep, Schedule, Turn
from drip_campaigns.core.model import (
	LIVE_STATUSES,
	EventType,
	ExitReason,
	Finish,
	Plan,
	Refuse,
	Send,
	Skip,
	Status,
	Step,
	StepType,
	Wait,
)
from drip_campaigns.core.schedule.due_steps import (
	begin,
	end_date,
	reopens,
	shift,
	shift_late,
	zone_of,
)
from drip_campaigns.core.schedule.frequency_caps import free_from
from drip_campaigns.core.schedule.reenrollment import re_enroll
from drip_campaigns.core.schedule.wall_clock import NEVER, ONE_DAY, find_zone, start_of_day, to_wall
from drip_campaigns.core.simulation.scenario import (
	Action,
	DeferredStep,
	FlowTurn,
	Scenario,
	ScriptedEvent,
	Sent,
	SimulationResult,
	Skipped,
)
from drip_campaigns.core.simulation.scenario_file import explain, load_scenario, write_outcome
from drip_campaigns.core.simulation.scripted_actions import ActionPlayer
from drip_campaigns.core.simulation.scripted_data import CHANGES, ScriptedData
from drip_campaigns.core.transitions import can_happen, live_status, next_status

EXIT_BAD_FILE = 2


def play(scenario: Scenario) -> SimulationResult:
	"""Return what happens to the enrollment up to and including the last moment of `scenario`.

	At one moment the script comes first, then the dispatch. An event that cannot happen in the enrollment's status,
	such as pausing a completed one, changes nothing.
	"""
	player = Player(scenario)
	since = scenario.start
	for event in scenario.script:
		if event.at > scenario.until:
			break
		player.dispatch_between(since, event.at)
		player.apply(event)
		since = max(since, event.at)
	if since <= scenario.until:
		player.dispatch_between(since, scenario.until)
		player.dispatch_at(scenario.until)
	player.notice_start(scenario.until)
	player.run_exit_steps(scenario.until)
	return player.outcome()


class DispatchRuns:
	"""When the dispatch runs: at the start, at each tick from local midnight, and never while it is down."""

	def __init__(self, scenario: Scenario) -> None:
		self.start = scenario.start
		self.every = scenario.every
		self.zone = find_zone(scenario.plan.timezone)
		self.downs = [(event.at, event.until) for event in scenario.script if event.action is Action.DOWN]

	def next_run(self, at: datetime) -> datetime:
		"""Return the first run that is not before `at`."""
		while True:
			run = self.start if at <= self.start else self._next_tick(at)
			at = max((until for since, until in self.downs if since <= run < until), default=run)
			if at == run:
				return run

	def _next_tick(self, at: datetime) -> datetime:
		day = to_wall(at, self.zone).date()
		midnight = start_of_day(day, self.zone)
		ticks = -((midnight - at) // self.every)  # rounded up
		return min(midnight + ticks * self.every, start_of_day(day + ONE_DAY, self.zone))


class Player:
	"""The enrollment of a scenario as it changes: the state that a site keeps in its database."""

	def __init__(self, scenario: Scenario) -> None:
		self.plan = scenario.plan
		self.position = begin(scenario.start, scenario.timezone)
		self.status = Status.SCHEDULED
		self.runs = DispatchRuns(scenario)
		self.idle_since = scenario.start  # since when it is paused or over
		self.last_sent_at: datetime | None = None
		self.sent: list[Sent] = []
		self.skipped: list[Skipped] = []
		self.turned: list[FlowTurn] = []
		self.deferred: list[DeferredStep] = []
		self.caps = scenario.caps
		self.emails: list[datetime] = []  # from all campaigns to the address
		self.paused_steps: dict[str, datetime | None] = {}  # steps that are or were paused, and until when
		self.awaited_todo = ""  # the step whose ToDo must be closed first
		self.data = ScriptedData(scenario.data)
		self.actions = ActionPlayer(scenario.actions, self.data)

	def outcome(self) -> SimulationResult:
		"""Return the result so far."""
		zone = zone_of(self.plan, self.position)
		acted = tuple(sorted(self.actions.acted, key=lambda acted: acted.at))
		dealt_with = tuple(self.sent), tuple(self.skipped)
		what_else = tuple(self.turned), acted, tuple(self.deferred)
		return SimulationResult(*dealt_with, self.status, self._end_date(), zone, *what_else)

	def dispatch_between(self, since: datetime, before: datetime) -> None:
		"""Carry out the runs from `since` on and before `before` in which something is due."""
		wake: datetime | None = since
		while wake is not None and (run := self.runs.next_run(wake)) < before:
			wake = self._dispatch(run)

	def dispatch_at(self, moment: datetime) -> None:
		"""Carry out the run at `moment` if there is one."""
		if self.runs.next_run(moment) == moment:
			self._dispatch(moment)

	def notice_start(self, now: datetime) -> None:
		"""Turn Scheduled into In Progress once the start has come."""
		if self.status is Status.SCHEDULED:
			self.status = live_status(self.position.start, now)

	def run_exit_steps(self, until: datetime) -> None:
		"""Run the steps on exit that are due by `until`; skip them if the recipient was enrolled again."""
		for run, one in self.actions.take_due(self.runs.next_run, until):
			if self.status in LIVE_STATUSES:
				self.skipped.append(Skipped(one.step.id, run, "has come back"))
			else:
				self.actions.run(one.step.id, one.action, run)

	def apply(self, event: ScriptedEvent) -> None:
		"""Apply one line of the script."""
		self.notice_start(event.at)
		self.run_exit_steps(event.at)
		if event.action in HANDLERS:
			HANDLERS[event.action](self, event)
		elif event.action.value in CHANGES:
			self.data.change(event.action.value, event.given)
		elif event.action is not Action.DOWN:
			self._change(EVENTS[event.action], event.at, event.given.get("because"))

	def _dispatch(self, now: datetime) -> datetime | None:
		"""Do all that is due and return when there is more to do."""
		self.notice_start(now)
		self.run_exit_steps(now)
		while self.status is Status.IN_PROGRESS:
			turn = Turn(
				Schedule(self.plan), self.position, self.data, now, awaits_todo=bool(self.awaited_todo)
			)
			for decision in turn.pass_steps():
				self._note_passed(decision, now)
			self._defer(turn)
			self.position = turn.position
			if isinstance(turn.decision, Wait):
				return None if self.awaited_todo or turn.decision.until == NEVER else turn.decision.until
			self._do_last_step(turn.decision, now)
		return None

	def _note_passed(self, decision: PassedStep, now: datetime) -> None:
		step = self.plan.placed[decision.step_id].step
		if isinstance(decision, Skip):
			self.skipped.append(Skipped(step.id, now, decision.reason.value.lower()))
		elif isinstance(decision, WaitOver):
			self.turned.append(FlowTurn(step.id, now, "in vain" if decision.timed_out else "over"))
		elif isinstance(decision, Branch) and decision.target is None:
			self.skipped.append(Skipped(step.id, now, "condition"))
		elif isinstance(decision, Branch):
			self.turned.append(FlowTurn(step.id, now, f"to {decision.target}"))
		elif step.type is StepType.ACTION:
			self.actions.run(step.id, self.actions.of(step.id), now)
			self.awaited_todo = step.id if step.waits_for_todo else ""
		else:
			self.turned.append(FlowTurn(step.id, now, "end" if step.type is StepType.END else "over"))

	def _do_last_step(self, decision: Send | Finish | ExitCampaign, now: datetime) -> None:
		if isinstance(decision, Finish):
			self._change(EventType.COMPLETED, now)
		elif isinstance(decision, ExitCampaign):
			self.turned.append(FlowTurn(decision.step_id, now, "exit"))
			self._change(EventType.EXITED, now, ExitReason.CONDITION)
		else:
			self.sent.append(Sent(decision.step_id, decision.planned_at, now))
			self.data.add_event("Sent", self.plan.placed[decision.step_id].step.label, now)
			self.last_sent_at = now
			self.emails.append(now)
			self.position = Schedule(self.plan).pass_step(self.position, decision, now)

	def _defer(self, turn: Turn) -> None:
		"""Move the email that is due if the frequency cap has no room for it now."""
		if not isinstance(turn.decision, Send):
			return
		zone, decision = zone_of(self.plan, turn.position), turn.decision
		until = free_from(self.caps, self.emails, zone, decision.planned_at, turn.now)
		if until > turn.now:
			self.deferred.append(DeferredStep(decision.step_id, turn.now, until))
			turn.defer(until)

	def _close(self, event: ScriptedEvent) -> None:
		"""Close the ToDo of a step: the steps after it are counted from now."""
		if self.awaited_todo == event.given["step"]:
			self.awaited_todo = ""
			self.position = shift_late(self.plan, self.position, event.given["step"], event.at)

	def _pause_step(self, event: ScriptedEvent) -> None:
		"""Pause or resume a step. Waiting for a paused step does not count as late."""
		step = event.given["step"]
		if event.action is Action.PAUSE_STEP:
			self.paused_steps[step] = event.until
		elif step in self.paused_steps:
			self.paused_steps[step] = event.at
		self.plan = self._with_pauses(self.plan.steps)

	def _with_pauses(self, steps: Sequence[Step]) -> Plan:
		paused = (
			replace(step, is_held=True, held_until=self.paused_steps[step.id])
			if step.id in self.paused_steps
			else step
			for step in steps
		)
		return replace(self.plan, steps=tuple(paused))

	def _add_event(self, event: ScriptedEvent) -> None:
		"""Record the recipient's response to an email that was sent."""
		step = event.given["step"]
		if step in {sent.step_id for sent in self.sent}:
			label = self.plan.placed[step].step.label if step in self.plan.placed else ""
			self.data.add_event(event.given["event"], label, event.at, event.given["link"])

	def _change(self, happened: EventType, now: datetime, reason: ExitReason | None = None) -> None:
		if not can_happen(self.status, happened):
			return
		if happened is EventType.RESUMED:
			self.position = shift(self.plan, self.position, self.idle_since, now)
			self.status = live_status(self.position.start, now)
			return
		if self.status in (Status.SCHEDULED, Status.IN_PROGRESS):
			self.idle_since = now
		self.status = next_status(self.status, happened)
		if happened in (EventType.EXITED, EventType.UNSUBSCRIBED):
			self.actions.plan_exit_steps(self.status, reason, now)

	def _enroll(self, event: ScriptedEvent) -> None:
		now = event.at
		decision = re_enroll(self.plan, self.position, self.status, self.idle_since, now)
		if isinstance(decision, Refuse):
			return
		self.position = decision.position
		self.status = live_status(self.position.start, now)

	def _edit(self, event: ScriptedEvent) -> None:
		self.plan, self.actions.planned = self._with_pauses(event.steps), event.actions
		if reopens(self.plan, self.position, self.status):
			self.status = next_status(self.status, EventType.REOPENED)

	def _end_date(self) -> date:
		if self.status in LIVE_STATUSES:
			return end_date(self.plan, self.position, self.last_sent_at)
		last = self.last_sent_at or self.position.start
		return to_wall(last, zone_of(self.plan, self.position)).date()


HANDLERS: dict[Action, Callable[[Player, ScriptedEvent], None]] = {
	Action.EDIT_STEPS: Player._edit,
	Action.PAUSE_STEP: Player._pause_step,
	Action.RESUME_STEP: Player._pause_step,
	Action.CLOSE: Player._close,
	Action.OTHER_MAIL: lambda player, event: player.emails.append(event.at),
	Action.ENROLL: Player._enroll,
	Action.EVENT: Player._add_event,
}
EVENTS = {
	Action.PAUSE: EventType.PAUSED,
	Action.RESUME: EventType.RESUMED,
	Action.REMOVE: EventType.EXITED,
	Action.UNSUBSCRIBE: EventType.UNSUBSCRIBED,
}


def main(arguments: Sequence[str] | None = None) -> int:
	"""Run the command; return 0, or 2 after one line on stderr that names the fault in the file."""
	parser = argparse.ArgumentParser(
		prog="python -m drip_campaigns.core.simulate",
		description="Play one enrollment of a campaign through time and print what is sent and when, as JSON.",
		epilog="The format of the file is described in docs/guide/schedule.md.",
	)
	parser.add_argument("file", help="the scenario, or an exported campaign, as JSON; - reads standard input")
	parser.add_argument("--start", help="of an exported campaign: when the enrollment starts")
	parser.add_argument("--until", help="of an exported campaign: the last moment to look at")
	given = parser.parse_args(arguments)
	file = given.file
	try:
		print(write_outcome(play(load_scenario(file, given.start, given.until))))
	except DripError as error:
		print(f"{file}: {explain(error)}", file=sys.stderr)
		return EXIT_BAD_FILE
	return 0


if __name__ == "__main__":
	sys.exit(main())
