"""A target list of the people in the log: who clicked, who bounced, whatever the list of events is filtered by."""

from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.db.dialect import select_in
from drip_campaigns.lists.add_members import MemberImporter
from drip_campaigns.site.row_names import new_name

MOST_PEOPLE = 20_000
PAGE = 2000


class TooManyPeopleError(DripError):
	"""The filters find too many people."""


def make_list(list_name: str, filters: list, names: list, now: datetime) -> dict[str, Any]:
	"""Make the list and put everybody on it who stands in those lines and whose record the user may read.

	Return its name, how many are on it, and how many are not: gone, unreadable for the user, or without an address.
	"""
	people = _find_people([["name", "in", [str(name) for name in names]]] if names else filters)
	if not people:
		raise DripError(
			_("There is nobody in these lines of the log: it does not say who it was, or they are gone.")
		)
	target_list = frappe.get_doc(doctype="Drip Target List", list_name=list_name).insert()
	intake, joined = MemberImporter(target_list.name, new_name(), now, by_hand=True), 0
	for start in range(0, len(people), PAGE):
		joined += intake.take(people[start : start + PAGE], asks_rights=False).joined
	return {"target_list": target_list.name, "joined": joined, "left_out": len(people) - joined}


def _find_people(filters: list) -> list[tuple[str, str]]:
	"""Return the recipients of the events that the user may see, each once."""
	found = frappe.get_list(
		"Drip Event",
		filters=[*filters, ["enrollment", "is", "set"]],
		fields=["enrollment"],
		group_by="enrollment",
		order_by="enrollment",
		limit_page_length=MOST_PEOPLE + 1,
	)
	if len(found) > MOST_PEOPLE:
		raise TooManyPeopleError(
			_(
				"The filters find more than {0} people. Narrow them down, or use a list that fills itself."
			).format(MOST_PEOPLE)
		)
	enrollments = [row.enrollment for row in found]
	rows = select_in("Drip Enrollment", ["recipient_type", "recipient"], "name", enrollments)
	return sorted({(row.recipient_type, row.recipient) for row in rows})
