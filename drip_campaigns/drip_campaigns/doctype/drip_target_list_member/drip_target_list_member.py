"""Drip Target List Member: one record on one list, and whether its address has opted out."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cstr

from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.deleted_records import forget_replaced_members
from drip_campaigns.enrollment.list_membership import add_to_count, clear_removed, fill_member
from drip_campaigns.lists.remove_members import exit_removed
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import refuse


class DripTargetListMember(Document):
	"""Filled from its record when it is inserted; afterwards only `enrollment/list_membership.py` changes it."""

	def before_insert(self) -> None:
		if self.recipient_type and self.recipient:
			self.recipient = cstr(self.recipient)  # a number if its DocType is named by Autoincrement
			frappe.has_permission(self.recipient_type, "read", self.recipient, throw=True)
			now = self.flags.now or utc_now()
			forget_replaced_members(self.target_list, self.recipient_type, [self.recipient], now)
		try:
			fill_member(self, self.flags.now or utc_now())
		except DripError as error:
			refuse(str(error), title=_("Cannot be added"))
		clear_removed(self.target_list, self.email_address)

	def after_insert(self) -> None:
		add_to_count(self.target_list, 1)

	def validate(self) -> None:
		before = self.get_doc_before_save()
		for field in self.meta.get("fields", {"read_only": 1}) if before else ():
			has_value = self.get(field.fieldname) or before.get(field.fieldname)
			if has_value and self.has_value_changed(field.fieldname):
				refuse(_("{0} of a member cannot be edited."), _(field.label))

	def on_trash(self) -> None:
		if self.opted_out:
			refuse(
				_(
					"{0} opted out of list {1}. Keep this row: it records the opt-out, so that the address is not added again."
				),
				self.email_address,
				self.target_list,
				title=_("Opted Out"),
			)
		if not self.removed_at:
			add_to_count(self.target_list, -1)
			exit_removed(self.target_list, [(self.recipient_type, self.recipient)], utc_now())

	def show_unique_validation_message(self, error: Exception) -> None:
		"""Explain what the unique index refused."""
		refuse(
			_("{0} ({1}) is already on list {2}, or another record with this address is."),
			self.recipient_name,
			self.email_address,
			self.target_list,
			title=_("On the list already"),
			exc=frappe.UniqueValidationError,
		)


def on_doctype_update() -> None:
	"""Add the unique indexes: a list contains each record once, and each address once."""
	frappe.db.add_unique(
		"Drip Target List Member",
		["target_list", "recipient_type", "recipient"],
		constraint_name="unique_list_recipient",
	)
	frappe.db.add_unique(
		"Drip Target List Member", ["target_list", "address_hash"], constraint_name="unique_list_address"
	)
