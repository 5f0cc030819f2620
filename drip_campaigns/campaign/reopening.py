"""Which ended enrollments can be live again: the latest of each recipient, if no other has its keys. Reads only."""

from collections.abc import Sequence

import frappe

from drip_campaigns.plans.enrollment_rows import find_superseded, find_taken_keys
from drip_campaigns.plans.enrollment_state import live_keys

Keys = dict[str, str]  # the two unique columns of a live enrollment


def find_free_keys(rows: Sequence[frappe._dict]) -> dict[str, Keys]:
	"""Return the keys of the enrollments that can be live again, by name; three statements for all of them.

	A recipient who was enrolled several times has only the latest reopened, and none while another one is live. An
	enrollment whose personal data was erased is not reopened.
	"""
	superseded = find_superseded([row.name for row in rows])
	keys = {
		row.name: live_keys(row.campaign, row.recipient_type, row.recipient, row.email_address)
		for row in rows
		if row.email_address and row.name not in superseded
	}
	taken = {
		key
		for column in ("live_recipient", "live_address")
		for key in find_taken_keys([own[column] for own in keys.values()], column)
	}
	free = {}
	for name, own in keys.items():
		if taken.isdisjoint(own.values()):
			taken.update(own.values())
			free[name] = own
	return free
