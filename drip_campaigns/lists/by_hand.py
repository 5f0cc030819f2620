"""Add many records to a target list by hand, in one call. They stay, whatever the sources contain. Nothing here commits."""

import json
from dataclasses import asdict
from datetime import datetime

from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.lists.add_members import MemberImporter
from drip_campaigns.people.recipient_types import get_type
from drip_campaigns.site.row_names import new_name

MAX_RECORDS = 5000


def add_records(target_list: str, recipient_type: str, names: str, now: datetime) -> dict[str, int]:
	"""Add the records of a JSON list of names to a list, and return the counts of ImportResult.

	Adds only records that the session's user may read and that have a valid address. Opted-out members stay out.
	"""
	get_type(recipient_type)
	people = [(recipient_type, name) for name in _read_names(names)]
	taken = MemberImporter(target_list, new_name(), now, by_hand=True).add_page(people, asks_rights=False)
	return asdict(taken)


def _read_names(text: str) -> list[str]:
	try:
		names = json.loads(text)
	except ValueError as error:
		raise DripError(_("The names cannot be read: {0}. Send a JSON list.").format(error)) from error
	if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
		raise DripError(_("Enter at least one record, as a JSON list of names."))
	if len(names) > MAX_RECORDS:
		message = _("You can add at most {1} records at a time, and these are {0}. Use a source of the list.")
		raise DripError(message.format(len(names), MAX_RECORDS))
	return names
