"""Drip Counter: how many events of one kind happened in a campaign. Written only by `stats/counters.py`."""

from frappe.model.document import Document


class DripCounter(Document):
	"""One total, which is kept when the activity is cleared."""
