"""Play a schedule through time, without a site: `python -m drip_campaigns.core.simulate FILE.json`.

The dispatch runs at the start of the enrollment and every so many minutes from midnight, as a site's scheduler
does; runs that could not do anything are left out, so years take milliseconds. The file and the rules are
described in docs/schedule.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from drip_campaigns.core.clock import ONE_DAY, find_zone, start_of_day, to_wall
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import (
	LIVE_STATUSES,
	EventType,
	Reach,
	Refuse,
	Send,
	Skip,
	Status,
	StepType,
	Wait,
)
from drip_campaigns.core.reenrollment import re_enroll
from drip_campaigns.core.scenario import Action, Incident, Outcome, Scenario, Sent, Skipped, Turned
from drip_campaigns.core.schedule import (
	advance,
	begin,
	decide,
	end_date,
	go_on,
	pass_over,
	reopens,
	shift,
	zone_of,
)
from drip_campaigns.core.scripted_facts import CHANGES, ScriptedFacts
from drip_campaigns.core.simulate_file import explain, load_scenario, write_outcome
from drip_campaigns.core.transitions import can_happen, live_status, next_status
from drip_campaigns.core.walk import Divert, Leave, Pass, Turn, begin_waiting, weigh

EXIT_BAD_FILE = 2


def play(scenario: Scenario) -> Outcome:
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
		self.turned: list[Turned] = []
		self.facts = ScriptedFacts(scenario.facts)

	def outcome(self) -> Outcome:
		"""Return what there is to tell."""
		zone = zone_of(self.plan, self.position)
		dealt_with = tuple(self.sent), tuple(self.skipped)
		return Outcome(*dealt_with, self.status, self._end_date(), zone, tuple(self.turned))

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

	def apply(self, incident: Incident) -> None:
		"""Let one line of the script happen."""
		self.notice_start(incident.at)
		if incident.action is Action.EDIT_STEPS:
			self._edit(incident)
		elif incident.action is Action.ENROLL:
			self._enroll(incident.at)
		elif incident.action is Action.EVENT:
			self._hear(incident)
		elif incident.action.value in CHANGES:
			self.facts.change(incident.action.value, incident.given)
		elif incident.action is not Action.DOWN:
			self._change(EVENTS[incident.action], incident.at)

	def _dispatch(self, now: datetime) -> datetime | None:
		"""Do all that is due and return when there is more to do."""
		self.notice_start(now)
		while self.status is Status.IN_PROGRESS:
			due = decide(self.plan, self.position, now)
			turn = (
				weigh(self.plan, self.position, due, self.facts, now)
				if isinstance(due, Send | Reach)
				else due
			)
			if isinstance(turn, Wait):
				if isinstance(due, Reach):
					self.position = begin_waiting(self.position, due)
				return turn.until
			self._take(turn, now)
		return None

	def _take(self, turn: Turn, now: datetime) -> None:
		if isinstance(turn, Send):
			self.sent.append(Sent(turn.step_id, turn.planned_at, now))
			self.facts.happen("Sent", self.plan.placed[turn.step_id].step.label, now)
			self.last_sent_at = now
		elif isinstance(turn, Skip):
			self.skipped.append(Skipped(turn.step_id, now, turn.reason.value.lower()))
			self.position = pass_over(self.plan, self.position, turn, now)
			return
		elif isinstance(turn, Divert | Pass):
			self._go_on(turn, now)
			return
		elif isinstance(turn, Leave):
			self.turned.append(Turned(turn.step_id, now, "exit"))
			self._change(EventType.EXITED, now)
			return
		elif isinstance(turn, Reach):
			is_end = self.plan.placed[turn.step_id].step.type is StepType.END
			self.turned.append(Turned(turn.step_id, now, "end" if is_end else "carried out"))
		else:
			self._change(EventType.COMPLETED, now)
			return
		self.position = advance(self.plan, self.position, turn.step_id, now)

	def _go_on(self, turn: Divert | Pass, now: datetime) -> None:
		if isinstance(turn, Pass):
			self.turned.append(Turned(turn.step_id, now, "in vain" if turn.in_vain else "over"))
			at = turn.at if self.plan.keeps_dates else now
			self.position = go_on(self.plan, self.position, turn.step_id, at, turn.target)
			return
		is_skipped = turn.target is None
		if is_skipped:
			self.skipped.append(Skipped(turn.step_id, now, "condition"))
		else:
			self.turned.append(Turned(turn.step_id, now, f"to {turn.target}"))
		self.position = go_on(self.plan, self.position, turn.step_id, now, turn.target, is_done=is_skipped)

	def _hear(self, incident: Incident) -> None:
		"""Note what a recipient does with an e-mail that was sent."""
		step = incident.given["step"]
		if step in {sent.step_id for sent in self.sent}:
			label = self.plan.placed[step].step.label if step in self.plan.placed else ""
			self.facts.happen(incident.given["event"], label, incident.at, incident.given["link"])

	def _change(self, event: EventType, now: datetime) -> None:
		if not can_happen(self.status, event):
			return
		if event is EventType.RESUMED:
			self.position = shift(self.plan, self.position, self.idle_since, now)
			self.status = live_status(self.position.start, now)
			return
		if self.status in (Status.SCHEDULED, Status.IN_PROGRESS):
			self.idle_since = now
		self.status = next_status(self.status, event)

	def _enroll(self, now: datetime) -> None:
		decision = re_enroll(self.plan, self.position, self.status, self.idle_since, now)
		if isinstance(decision, Refuse):
			return
		self.position = decision.position
		self.status = live_status(self.position.start, now)

	def _edit(self, incident: Incident) -> None:
		self.plan = replace(self.plan, steps=incident.steps)
		if reopens(self.plan, self.position, self.status):
			self.status = next_status(self.status, EventType.REOPENED)

	def _end_date(self) -> date:
		if self.status in LIVE_STATUSES:
			return end_date(self.plan, self.position, self.last_sent_at)
		last = self.last_sent_at or self.position.start
		return to_wall(last, zone_of(self.plan, self.position)).date()


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
		epilog="The format of the file is described in docs/schedule.md.",
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
