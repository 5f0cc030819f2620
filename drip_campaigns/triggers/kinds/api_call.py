"""Another system calls our API. `api_triggers.py` fires it."""

from frappe import _

from drip_campaigns.triggers.kind import API_CALLS, TriggerKind


class ApiCall(TriggerKind):
	"""Enrolls the record that the call names."""

	label = "API Call"
	needed = ("event_name",)
	watches = API_CALLS
	leaves_trace = False

	def describe(self, row) -> str:
		return _("When another system calls {0}").format(row.event_name)
