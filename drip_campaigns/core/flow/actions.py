"""The options of actions, and whose turn it is. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from drip_campaigns.core.model import ExitReason, Label, Status

# A failed action is retried with growing delay, for 41 hours.
MOST_RETRIES = 7


class ActionKind(Label):
	"""What a step can do besides sending an email. On a site, each is a file in `actions/kinds/`."""

	SET_FIELD = "Set Field"
	ADD_TAG = "Add Tag"
	REMOVE_TAG = "Remove Tag"
	ASSIGN = "Assign ToDo"
	ADD_TO_LIST = "Add to List"
	REMOVE_FROM_LIST = "Remove from List"
	ENROLL = "Enroll in Campaign"
	REMOVE = "Remove from Campaign"
	NOTIFY = "Notify User"
	WEBHOOK = "Call Webhook"
	CREATE = "Create Document"


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
	TRYING = "Trying"  # a Webhook is being called
	ASSIGNED = "Assigned"  # a ToDo that the enrollment waits for
	DONE = "Done"
	FAILED = "Failed"
	IN_DOUBT = "In Doubt"


UNSETTLED = frozenset({ActionStatus.WAITING, ActionStatus.TRYING, ActionStatus.ASSIGNED})


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
