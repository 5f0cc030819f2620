"""The input and the result of a simulation, as values. `scenario_file.py` reads and writes them."""

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
	until: datetime | None = None  # when a scheduler that is down, or a paused step, resumes
	steps: tuple[Step, ...] = ()  # the schedule after an edit
	actions: ScriptedActions = ScriptedActions()  # what its actions do
	given: Mapping[str, Any] = field(
		default_factory=dict
	)  # of an event, or of a change of the recipient's record


@dataclass(frozen=True)
class Scenario:
	"""One enrollment in one campaign, what happens to it, and the last moment to look at."""

	plan: Plan
	start: datetime
	timezone: str | None
	script: tuple[ScriptedEvent, ...]  # by time
	until: datetime
	every: timedelta
	data: Mapping[str, Any] = field(default_factory=dict)  # of the recipient, at the start
	actions: ScriptedActions = ScriptedActions()
	caps: tuple[Cap, ...] = ()  # of all campaigns together


@dataclass(frozen=True)
class Sent:
	"""A step that was sent."""

	step_id: str
	planned_at: datetime
	at: datetime


@dataclass(frozen=True)
class Skipped:
	"""A step that was skipped."""

	step_id: str
	at: datetime
	reason: str


@dataclass(frozen=True)
class FlowTurn:
	"""A wait or an end that was passed, or a branch that was followed."""

	step_id: str
	at: datetime
	what: str


@dataclass(frozen=True)
class DeferredStep:
	"""An email that the frequency cap deferred."""

	step_id: str
	at: datetime
	until: datetime


@dataclass(frozen=True)
class SimulationResult:
	"""What happened to the enrollment. `zone` is the time zone of its schedule."""

	sent: tuple[Sent, ...]
	skipped: tuple[Skipped, ...]
	status: Status
	end_date: date
	zone: ZoneInfo
	turned: tuple[FlowTurn, ...] = ()
	acted: tuple[PerformedAction, ...] = ()
	deferred: tuple[DeferredStep, ...] = ()
