"""What the Connections of a Drip Enrollment show."""

from frappe import _


def get_data() -> dict:
	"""Return the links of the form's dashboard; Communications refer to the enrollment dynamically."""
	return {
		"fieldname": "enrollment",
		"non_standard_fieldnames": {"Communication": "reference_name"},
		"dynamic_links": {"reference_name": ["Drip Enrollment", "reference_doctype"]},
		"transactions": [
			{"label": _("Emails"), "items": ["Communication", "Drip Email"]},
			{"label": _("History"), "items": ["Drip Action", "Drip Event"]},
		],
	}
