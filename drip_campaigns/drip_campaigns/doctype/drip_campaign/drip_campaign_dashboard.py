"""The Connections tab of a Drip Campaign."""

from frappe import _


def get_data() -> dict:
	"""Return the links of the form's dashboard."""
	return {
		"fieldname": "campaign",
		"transactions": [
			{"label": _("Recipients"), "items": ["Drip Enrollment"]},
			{"label": _("Emails"), "items": ["Drip Email"]},
			{"label": _("History"), "items": ["Drip Action", "Drip Event", "Drip Trigger Firing"]},
		],
	}
