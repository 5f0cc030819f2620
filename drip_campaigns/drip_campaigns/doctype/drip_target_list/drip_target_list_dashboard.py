"""The Connections tab of a Drip Target List."""

from frappe import _


def get_data() -> dict:
	"""Return the links of the form's dashboard."""
	return {
		"fieldname": "target_list",
		"transactions": [
			{"label": _("People"), "items": ["Drip Target List Member"]},
			{"label": _("Campaigns"), "items": ["Drip Enrollment"]},
		],
	}
