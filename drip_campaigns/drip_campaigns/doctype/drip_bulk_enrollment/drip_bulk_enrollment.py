"""Drip Bulk Enrollment: one run that enrolls many records, in the background, and remembers how far it got."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.errors import DripError
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.jobs.bulk_enrollment_sources import make_source
from drip_campaigns.people.recipient_types import available_types


class DripBulkEnrollment(Document):
	"""Checks the run when it is made and hands it to a background job (enrollment/bulk_job.py)."""

	def before_insert(self) -> None:
		self.status = "Queued"

	def validate(self) -> None:
		if self.recipient_type not in available_types():
			types = ", ".join(available_types())
			frappe.throw(
				_("{0} records cannot be enrolled. Choose one of: {1}.").format(_(self.recipient_type), types)
			)
		frappe.has_permission("Drip Enrollment", "create", throw=True)
		try:
			self._count()
			bulk_enrollment.check(self.campaign, self.start_date)
		except DripError as error:
			frappe.throw(str(error), title=_("Cannot be enrolled"))

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
			frappe.throw(
				_(
					"These filters match every {0} that you may read: {1} records. Narrow them, or confirm the number (confirmed_count)."
				).format(_(self.recipient_type), self.total),
				title=_("Everybody?"),
			)
