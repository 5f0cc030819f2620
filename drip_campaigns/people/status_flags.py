"""Which values of a record forbid email on this site: by the type of a status where it has one, else by its name.

Users rename statuses, and Frappe CRM's are records with a type. For others, the rows of Recipient Types in Drip Settings name
the statuses that forbid email. Reads only.
"""

from collections.abc import Iterator
from dataclasses import replace

import frappe

from drip_campaigns.people.recipient_types import COMMON_FLAGS, FORBIDDING_STATUS, RecipientType, StopFlag


def find_stop_flags(recipient_type: RecipientType) -> list[StopFlag]:
	"""Return the flags of a type; those about closed records come last, because a campaign can be for these too."""
	meta = frappe.get_meta(recipient_type.doctype)
	own = [_read_types(flag, meta) for flag in recipient_type.stop_flags]
	flags = [*own, *_named_in_settings(recipient_type.doctype), *COMMON_FLAGS]
	return sorted(flags, key=lambda flag: flag.is_closed)


def read_lines(text: str | None) -> tuple[str, ...]:
	"""Return the statuses that a setting names, one in each line."""
	return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


def _read_types(flag: StopFlag, meta) -> StopFlag:
	field = meta.get_field(flag.fieldname) if flag.types else None
	if field is None or field.fieldtype != "Link" or not frappe.get_meta(field.options).has_field("type"):
		return flag
	names = frappe.get_all(field.options, filters={"type": ["in", flag.types]}, pluck="name")
	return replace(flag, values=tuple(names))


def _named_in_settings(doctype: str) -> Iterator[StopFlag]:
	for row in frappe.get_cached_doc("Drip Settings").get("recipient_types") or []:
		if row.document_type == doctype:
			field = row.status_field or "status"
			yield StopFlag(field, read_lines(row.opt_out_statuses), FORBIDDING_STATUS)
			closed = read_lines(row.closed_statuses)
			yield StopFlag(field, closed, FORBIDDING_STATUS, is_personal=False, is_closed=True)
