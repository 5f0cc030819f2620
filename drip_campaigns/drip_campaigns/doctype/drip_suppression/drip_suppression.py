"""Drip Suppression: an address that gets no marketing email."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.enrollment import suppress
from drip_campaigns.people.addresses import hash_address, is_valid, normalize
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.messages import refuse


class DripSuppression(Document):
	"""One row per address, identified by its hash; changed only by `people/suppression.py`."""

	def before_naming(self) -> None:
		if not is_valid(normalize(self.email_address or "")):
			refuse(_("“{0}” isn't an email address. Enter exactly one."), self.email_address or "")
		self.address_hash = hash_address(self.email_address)
		self.flags.now = self.flags.now or utc_now()
		self.source = self.source or frappe.session.user
		self.suppressed_at = to_site(self.flags.now)
		self._refuse_second()

	def validate(self) -> None:
		if self.is_new():
			if not self.note and not self.flags.by_recipient:
				refuse(_("Enter in Note who asked for it, and how. This is your proof later."))
			return
		before = self.get_doc_before_save()
		for field in self.meta.get("fields", {"read_only": 1}):
			if before and self.get(field.fieldname) != before.get(field.fieldname):
				refuse(
					_("{0} cannot be changed here. Use the buttons Lift or Suppress Again."), _(field.label)
				)

	def after_insert(self) -> None:
		suppress.apply(self, self.flags.now)

	def on_trash(self) -> None:
		refuse(_("A suppression cannot be deleted. Lift it instead, so that its history is kept."))

	def _refuse_second(self) -> None:
		lifted = frappe.db.get_value("Drip Suppression", self.address_hash, "lifted")
		if lifted is None:
			return
		remedy = _("Open it and click Suppress Again.") if lifted else _("You don't need to do anything.")
		refuse(
			_("{0} is already suppressed or was before.").format(self.email_address) + " " + remedy,
			exc=frappe.DuplicateEntryError,
		)
