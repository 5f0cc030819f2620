"""Write fields of one record without its controller: `Document.db_set` and `frappe.db.set_value`, with values as a save would store them.

Nothing here commits. The options are those of Frappe's functions.
"""

from collections.abc import Mapping
from typing import Any

import frappe

from drip_campaigns.db.field_values import clean_values


def write_fields(document, values: Mapping[str, Any], **options: Any) -> None:
	"""Write fields of a document, in memory too; its `on_change` runs."""
	document.db_set(clean_values(document.doctype, values), **options)


def write_values(
	doctype: str, record: str | Mapping[str, Any], values: Mapping[str, Any], **options: Any
) -> None:
	"""Write the same values to the record with this name, or to all records that these filters match."""
	frappe.db.set_value(doctype, record, clean_values(doctype, values), **options)


def write_settings(doctype: str, values: Mapping[str, Any], **options: Any) -> None:
	"""Write fields of a DocType that has one record."""
	for field, value in clean_values(doctype, values).items():
		frappe.db.set_single_value(doctype, field, value, **options)
