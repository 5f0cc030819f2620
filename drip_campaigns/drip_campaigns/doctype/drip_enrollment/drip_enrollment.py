"""Drip Enrollment: one recipient on one campaign."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, Status
from drip_campaigns.db import bulk_writes
from drip_campaigns.enrollment import unsubscribe
from drip_campaigns.enrollment.changes import log
from drip_campaigns.enrollment.prepare import prepare
from drip_campaigns.outbox.cancel import cancel
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.plans.enrollment_state import is_paused_by_recipient
from drip_campaigns.site.clock import utc_now
from drip_campaigns.stats import counters


class DripEnrollment(Document):
	"""Filled from its record when it is made; afterwards changed by the verbs of `enrollment/enroll.py` only."""

	def onload(self) -> None:
		"""Tell the form whether the pause is the recipient's own wish, which nobody else can end."""
		if self.status == Status.PAUSED.value and self.email_address:
			now = utc_now()
			rests = is_paused_by_recipient(self, now) and load_preference(self.email_address).rests_at(now)
			self.set_onload("is_pause_of_recipient", rests)

	def before_insert(self) -> None:
		if self.recipient_type and self.recipient:
			frappe.has_permission(self.recipient_type, "read", self.recipient, throw=True)
		try:
			prepare(self, self.flags.now or utc_now())
		except DripError as error:
			frappe.throw(str(error), title=_("Cannot be enrolled"))

	def validate(self) -> None:
		before = self.get_doc_before_save()
		if before is None:
			return
		if self.has_value_changed("start_date"):
			frappe.throw(_("The start date of an enrollment cannot be changed. Remove it and enroll again."))
		for field in self.meta.get("fields", {"read_only": 1}):
			has_value = self.get(field.fieldname) or before.get(field.fieldname)
			if has_value and self.has_value_changed(field.fieldname):
				frappe.throw(
					_(
						"{0} of an enrollment is not changed by saving it. Use Pause, Resume or Remove."
					).format(_(field.label))
				)

	def after_insert(self) -> None:
		log(self, EventType.ENROLLED, self.flags.now or utc_now())

	def show_unique_validation_message(self, error: Exception) -> None:
		"""Say in words what the unique index has refused."""
		frappe.throw(
			_("{0} ({1}) is on campaign {2} already. Open that enrollment instead.").format(
				self.recipient_name, self.email_address, self.campaign
			),
			title=_("Already enrolled"),
			exc=frappe.UniqueValidationError,
		)

	def on_trash(self) -> None:
		cancel([self.name], "Removed", utc_now())
		unsubscribe.keep_former_enrollment(self, utc_now())
		bulk_writes.delete_rows("Drip Email", [self.name], key="enrollment")
		bulk_writes.delete_rows("Drip Action", [self.name], key="enrollment")
		counters.keep_totals_without("enrollment", [self.name])
		bulk_writes.delete_rows("Drip Event", [self.name], key="enrollment")


def on_doctype_update() -> None:
	"""The index that the dispatcher finds what is due with."""
	frappe.db.add_index("Drip Enrollment", ["campaign", "next_send_at"])
	frappe.db.add_index("Drip Enrollment", ["campaign", "status"])
	frappe.db.add_index("Drip Enrollment", ["paused_until"])
	frappe.db.add_index("Drip Enrollment", ["recipient_type", "recipient(100)"])
