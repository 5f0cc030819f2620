"""Actions in the simulation: what each does, and how it changes the data of the recipient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from drip_campaigns.core.flow.actions import ActionKind, OnExitReason, RunWhen, is_exit_step_due
from drip_campaigns.core.flow.flow_reader import option_values
from drip_campaigns.core.json_fields import Fields, Reader, read_boolean, read_choice, read_text
from drip_campaigns.core.label import Label
from drip_campaigns.core.model import CountedFrom, ExitReason, Status, Step
from drip_campaigns.core.simulation.scripted_data import ScriptedData, read_plain

# The optional fields of an action.
_OPTIONAL = ("action_user", "action_text")


@dataclass(frozen=True)
class ScriptedAction:
	"""What an action does: its kind and the values of its fields; and, of a step on exit, the reason of the exit."""

	kind: ActionKind | None = None
	given: Mapping[str, Any] = field(default_factory=dict)
	because: str | None = None

	@property
	def label(self) -> str:
		"""How the result names it."""
		said = ", ".join(str(value) for value in self.given.values())
		kind = self.kind.value if self.kind else "Action"
		return f"{kind}: {said}" if said else kind


@dataclass(frozen=True)
class ExitStep:
	"""A step that runs on exit: no part of the schedule."""

	step: Step
	action: ScriptedAction


@dataclass(frozen=True)
class ScriptedActions:
	"""The actions of a plan by the ids of their steps, and its steps on exit."""

	by_step: Mapping[str, ScriptedAction] = field(default_factory=dict)
	on_exit: tuple[ExitStep, ...] = ()


@dataclass(frozen=True)
class PerformedAction:
	"""An action that was carried out."""

	step_id: str
	at: datetime
	what: str


def read_any_case(enum: type[Label]) -> Reader[Any]:
	"""Return a reader of an enum's values in any case."""
	read_word = read_choice(option_values(enum))
	return lambda value, path: read_word(value.lower() if isinstance(value, str) else value, path)


def read_action(fields: Fields) -> tuple[ScriptedAction, bool, bool]:
	"""Read from a step's fields what it does, whether the next step waits for its ToDo, and whether it runs on exit."""
	kind = fields.take("action", read_any_case(ActionKind), None)
	needed = {name: fields.take(name, _reader_of(name)) for name in kind.scripted_fields} if kind else {}
	said = {name: fields.take(name, read_text) for name in _OPTIONAL if name in fields.left}
	waits = fields.take("wait_for_todo", read_boolean, False)
	run_when = fields.take("run_when", read_any_case(RunWhen), RunWhen.ON_SCHEDULE)
	because = fields.take("on_exit_reason", read_any_case(OnExitReason), None)
	runs_on_exit = run_when is RunWhen.ON_EXIT
	action = ScriptedAction(kind, {**needed, **said}, because.value if because else None)
	return action, waits and not runs_on_exit, runs_on_exit


def _reader_of(name: str) -> Reader[Any]:
	return read_plain if name == "action_value" else read_text


def change_data(action: ScriptedAction, data: ScriptedData) -> None:
	"""Change the recipient's data as the action does; what it does elsewhere, such as a ToDo, changes nothing here."""
	if action.kind and action.kind.change:
		data.change(*action.kind.change(*(action.given[name] for name in action.kind.scripted_fields)))


def plan_exit_steps(
	steps: Sequence[ExitStep], status: Status, reason: ExitReason | None, now: datetime
) -> list[tuple[datetime, ExitStep]]:
	"""Return the steps that run after an exit at `now`, each with its moment: `now` and the delay of its row."""
	planned, hours = [], 0
	for one in steps:
		delay = one.step.delay_hours
		hours = hours + delay if one.step.counted_from is CountedFrom.PREVIOUS_STEP else delay
		if one.step.enabled and is_exit_step_due(
			one.action.because, status.value, reason.value if reason else None
		):
			planned.append((now + timedelta(hours=hours), one))
	return planned


class ActionPlayer:
	"""The actions that a scenario has run, and the steps on exit that are still to run."""

	def __init__(self, planned: ScriptedActions, data: ScriptedData) -> None:
		self.planned, self.data = planned, data
		self.acted: list[PerformedAction] = []
		self._on_exit: list[tuple[datetime, ExitStep]] = []

	def of(self, step: str) -> ScriptedAction:
		"""Return the action of a step of the schedule."""
		return self.planned.by_step.get(step) or ScriptedAction()

	def run(self, step: str, action: ScriptedAction, now: datetime) -> None:
		"""Carry out an action."""
		self.acted.append(PerformedAction(step, now, action.label))
		change_data(action, self.data)

	def plan_exit_steps(self, status: Status, reason: ExitReason | None, now: datetime) -> None:
		"""Plan the steps that run after an exit at `now`."""
		self._on_exit = plan_exit_steps(self.planned.on_exit, status, reason, now)

	def take_due(
		self, next_run: Callable[[datetime], datetime], until: datetime
	) -> list[tuple[datetime, ExitStep]]:
		"""Return the steps on exit that are due in the runs until `until`, and remove them from those to run."""
		planned = [(next_run(at), one) for at, one in self._on_exit]
		due = [(run, one) for run, one in planned if run <= until]
		self._on_exit = [(run, one) for run, one in planned if run > until]
		return due
