"""Play a schedule through time, without a site: `python -m drip_campaigns.core.simulate FILE.json`.

The dispatch runs at the start of the enrollment and every so many minutes from midnight, as a site's scheduler
does; runs that could not do anything are left out, so years take milliseconds. The file and the rules are
described in docs/guide/schedule.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.evaluate import (
	Branch,
	ExitCampaign,
	FlowDecision,
	WaitOver,
	begin_waiting,
	evaluate_step,
)
from drip_campaigns.core.model import (
	LIVE_STATUSES,
	EventType,
	ExitReason,
	Finish,
	Plan,
	Reach,
	Refuse,
	Send,
	Skip,
	Status,
	Step,
	StepType,
	Wait,
)
from drip_campaigns.core.schedule.due_steps import (
	advance,
	begin,
	decide,
	end_date,
	go_on,
	pass_over,
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
	"""Return what becomes of the enrollment up to and including the last moment of `scenario`.

	Of things at one moment the script comes first, then the dispatch. What cannot happen in the enrollment's status,
	such as pausing a completed one, changes nothing.
	"""
	player = Player(scenario)
	since = scenario.start
	for incident in scenario.script:
		if incident.at > scenario.until:
			break
		player.dispatch_between(since, incident.at)
		player.apply(incident)
		since = max(since, incident.at)
	if since <= scenario.until:
		player.dispatch_between(since, scenario.until)
		player.dispatch_at(scenario.until)
	player.notice_start(scenario.until)
	player.finish_leaving(scenario.until)
	return player.outcome()


class DispatchRuns:
	"""When the dispatch runs: at the start, at each tick from local midnight, and never while it is down."""

	def __init__(self, scenario: Scenario) -> None:
		self.start = scenario.start
		self.every = scenario.every
		self.zone = find_zone(scenario.plan.timezone)
		self.downs = [
			(incident.at, incident.until) for incident in scenario.script if incident.action is Action.DOWN
		]

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
		self.idle_since = scenario.start  # of one that is not running: since when
		self.last_sent_at: datetime | None = None
		self.sent: list[Sent] = []
		self.skipped: list[Skipped] = []
		self.turned: list[FlowTurn] = []
		self.held_back: list[DeferredStep] = []
		self.caps = scenario.caps
		self.mails: list[datetime] = []  # of all campaigns, to the address
		self.holds: dict[str, datetime | None] = {}  # steps that are held or were, and until when
		self.awaits = ""  # the step whose ToDo is to be closed first
		self.facts = ScriptedData(scenario.facts)
		self.doings = ActionPlayer(scenario.deeds, self.facts)

	def outcome(self) -> SimulationResult:
		"""Return what there is to tell."""
		zone = zone_of(self.plan, self.position)
		acted = tuple(sorted(self.doings.acted, key=lambda acted: acted.at))
		dealt_with = tuple(self.sent), tuple(self.skipped)
		what_else = tuple(self.turned), acted, tuple(self.held_back)
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

	def finish_leaving(self, until: datetime) -> None:
		"""Do what is due by `until` for one who has left, unless they have come back."""
		for run, one in self.doings.take_due(self.runs.next_run, until):
			if self.status in LIVE_STATUSES:
				self.skipped.append(Skipped(one.step.id, run, "has come back"))
			else:
				self.doings.do(one.step.id, one.deed, run)

	def apply(self, incident: ScriptedEvent) -> None:
		"""Let one line of the script happen."""
		self.notice_start(incident.at)
		self.finish_leaving(incident.at)
		if incident.action in HANDLERS:
			HANDLERS[incident.action](self, incident)
		elif incident.action.value in CHANGES:
			self.facts.change(incident.action.value, incident.given)
		elif incident.action is not Action.DOWN:
			self._change(EVENTS[incident.action], incident.at, incident.given.get("because"))

	def _dispatch(self, now: datetime) -> datetime | None:
		"""Do all that is due and return when there is more to do."""
		self.notice_start(now)
		self.finish_leaving(now)
		while self.status is Status.IN_PROGRESS:
			due = decide(self.plan, self.position, now)
			if self.awaits and not isinstance(due, Finish):
				return None
			turn = (
				evaluate_step(self.plan, self.position, due, self.facts, now)
				if isinstance(due, Send | Reach)
				else due
			)
			if isinstance(turn, Wait):
				if isinstance(due, Reach):
					self.position = begin_waiting(self.position, due)
				return None if turn.until == NEVER else turn.until
			if isinstance(turn, Send) and (until := self._ask_cap(turn, now)):
				self.held_back.append(DeferredStep(turn.step_id, now, until))
				self.position = replace(self.position, not_before=until)
				continue
			self._take(turn, now)
		return None

	def _take(self, turn: FlowDecision, now: datetime) -> None:
		if isinstance(turn, Send):
			self.sent.append(Sent(turn.step_id, turn.planned_at, now))
			self.facts.happen("Sent", self.plan.placed[turn.step_id].step.label, now)
			self.last_sent_at = now
			self.mails.append(now)
		elif isinstance(turn, Skip):
			self.skipped.append(Skipped(turn.step_id, now, turn.reason.value.lower()))
			self.position = pass_over(self.plan, self.position, turn, now)
			return
		elif isinstance(turn, Branch | WaitOver):
			self._go_on(turn, now)
			return
		elif isinstance(turn, ExitCampaign):
			self.turned.append(FlowTurn(turn.step_id, now, "exit"))
			self._change(EventType.EXITED, now, ExitReason.CONDITION)
			return
		elif isinstance(turn, Reach):
			self._reach(turn.step_id, now)
		else:
			self._change(EventType.COMPLETED, now)
			return
		self.position = advance(self.plan, self.position, turn.step_id, now)

	def _reach(self, step: str, now: datetime) -> None:
		kind = self.plan.placed[step].step.type
		if kind is StepType.ACTION:
			deed = self.doings.of(step)
			self.doings.do(step, deed, now)
			self.awaits = step if deed.wait_for_todo else ""
		else:
			self.turned.append(FlowTurn(step, now, "end" if kind is StepType.END else "over"))

	def _close(self, incident: ScriptedEvent) -> None:
		"""Close the ToDo of a step: what comes after it keeps its distance from now."""
		if self.awaits == incident.given["step"]:
			self.awaits = ""
			self.position = shift_late(self.plan, self.position, incident.given["step"], incident.at)

	def _ask_cap(self, turn: Send, now: datetime) -> datetime | None:
		"""Return until when the frequency cap holds an email back, or None."""
		zone = zone_of(self.plan, self.position)
		until = free_from(self.caps, self.mails, zone, turn.planned_at, now)
		return until if until > now else None

	def _hold(self, incident: ScriptedEvent) -> None:
		"""Hold a step, perhaps until a moment; or let it go on: who has waited was not late for it."""
		step = incident.given["step"]
		if incident.action is Action.PAUSE_STEP:
			self.holds[step] = incident.until
		elif step in self.holds:
			self.holds[step] = incident.at
		self.plan = self._with_holds(self.plan.steps)

	def _with_holds(self, steps: Sequence[Step]) -> Plan:
		held = (
			replace(step, is_held=True, held_until=self.holds[step.id]) if step.id in self.holds else step
			for step in steps
		)
		return replace(self.plan, steps=tuple(held))

	def _go_on(self, turn: Branch | WaitOver, now: datetime) -> None:
		if isinstance(turn, WaitOver):
			self.turned.append(FlowTurn(turn.step_id, now, "in vain" if turn.in_vain else "over"))
			at = turn.at if self.plan.keeps_dates else now
			self.position = go_on(self.plan, self.position, turn.step_id, at, turn.target)
			return
		is_skipped = turn.target is None
		if is_skipped:
			self.skipped.append(Skipped(turn.step_id, now, "condition"))
		else:
			self.turned.append(FlowTurn(turn.step_id, now, f"to {turn.target}"))
		self.position = go_on(self.plan, self.position, turn.step_id, now, turn.target, is_done=is_skipped)

	def _hear(self, incident: ScriptedEvent) -> None:
		"""Note what a recipient does with an email that was sent."""
		step = incident.given["step"]
		if step in {sent.step_id for sent in self.sent}:
			label = self.plan.placed[step].step.label if step in self.plan.placed else ""
			self.facts.happen(incident.given["event"], label, incident.at, incident.given["link"])

	def _change(self, event: EventType, now: datetime, reason: ExitReason | None = None) -> None:
		if not can_happen(self.status, event):
			return
		if event is EventType.RESUMED:
			self.position = shift(self.plan, self.position, self.idle_since, now)
			self.status = live_status(self.position.start, now)
			return
		if self.status in (Status.SCHEDULED, Status.IN_PROGRESS):
			self.idle_since = now
		self.status = next_status(self.status, event)
		if event in (EventType.EXITED, EventType.UNSUBSCRIBED):
			self.doings.leave(self.status, reason, now)

	def _enroll(self, incident: ScriptedEvent) -> None:
		now = incident.at
		decision = re_enroll(self.plan, self.position, self.status, self.idle_since, now)
		if isinstance(decision, Refuse):
			return
		self.position = decision.position
		self.status = live_status(self.position.start, now)

	def _edit(self, incident: ScriptedEvent) -> None:
		self.plan, self.doings.deeds = self._with_holds(incident.steps), incident.deeds
		if reopens(self.plan, self.position, self.status):
			self.status = next_status(self.status, EventType.REOPENED)

	def _end_date(self) -> date:
		if self.status in LIVE_STATUSES:
			return end_date(self.plan, self.position, self.last_sent_at)
		last = self.last_sent_at or self.position.start
		return to_wall(last, zone_of(self.plan, self.position)).date()


HANDLERS: dict[Action, Callable[[Player, ScriptedEvent], None]] = {
	Action.EDIT_STEPS: Player._edit,
	Action.PAUSE_STEP: Player._hold,
	Action.RESUME_STEP: Player._hold,
	Action.CLOSE: Player._close,
	Action.OTHER_MAIL: lambda player, incident: player.mails.append(incident.at),
	Action.ENROLL: Player._enroll,
	Action.EVENT: Player._hear,
}
EVENTS = {
	Action.PAUSE: EventType.PAUSED,
	Action.RESUME: EventType.RESUMED,
	Action.REMOVE: EventType.EXITED,
	Action.UNSUBSCRIBE: EventType.UNSUBSCRIBED,
}


def main(arguments: Sequence[str] | None = None) -> int:
	"""Run the command; return 0, or 2 after one line on stderr that names what is wrong with the file."""
	parser = argparse.ArgumentParser(
		prog="python -m drip_campaigns.core.simulate",
		description="Play one enrollment of a campaign through time and print what is sent and when, as JSON.",
		epilog="The format of the file is described in docs/guide/schedule.md.",
	)
	parser.add_argument("file", help="the scenario, a JSON file; - reads it from standard input")
	file = parser.parse_args(arguments).file
	try:
		print(write_outcome(play(load_scenario(file))))
	except DripError as error:
		print(f"{file}: {explain(error)}", file=sys.stderr)
		return EXIT_BAD_FILE
	return 0


if __name__ == "__main__":
	sys.exit(main())
