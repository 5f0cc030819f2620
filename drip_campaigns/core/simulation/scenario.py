"""What the simulation is given and what it gives back, as values. Reading and writing them is in `simulate_file.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from drip_campaigns.core.model import Plan, Status, Step
from drip_campaigns.core.schedule.frequency_caps import Cap
from drip_campaigns.core.simulation.scripted_actions import PerformedAction, ScriptedActions


class Action(str, Enum):
	"""What can happen in a script."""

	DOWN = "down"
	PAUSE = "pause"
	RESUME = "resume"
	REMOVE = "remove"
	ENROLL = "enroll"
	UNSUBSCRIBE = "unsubscribe"
	EDIT_STEPS = "edit_steps"
	EVENT = "event"
	SET_FIELD = "set_field"
	ADD_TAG = "add_tag"
	REMOVE_TAG = "remove_tag"
	JOIN_LIST = "join_list"
	LEAVE_LIST = "leave_list"
	JOIN_GROUP = "join_group"
	LEAVE_GROUP = "leave_group"
	STAND_ON = "stand_on"
	PAUSE_STEP = "pause_step"
	RESUME_STEP = "resume_step"
	CLOSE = "close"
	OTHER_MAIL = "other_mail"


@dataclass(frozen=True)
class ScriptedEvent:
	"""Something that happens at a moment, in the order of the script if several do."""

	at: datetime
	action: Action
	until: datetime | None = (
		None  # of a scheduler that is down, or a step that is held: the moment it goes on
	)
	steps: tuple[Step, ...] = ()  # what an edit leaves
	deeds: ScriptedActions = ScriptedActions()  # what of these acts
	given: Mapping[str, Any] = field(
		default_factory=dict
	)  # of an event, or of what changes in the recipient's record


@dataclass(frozen=True)
class Scenario:
	"""One enrollment on one plan, what happens to it, and for how long to watch."""

	plan: Plan
	start: datetime
	timezone: str | None
	script: tuple[ScriptedEvent, ...]  # by time
	until: datetime
	every: timedelta
	facts: Mapping[str, Any] = field(default_factory=dict)  # of the recipient, at the beginning
	deeds: ScriptedActions = ScriptedActions()
	caps: tuple[Cap, ...] = ()  # of how often the address may be written to, over all campaigns


@dataclass(frozen=True)
class Sent:
	"""A step that went out."""

	step_id: str
	planned_at: datetime
	at: datetime


@dataclass(frozen=True)
class Skipped:
	"""A step that was passed over by a decision."""

	step_id: str
	at: datetime
	reason: str


@dataclass(frozen=True)
class FlowTurn:
	"""A step that was carried out without an email, or that sent the enrollment another way."""

	step_id: str
	at: datetime
	what: str


@dataclass(frozen=True)
class DeferredStep:
	"""An email that the frequency cap moved, and until when."""

	step_id: str
	at: datetime
	until: datetime


@dataclass(frozen=True)
class SimulationResult:
	"""What became of the enrollment. `zone` is the one it lived by."""

	sent: tuple[Sent, ...]
	skipped: tuple[Skipped, ...]
	status: Status
	end_date: date
	zone: ZoneInfo
	turned: tuple[FlowTurn, ...] = ()
	acted: tuple[PerformedAction, ...] = ()
	held_back: tuple[DeferredStep, ...] = ()
