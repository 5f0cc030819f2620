"""A record of the recipient type is created."""

from frappe import _

from drip_campaigns.db.amendments import not_canceled
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import (
	Filters,
	Person,
	Rows,
	TriggerKind,
	find_current_people,
	is_new,
	make_event_firing,
	name_type,
)


class RecordCreated(TriggerKind):
	"""Enrolls the record itself. An amended document is none that is created."""

	label = "Record Created"
	needed = ("recipient_type",)
	is_portable = True

	def describe(self, row) -> str:
		return _("When a {0} is created").format(name_type(row))

	def match(self, document, trigger) -> Firing | None:
		return make_event_firing(document, trigger, "created") if is_new(document) else None

	def find_people(self, trigger, rows: Rows) -> dict[str, Person]:
		return find_current_people(rows)

	def find_existing(self, trigger, doctype: str) -> Filters:
		return not_canceled(doctype)  # every record was created
