"""The differences between Frappe 15 and 16 that this app handles."""

import inspect

from frappe.model.db_query import DatabaseQuery
from frappe.model.document import Document
from frappe.utils import get_time


def clear_default_times(document: Document) -> None:
	"""Clear the Time fields of a new record that the user did not fill.

	Frappe 15 writes the current time into every empty Time field (model/create_new.py, set_dynamic_default_values),
	with microseconds, which no form sends and no person types. Frappe 16 does so only if the default says "now".
	"""
	for field in document.meta.get("fields", {"fieldtype": "Time"}):
		value = document.get(field.fieldname)
		if value and get_time(value).microsecond:
			document.set(field.fieldname, None)


def read_file(file: Document) -> bytes:
	"""Return the bytes of a File. Frappe 16 would guess an encoding that is wrong for a spreadsheet."""
	takes_encodings = "encodings" in inspect.signature(file.get_content).parameters
	content = file.get_content(encodings=()) if takes_encodings else file.get_content()
	return content.encode() if isinstance(content, str) else content


def build_match_conditions(doctype: str, user: str) -> str:
	"""Return the SQL condition of a user's roles, User Permissions, and hooks for the list of a DocType; "" if there is none.

	Frappe 16 lists with its query builder, but keeps the class that builds the text, as Frappe 15 does.
	"""
	return DatabaseQuery(doctype, user=user).build_match_conditions()
