"""Reads from the fields of a campaign's step how it fits into the flow."""

from frappe import _
from frappe.utils import get_time

from drip_campaigns.core.errors import InvalidFlowError, InvalidScenarioError
from drip_campaigns.core.flow.flow_reader import FLOW_FIELDS, WAIT_FIELDS, read_form_values, take_flow
from drip_campaigns.core.flow.step_flow import PLAIN, Flow
from drip_campaigns.core.json_fields import Fields
from drip_campaigns.core.model import StepType
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.plans.wait_registry import WAIT_KINDS

_PLAIN_FIELDS = ("conditions", "next_step", "expires_after_hours")


def make_flow(row) -> Flow:
	"""Return how a Drip Campaign Step fits into the flow; raise InvalidFlowError naming field and step."""
	waits = row.step_type == StepType.WAIT.value
	if not waits and not any(row.get(name) for name in _PLAIN_FIELDS):
		return PLAIN
	values = {name: row.get(name) for name in (*FLOW_FIELDS, *WAIT_FIELDS)}
	if values["wait_time"]:
		values["wait_time"] = get_time(values["wait_time"]).isoformat()
	try:
		given = read_form_values(values, values)
		return take_flow(
			Fields(given, ""),
			waits=waits and bool(row.wait_for),
			test_kinds={name: kind.test for name, kind in CONDITION_KINDS.all().items()},
			wait_kinds={label: awaited for awaited in WAIT_KINDS.all() for label in awaited.kinds},
		)
	except InvalidScenarioError as error:
		field = (error.field or "").partition(".")[0]
		raise InvalidFlowError(f"{error.field} {error}", field=field, step=row.name) from error
	except ValueError as error:
		message = _("The conditions cannot be read: {0}").format(error)
		raise InvalidFlowError(message, field="conditions", step=row.name) from error
