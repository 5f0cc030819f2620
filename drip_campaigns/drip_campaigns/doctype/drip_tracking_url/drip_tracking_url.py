"""Drip Tracking URL: a link whose clicks count. With a name, for any text; without, the link of one step's text."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.tracking.links import leads_to_the_web


class DripTrackingURL(Document):
	"""Named ones are made by people. The others are written in bulk by `tracking/targets.py`, and kept for old emails."""

	def validate(self) -> None:
		self.url_name = (self.url_name or "").strip() or None
		if self.step:
			frappe.throw(_("A link of an email that was sent is not changed. Edit the text of the step."))
		if not self.url_name:
			frappe.throw(
				_("Enter a name: texts use the link by it, as {0}.").format("{{ tracking_url('Demo') }}")
			)
		self.url = (self.url or "").strip()
		if not leads_to_the_web(self.url):
			frappe.throw(
				_("“{0}” leads nowhere. Enter a whole address, such as https://example.com/demo.").format(
					self.url
				)
			)
		self.target = self.url

	def on_trash(self) -> None:
		if self.step or self.clicks:
			frappe.throw(
				_("Links in emails that were sent lead here, so it is kept. You can change where it leads.")
			)
