"""Drip Enrollment: one recipient in one campaign."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, Status
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.enrollment import unsubscribe
from drip_campaigns.enrollment.changes import log
from drip_campaigns.enrollment.enroll import Enroller
from drip_campaigns.enrollment.refusals import Refusal
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.outbox.cancel import cancel
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.plans.enrollment_state import is_paused_by_recipient
from drip_campaigns.rendering.sender_rights import SenderRightError, may_send_as, require_sender
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.messages import refuse
from drip_campaigns.stats import counters


class DripEnrollment(Document):
	"""Filled from its record when it is inserted; afterwards only the verbs of `enrollment/` change it."""

	def onload(self) -> None:
		"""Tell the form whether the recipient asked for the pause, which nobody else can end."""
		if self.status == Status.PAUSED.value and self.email_address:
			now = utc_now()
			rests = is_paused_by_recipient(self, now) and load_preference(self.email_address).is_paused_at(
				now
			)
			self.set_onload("is_pause_of_recipient", rests)

	def insert(self, *args: Any, **options: Any) -> "DripEnrollment":
		"""Insert the enrollment, or resume the record's former one if the campaign's rule on re-enrollment says so.

		This document then becomes the former one, as in a bulk run. Frappe's own checks come first for all else.
		"""
		self._judge()
		resumes = self.flags.judged and self.flags.judged.resumes
		if not resumes:
			return super().insert(*args, **options)
		frappe.has_permission("Drip Enrollment", "create", throw=True)
		frappe.get_doc("Drip Enrollment", resumes.name).check_permission("write")
		_throw_refusals(resume_enrollments([resumes.name], self._now()).refusals.values())
		self.name = resumes.name
		self.delete_key("__islocal")
		self.reload()
		return self

	def before_insert(self) -> None:
		if self.recipient_type and self.recipient:
			frappe.has_permission(self.recipient_type, "read", self.recipient, throw=True)
		if self.flags.error:
			refuse(self.flags.error, title=_("Cannot be enrolled"))
		if self.flags.judged:
			_throw_refusals([self.flags.judged.refusal] if self.flags.judged.refusal else [])
			self.update(self.flags.fields)

	def _judge(self) -> None:
		"""Find out whether the record may be enrolled, and with which fields; a missing link is Frappe's to refuse."""
		self.flags.error = self.flags.judged = None
		if not (self.recipient_type and self.recipient and frappe.db.exists("Drip Campaign", self.campaign)):
			return
		options = ("start_date", "sender", "target_list", "require_confirmation")
		try:
			enroller = Enroller(
				self.campaign, self.recipient_type, self._now(), **{name: self.get(name) for name in options}
			)
			self.flags.judged = enroller.judge(self.recipient)
			if self.flags.judged.is_new:
				[fields] = enroller.make_fields([self.flags.judged])
				self.flags.fields = clean_values(self.doctype, fields)
		except DripError as error:
			self.flags.error = str(error)

	def _now(self) -> datetime:
		return self.flags.now or utc_now()

	def validate(self) -> None:
		before = self.get_doc_before_save()
		if before is None:
			return
		if self.has_value_changed("start_date"):
			refuse(_("The start date of an enrollment cannot be changed. Remove it and enroll again."))
		for field in self.meta.get("fields", {"read_only": 1}):
			has_value = self.get(field.fieldname) or before.get(field.fieldname)
			if has_value and self.has_value_changed(field.fieldname):
				refuse(
					_("{0} of an enrollment cannot be edited. Use Pause, Resume, or Remove."),
					_(field.label),
				)
		if (self.sender or "") != (before.sender or ""):
			self._check_new_sender(before.campaign, before.owner)

	def _check_new_sender(self, name: str, enroller: str) -> None:
		"""Require the right on the campaign, and that its owner or who enrolled may send in the new name, as the user may."""
		campaign = frappe.get_doc("Drip Campaign", name)
		campaign.check_permission("write")
		try:
			require_sender(frappe.session.user, self.sender)
			if not may_send_as(enroller, self.sender):
				require_sender(campaign.owner, self.sender)
		except SenderRightError as error:
			refuse(str(error), title=_("Sender Not Allowed"))

	def after_insert(self) -> None:
		log(self, EventType.ENROLLED, self._now())

	def show_unique_validation_message(self, error: Exception) -> None:
		"""Explain what the unique index refused: somebody else enrolled the person at the same moment."""
		who = f"{self.recipient_name} ({self.email_address})"
		cause, remedy = _("is already in the campaign"), _("Open that enrollment instead.")
		_throw_refusals([Refusal("enrolled", cause, remedy, who)])

	def on_trash(self) -> None:
		cancel([self.name], "Removed", utc_now())
		unsubscribe.keep_former_enrollment(self, utc_now())
		bulk_writes.delete_rows("Drip Email", [self.name], key="enrollment")
		bulk_writes.delete_rows("Drip Action", [self.name], key="enrollment")
		counters.keep_totals_without("enrollment", [self.name])
		bulk_writes.delete_rows("Drip Event", [self.name], key="enrollment")


def _throw_refusals(refusals: Iterable[Refusal]) -> None:
	"""Throw the first refusal: as Frappe's unique error where the person is in the campaign already."""
	for refusal in refusals:
		if refusal.rule in ("enrolled", "duplicate"):
			refuse(refusal.explanation, exc=frappe.UniqueValidationError, title=_("Already Enrolled"))
		refuse(refusal.explanation, title=_("Cannot Be Enrolled"))


def on_doctype_update() -> None:
	"""Add the indexes with which the dispatcher finds what is due."""
	frappe.db.add_index("Drip Enrollment", ["campaign", "next_send_at"])
	frappe.db.add_index("Drip Enrollment", ["campaign", "status"])
	frappe.db.add_index("Drip Enrollment", ["paused_until"])
	frappe.db.add_index("Drip Enrollment", ["recipient_type", "recipient(100)"])
	frappe.db.add_index("Drip Enrollment", ["owner", "campaign"])
