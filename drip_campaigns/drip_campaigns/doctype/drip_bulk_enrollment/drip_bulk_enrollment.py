"""Drip Bulk Enrollment: one run that enrolls many records in the background and records its progress."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.errors import DripError
from drip_campaigns.enrollment.campaign_checks import check_recipient_type
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.jobs.bulk_enrollment_sources import make_source
from drip_campaigns.rendering.sender_rights import require_sender
from drip_campaigns.site.messages import refuse


class DripBulkEnrollment(Document):
	"""Checks a new run and enqueues its background job (`jobs/bulk_enrollment.py`)."""

	def before_insert(self) -> None:
		self.status = "Queued"

	def validate(self) -> None:
		frappe.has_permission("Drip Enrollment", "create", throw=True)
		try:
			check_recipient_type(self.recipient_type)
			self._count()
			require_sender(frappe.session.user, self.sender)
			bulk_enrollment.check(self.campaign, self.start_date)
		except DripError as error:
			refuse(str(error), title=_("Cannot be enrolled"))

	def after_insert(self) -> None:
		if not self.flags.runs_at_once:
			bulk_enrollment.enqueue(self.name)

	def _count(self) -> None:
		if not self.is_new():
			return
		source = make_source(self)
		if self.source_file:
			self.total = len(source.audience.rows)
			return
		audience = source.audience
		self.total = audience.count()
		if audience.is_everybody(self.total) and self.confirmed_count != self.total:
			refuse(
				_(
					"These filters match every {0} that you may read: {1} records. Add a filter, or confirm the number (confirmed_count)."
				),
				_(self.recipient_type),
				self.total,
				title=_("Enroll All?"),
			)
