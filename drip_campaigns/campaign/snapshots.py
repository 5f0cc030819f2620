"""A Drip Campaign document as a snapshot of values, and a snapshot put back into a document."""

from typing import Any

from frappe.model import no_value_fields, table_fields
from frappe.utils import cint, cstr, flt, get_datetime, get_time, getdate

from drip_campaigns.core.campaign_changes import Row, Snapshot

TIMES = {"Date": getdate, "Datetime": get_datetime, "Time": get_time}


def take_snapshot(campaign) -> Snapshot:
	"""Return the values of a Drip Campaign document, saved or not, in the form in which they are compared.

	Read-only fields are computed by each save, or set by an operation such as Pause Step: no edit changes them.
	"""
	tables = {
		field.fieldname: {row.name: _read(row) for row in campaign.get(field.fieldname)}
		for field in campaign.meta.get_table_fields()
	}
	return Snapshot(_read(campaign), tables)


def put_snapshot(campaign, snapshot: Snapshot) -> None:
	"""Set what differs on a stored Drip Campaign document; new rows keep the names that they have in the snapshot."""
	_write(campaign, snapshot.fields)
	for table, rows in snapshot.tables.items():
		stored = {row.name: row for row in campaign.get(table)}
		campaign.set(table, [])
		for number, (name, values) in enumerate(rows.items(), 1):
			row = stored.get(name) or campaign.append(table, {"name": name, "__islocal": 1})
			if name in stored:
				campaign.get(table).append(row)
			_write(row, values)
			row.idx = number


def restore_stored(campaign) -> None:
	"""Set a Drip Campaign document that is being saved back to what is stored, so that the save changes nothing."""
	stored = campaign.get_doc_before_save()
	for field in campaign.meta.fields:
		if field.fieldtype in table_fields or field.fieldtype not in no_value_fields:
			campaign.set(field.fieldname, stored.get(field.fieldname))
	campaign.modified, campaign.modified_by = stored.modified, stored.modified_by


def _read(document) -> Row:
	return {
		field.fieldname: read_value(field, document.get(field.fieldname))
		for field in document.meta.fields
		if field.fieldtype not in no_value_fields and not field.read_only
	}


def _write(document, values: Row) -> None:
	"""Set the values that differ; the others keep their type."""
	before = _read(document)
	changed = {name: value for name, value in values.items() if before.get(name) != value}
	document.update({name: None if value == "" else value for name, value in changed.items()})


def read_value(field, value: Any) -> Any:
	"""Return a value of a field as JSON keeps it: a number, or a text that is empty for None."""
	if field.fieldtype in ("Check", "Int"):
		return cint(value)
	if field.fieldtype in ("Float", "Percent", "Currency"):
		return flt(value)
	if value and field.fieldtype in TIMES:
		return str(TIMES[field.fieldtype](value))
	return cstr(value)
