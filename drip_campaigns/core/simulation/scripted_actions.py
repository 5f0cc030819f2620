"""Steps that act, in the simulation: what each does, and what that changes of what is known of its recipient."""

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

_MAY_SAY = ("action_user", "action_text")


@dataclass(frozen=True)
class ScriptedAction:
	"""What a step does: its kind, with what it is done; and, of one for those who leave, why and how long after it."""

	kind: ActionKind | None = None
	given: Mapping[str, Any] = field(default_factory=dict)
	wait_for_todo: bool = False
	because: str | None = None

	@property
	def words(self) -> str:
		"""What a line of the outcome says of it."""
		said = ", ".join(str(value) for value in self.given.values())
		kind = self.kind.value if self.kind else "Action"
		return f"{kind}: {said}" if said else kind


@dataclass(frozen=True)
class ExitStep:
	"""A step that runs when somebody leaves: no part of the schedule."""

	step: Step
	deed: ScriptedAction


@dataclass(frozen=True)
class ScriptedActions:
	"""What the steps of a plan do that act, by their ids; and the steps for those who leave."""

	by_step: Mapping[str, ScriptedAction] = field(default_factory=dict)
	for_leavers: tuple[ExitStep, ...] = ()


@dataclass(frozen=True)
class PerformedAction:
	"""A step that did something beside sending, and what."""

	step_id: str
	at: datetime
	what: str


def read_any_case(enum: type[Label]) -> Reader[Any]:
	"""Return a reader of an enum's words, as forms write them or in small letters."""
	read_word = read_choice(option_values(enum))
	return lambda value, path: read_word(value.lower() if isinstance(value, str) else value, path)


def read_action(fields: Fields) -> tuple[ScriptedAction, bool]:
	"""Take from a step's fields what it does, and whether it does so when somebody leaves."""
	kind = fields.take("action", read_any_case(ActionKind), None)
	needed = {name: fields.take(name, _reader_of(name)) for name in kind.scripted_fields} if kind else {}
	said = {name: fields.take(name, read_text) for name in _MAY_SAY if name in fields.left}
	waits = fields.take("wait_for_todo", read_boolean, False)
	run_when = fields.take("run_when", read_any_case(RunWhen), RunWhen.ON_SCHEDULE)
	because = fields.take("on_exit_reason", read_any_case(OnExitReason), None)
	is_for_leavers = run_when is RunWhen.ON_EXIT
	deed = ScriptedAction(
		kind, {**needed, **said}, waits and not is_for_leavers, because.value if because else None
	)
	return deed, is_for_leavers


def _reader_of(name: str) -> Reader[Any]:
	return read_plain if name == "action_value" else read_text


def carry_out(deed: ScriptedAction, facts: ScriptedData) -> None:
	"""Let an action change what is known of the recipient; what happens elsewhere, such as a ToDo, changes nothing here."""
	if deed.kind and deed.kind.change:
		facts.change(*deed.kind.change(*(deed.given[name] for name in deed.kind.scripted_fields)))


def plan_exit_steps(
	steps: Sequence[ExitStep], status: Status, reason: ExitReason | None, now: datetime
) -> list[tuple[datetime, ExitStep]]:
	"""Return what is done for one who has left at `now`, each with its moment: as many hours later as its row says."""
	planned, hours = [], 0
	for one in steps:
		delay = one.step.delay_hours
		hours = hours + delay if one.step.counted_from is CountedFrom.PREVIOUS_STEP else delay
		if one.step.enabled and is_exit_step_due(
			one.deed.because, status.value, reason.value if reason else None
		):
			planned.append((now + timedelta(hours=hours), one))
	return planned


class ActionPlayer:
	"""What has been done in a scenario beside sending, and what is still to be done for one who has left."""

	def __init__(self, deeds: ScriptedActions, facts: ScriptedData) -> None:
		self.deeds, self.facts = deeds, facts
		self.acted: list[PerformedAction] = []
		self._leaving: list[tuple[datetime, ExitStep]] = []

	def of(self, step: str) -> ScriptedAction:
		"""Return what a step of the schedule does."""
		return self.deeds.by_step.get(step) or ScriptedAction()

	def do(self, step: str, deed: ScriptedAction, now: datetime) -> None:
		"""Carry an action out."""
		self.acted.append(PerformedAction(step, now, deed.words))
		carry_out(deed, self.facts)

	def leave(self, status: Status, reason: ExitReason | None, now: datetime) -> None:
		"""Note down what is to be done for one who leaves at `now`."""
		self._leaving = plan_exit_steps(self.deeds.for_leavers, status, reason, now)

	def take_due(
		self, next_run: Callable[[datetime], datetime], until: datetime
	) -> list[tuple[datetime, ExitStep]]:
		"""Return what is to be done for one who has left, in the runs until `until`; it is noted down no more."""
		planned = [(next_run(at), one) for at, one in self._leaving]
		due = [(run, one) for run, one in planned if run <= until]
		self._leaving = [(run, one) for run, one in planned if run > until]
		return due
