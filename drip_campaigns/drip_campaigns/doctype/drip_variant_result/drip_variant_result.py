"""Drip Variant Result: the winning variant of a step. Its name is that of the step's row, so there is only one result."""

from frappe.model.document import Document


class DripVariantResult(Document):
	"""Written by the dispatch, or when a user chooses a variant."""
