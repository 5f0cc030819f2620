"""Drip Tracking URL: a link whose clicks are counted. With a name, any text can use it; without, it belongs to one step."""

from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.tracking.links import leads_to_the_web
from drip_campaigns.site.messages import refuse


class DripTrackingURL(Document):
	"""Users create named links. The app writes the others in bulk and keeps them for emails already sent."""

	def validate(self) -> None:
		self.url_name = (self.url_name or "").strip() or None
		if self.step:
			refuse(_("Links in emails already sent cannot be changed. Edit the text of the step instead."))
		if not self.url_name:
			refuse(_("Enter a name. Texts use it to add the link, as in {0}."), "{{ tracking_url('Demo') }}")
		self.url = (self.url or "").strip()
		if not leads_to_the_web(self.url):
			refuse(_("“{0}” isn't a complete address. Enter one such as https://example.com/demo."), self.url)
		self.target = self.url

	def on_trash(self) -> None:
		if self.step or self.clicks:
			refuse(
				_("Links in emails already sent lead here, so it cannot be deleted. You can change its URL.")
			)
