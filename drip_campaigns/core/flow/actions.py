"""The options of actions, and whose turn it is. Values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drip_campaigns.core.flow.condition_kinds.campaign import CampaignStanding
from drip_campaigns.core.model import ExitReason, Label, Status

# A failed action is retried with growing delay, for 41 hours.
MOST_RETRIES = 7
Change = Callable[..., tuple[str, Mapping[str, Any]]]


class ActionKind(Label):
	"""What a step can do besides sending an email. On a site, each is a file in `actions/kinds/`.

	Beside its label, a kind has the fields that a simulation needs, and the change that it makes to a `ScriptedData`.
	"""

	def __new__(
		cls, label: str, scripted_fields: tuple[str, ...] = (), change: Change | None = None
	) -> ActionKind:
		member = str.__new__(cls, label)
		member._value_ = label
		member.scripted_fields = scripted_fields
		member.change = change
		return member

	scripted_fields: tuple[str, ...]
	change: Change | None

	SET_FIELD = (
		"Set Field",
		("action_field", "action_value"),
		lambda field, value: ("set_field", {"field": field, "value": value}),
	)
	ADD_TAG = "Add Tag", ("action_tag",), lambda tag: ("add_tag", {"name": tag})
	REMOVE_TAG = "Remove Tag", ("action_tag",), lambda tag: ("remove_tag", {"name": tag})
	ASSIGN = "Assign ToDo"
	ADD_TO_LIST = "Add to List", ("action_list",), lambda name: ("join_list", {"name": name})
	REMOVE_FROM_LIST = "Remove from List", ("action_list",), lambda name: ("leave_list", {"name": name})
	ENROLL = (
		"Enroll in Campaign",
		("action_campaign",),
		lambda name: ("stand_on", {"campaign": name, "stands": CampaignStanding.NOW}),
	)
	REMOVE = (
		"Remove from Campaign",
		("action_campaign",),
		lambda name: ("stand_on", {"campaign": name, "stands": CampaignStanding.LEFT}),
	)
	NOTIFY = "Notify User"
	WEBHOOK = "Call Webhook", ("webhook",)
	CREATE = "Create Document", ("action_doctype",)


class RunWhen(Label):
	"""When an action runs."""

	ON_SCHEDULE = "On Schedule"
	ON_EXIT = "On Exit"


class OnExitReason(Label):
	"""The exit reasons to which an action can be limited."""

	UNSUBSCRIBED = "Unsubscribed"
	REPLY = "Reply"
	GOAL = "Goal"
	CONVERTED = "Converted"
	HARD_BOUNCE = "Hard Bounce"
	COMPLAINT = "Complaint"
	CONDITION = "Condition"
	NO_LONGER_MATCHING = "No Longer Matching"
	LEFT_LIST = "Left List"
	REMOVED = "Removed"


class AssignTo(Label):
	"""Who gets a ToDo or a notification."""

	USER = "Named User"  # not "User": as a field's default, Frappe reads that as the session's user
	OWNER = "Record's Owner"
	IN_TURN = "Round Robin"


class ActionStatus(Label):
	"""The status of one action for one enrollment."""

	WAITING = "Waiting"
	RUNNING = "Running"  # a Webhook is being called
	ASSIGNED = "Assigned"  # a ToDo that the enrollment waits for
	DONE = "Done"
	FAILED = "Failed"
	IN_DOUBT = "In Doubt"


UNSETTLED = frozenset({ActionStatus.WAITING, ActionStatus.RUNNING, ActionStatus.ASSIGNED})


def is_exit_step_due(because: str | None, status: str, exit_reason: str | None) -> bool:
	"""Return whether an exit step that is limited to the reason `because` runs for an enrollment that ended like this."""
	if not because:
		return True
	if because == OnExitReason.UNSUBSCRIBED:
		return status == Status.UNSUBSCRIBED
	return bool(exit_reason) and because == ExitReason(exit_reason).value


def choose_in_turn(users: Sequence[str], done: Mapping[str, int]) -> str:
	"""Return the user with the fewest turns; of several, the first one named."""
	return min(users, key=lambda user: (done.get(user, 0), users.index(user)))
