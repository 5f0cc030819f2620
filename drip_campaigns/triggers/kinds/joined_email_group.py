"""Somebody joins an Email Group, or rejoins it after unsubscribing."""

from frappe import _
from frappe.utils import cstr

from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import Filters, TriggerKind, is_new, load_before, make_firing

MEMBER = "Email Group Member"


class JoinedEmailGroup(TriggerKind):
	"""Enrolls the Email Group Member; without a group in the row, any group fires it."""

	label = "Joined Email Group"
	optional = ("email_group",)
	watches = MEMBER

	def describe(self, row) -> str:
		if row.email_group:
			return _("When someone joins Email Group {0}").format(row.email_group)
		return _("When someone joins any Email Group")

	def prepare(self, row) -> None:
		row.recipient_type = MEMBER

	def match(self, document, trigger) -> Firing | None:
		if document.unsubscribed or trigger.email_group not in (None, "", document.email_group):
			return None
		before = load_before(document)
		has_joined = is_new(document) or (before and before.unsubscribed)
		return make_firing(document, trigger, cstr(document.modified)) if has_joined else None

	def find_existing(self, trigger, doctype: str) -> Filters:
		group = [[MEMBER, "email_group", "=", trigger.email_group]] if trigger.email_group else []
		return [*group, [MEMBER, "unsubscribed", "=", 0]]
