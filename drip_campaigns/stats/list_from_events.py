"""Make a target list of the people in filtered log lines, such as all who clicked or bounced."""

from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.db.dialect import select_in
from drip_campaigns.lists.add_members import MemberImporter
from drip_campaigns.people.list_filters import check_filters
from drip_campaigns.site.row_names import new_name

MOST_PEOPLE = 20_000
PAGE = 2000


class TooManyPeopleError(DripError):
	"""The filters match too many people."""


def make_list(list_name: str, filters: list, names: list, now: datetime) -> dict[str, Any]:
	"""Make a list of the people in these lines whose records the user may read.

	Return its name, how many people joined, and how many were left out: deleted, not readable, or without an address.
	"""
	chosen = [["name", "in", [str(name) for name in names]]] if names else filters
	people = _find_people(check_filters("Drip Event", chosen, frappe.session.user))
	if not people:
		raise DripError(_("These log lines name no recipients, or the recipients no longer exist."))
	target_list = frappe.get_doc(doctype="Drip Target List", list_name=list_name).insert()
	importer, joined = MemberImporter(target_list.name, new_name(), now, by_hand=True), 0
	for start in range(0, len(people), PAGE):
		joined += importer.add_page(people[start : start + PAGE], asks_rights=False).joined
	return {"target_list": target_list.name, "joined": joined, "left_out": len(people) - joined}


def _find_people(filters: list) -> list[tuple[str, str]]:
	"""Return the recipients of the events that the user may see, each once."""
	found = frappe.get_list(
		"Drip Event",
		filters=[*filters, ["Drip Event", "enrollment", "is", "set"]],
		fields=["enrollment"],
		group_by="enrollment",
		order_by="enrollment",
		limit_page_length=MOST_PEOPLE + 1,
	)
	if len(found) > MOST_PEOPLE:
		raise TooManyPeopleError(
			_("The filters match more than {0} people. Narrow them down, or use a dynamic list.").format(
				MOST_PEOPLE
			)
		)
	enrollments = [row.enrollment for row in found]
	rows = select_in("Drip Enrollment", ["recipient_type", "recipient"], "name", enrollments)
	return sorted({(row.recipient_type, row.recipient) for row in rows if row.recipient})
