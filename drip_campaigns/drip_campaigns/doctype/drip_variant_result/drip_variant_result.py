"""Drip Variant Result: which variant of a step won. Its name is that of the step's row, so it is decided once."""

from frappe.model.document import Document


class DripVariantResult(Document):
	"""Written by the dispatch, or when a user chooses."""
