"""What differs between Frappe 15 and 16, each difference named and made up for in one place."""

import inspect

from frappe.model.document import Document
from frappe.utils import get_time


def clear_default_times(document: Document) -> None:
	"""Empty those Time fields of a new record that nobody has filled.

	Frappe 15 writes the present time into every empty Time field (model/create_new.py, set_dynamic_default_values),
	with microseconds, which no form sends and no person types. Frappe 16 does so only where the default says "now".
	"""
	for field in document.meta.get("fields", {"fieldtype": "Time"}):
		value = document.get(field.fieldname)
		if value and get_time(value).microsecond:
			document.set(field.fieldname, None)


def read_file(file: Document) -> bytes:
	"""Return the bytes of a File. Frappe 16 guesses encodings that a spreadsheet does not write, unless it is told none."""
	takes_encodings = "encodings" in inspect.signature(file.get_content).parameters
	content = file.get_content(encodings=()) if takes_encodings else file.get_content()
	return content.encode() if isinstance(content, str) else content
