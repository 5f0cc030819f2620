"""A record of the recipient type is created."""

from frappe import _

from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import Filters, TriggerKind, is_new, make_firing, name_type


class RecordCreated(TriggerKind):
	"""Enrolls the record itself."""

	label = "Record Created"
	needed = ("recipient_type",)
	is_portable = True

	def describe(self, row) -> str:
		return _("When a {0} is created").format(name_type(row))

	def match(self, document, trigger) -> Firing | None:
		return make_firing(document, trigger, "created") if is_new(document) else None

	def find_existing(self, trigger, doctype: str) -> Filters:
		return []  # every record was created
