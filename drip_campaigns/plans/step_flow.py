"""From the fields of a campaign's step to its place in the flow."""

import json
from typing import Any

from frappe import _
from frappe.utils import cint, get_time

from drip_campaigns.core.errors import InvalidFlowError, InvalidScenarioError
from drip_campaigns.core.flow.flow_reader import FLOW_FIELDS, WAIT_FIELDS, take_flow
from drip_campaigns.core.flow.step_flow import PLAIN, Flow
from drip_campaigns.core.json_fields import Fields
from drip_campaigns.core.model import StepType

_CHOICES = ("otherwise", "wait_for", "wait_since", "on_timeout")
_NUMBERS = ("expires_after_hours", "wait_days", "wait_limit_days", "wait_limit_hours")
_PLAIN_FIELDS = ("conditions", "next_step", "expires_after_hours")


def make_flow(row) -> Flow:
	"""Return the flow of a Drip Campaign Step; raise InvalidFlowError with the field and the step."""
	waits = row.step_type == StepType.WAIT.value
	if not waits and not any(row.get(name) for name in _PLAIN_FIELDS):
		return PLAIN
	try:
		given = {name: _read(row, name) for name in (*FLOW_FIELDS, *WAIT_FIELDS)}
		given = {name: value for name, value in given.items() if value not in (None, "", 0)}
		return take_flow(Fields(given, ""), waits=waits and bool(row.wait_for))
	except InvalidScenarioError as error:
		field = (error.field or "").partition(".")[0]
		raise InvalidFlowError(f"{error.field} {error}", field=field, step=row.name) from error
	except ValueError as error:
		message = _("The conditions cannot be read: {0}").format(error)
		raise InvalidFlowError(message, field="conditions", step=row.name) from error


def _read(row, name: str) -> Any:
	value = row.get(name)
	if not value:
		return None
	if name == "conditions":
		return json.loads(value) if isinstance(value, str) else value
	if name == "wait_time":
		return get_time(value).isoformat()
	if name in _NUMBERS:
		return cint(value)
	return str(value).lower() if name in _CHOICES else str(value).strip()
