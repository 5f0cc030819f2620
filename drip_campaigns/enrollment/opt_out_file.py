"""The opt-outs of another tool, from a file: whom it would suppress, which rows have an error, and suppress a page of them.

Nothing here commits. The API checks permissions.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.db.dialect import select_in
from drip_campaigns.enrollment.suppress import suppress_many
from drip_campaigns.people.addresses import hash_address, is_valid, normalize
from drip_campaigns.people.people_file import PeopleFile, Row
from drip_campaigns.people.suppression import DOCTYPE

MOST_ERRORS = 1000  # listed; further ones are counted


@dataclass
class OptOuts:
	"""What a file holds: the first row of each valid address by its normalized form, and the errors by row number."""

	total: int
	problem: str = ""
	rows: dict[str, Row] = field(default_factory=dict)
	errors: list[tuple[int, str]] = field(default_factory=list)


def read_opt_outs(file_url: str, mapping: str) -> OptOuts:
	"""Return the addresses of a file that the session's user may read."""
	file = PeopleFile(file_url)
	rows = file.rows(mapping)
	found = OptOuts(len(rows), file.explain_nothing())
	for row in rows:
		address = row.facts.get("email_address", "")
		if not is_valid(address):
			problem = (
				_("“{0}” is not a valid email address").format(address) if address else _("no email address")
			)
			found.errors.append((row.number, problem))
		elif (key := normalize(address)) in found.rows:
			found.errors.append((row.number, _("the same as row {0}").format(found.rows[key].number)))
		else:
			found.rows[key] = row
	return found


def preview_opt_outs(file_url: str, mapping: str) -> dict[str, Any]:
	"""Return how many addresses would be suppressed, are suppressed already, or cannot be read, with the errors by row."""
	found = read_opt_outs(file_url, mapping)
	known = {
		row.name
		for row in select_in(DOCTYPE, ["name"], "name", list(map(hash_address, found.rows)), lifted=0)
	}
	return {
		"total": found.total,
		"problem": found.problem,
		"new": len(found.rows) - len(known),
		"known": len(known),
		"errors_count": len(found.errors),
		"errors": [{"row": row, "text": text} for row, text in found.errors[:MOST_ERRORS]],
	}


def read_reason(reason: str) -> SuppressionReason:
	"""Return the reason that a text means; raise DripError with the remedy if it means none."""
	if reason not in [known.value for known in SuppressionReason]:
		known = ", ".join(_(known.value) for known in SuppressionReason)
		raise DripError(_("“{0}” isn't a reason. Use one of: {1}.").format(reason, known))
	return SuppressionReason(reason)


def suppress_rows(rows: Sequence[Row], reason: SuppressionReason, note: str, now: datetime) -> Counter[str]:
	"""Suppress the addresses of a page of rows; return how many are new and how many were suppressed before."""
	notes = {row.facts["email_address"]: _("{0} (row {1})").format(note, row.number) for row in rows}
	new = suppress_many(notes, reason, now, source=frappe.session.user)
	return Counter(new=new, known=len(notes) - new)
