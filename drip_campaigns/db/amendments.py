"""Follow the amendments of a document: a canceled document and the one that replaces it (`amended_from`) are one event.

Reads only. A DocType that cannot be submitted has no amendments.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import frappe
from frappe.utils import cstr

from drip_campaigns.db.dialect import select_in

CANCELED = 2
MOST_AMENDMENTS = 100  # of one document; also ends a chain that leads back to itself


def has_amendments(doctype: str) -> bool:
	"""Return whether documents of a DocType can be submitted, canceled, and amended."""
	meta = frappe.get_meta(doctype)
	return bool(meta.is_submittable and "amended_from" in meta.get_valid_columns())


def not_canceled(doctype: str) -> list[list[Any]]:
	"""Return the list filter that leaves canceled documents out; none if the DocType cannot be submitted."""
	return [[doctype, "docstatus", "!=", CANCELED]] if frappe.get_meta(doctype).is_submittable else []


def find_first(doctype: str, amended_from: Mapping[str, str]) -> dict[str, str]:
	"""Return the first document of the chain of each amended document: one query for each generation.

	`amended_from` has the document that each of them replaces.
	"""
	firsts = dict(amended_from)
	for _generation in range(MOST_AMENDMENTS):
		rows = select_in(doctype, ["name", "amended_from"], "name", sorted(set(firsts.values())))
		earlier = {cstr(row.name): row.amended_from for row in rows if row.amended_from}
		if not earlier:
			break
		firsts = {name: earlier.get(first, first) for name, first in firsts.items()}
	return firsts


def find_current(doctype: str, names: Iterable[str]) -> dict[str, str]:
	"""Return for each document the one that stands for it now: itself, or the last that replaces it if it is canceled.

	Canceled documents that nothing replaces, and deleted ones, are missing.
	"""
	names = list(map(cstr, names))
	if not has_amendments(doctype):
		return {name: name for name in names}
	current, waiting = {}, {name: [name] for name in names}  # by document: those for which it may stand
	rows = select_in(doctype, ["name", "docstatus"], "name", sorted(waiting))
	for _generation in range(MOST_AMENDMENTS):
		for row in rows:
			if row.docstatus != CANCELED:
				current |= dict.fromkeys(waiting[cstr(row.name)], cstr(row.name))
		canceled = [cstr(row.name) for row in rows if row.docstatus == CANCELED]
		if not canceled:
			break
		rows = select_in(doctype, ["name", "docstatus", "amended_from"], "amended_from", canceled)
		waiting = {cstr(row.name): waiting[row.amended_from] for row in rows}
	return current
