"""Drip Recipient Preference: the choices that the people with one address made themselves."""

from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.schedule.wall_clock import find_zone
from drip_campaigns.people.addresses import hash_address, is_valid
from drip_campaigns.site.messages import refuse


class DripRecipientPreference(Document):
	"""The preferences of one address, created on the recipient's page or by a user on request."""

	def autoname(self) -> None:
		if not is_valid(self.email_address):
			refuse(_("“{0}” isn't an email address. Enter exactly one."), self.email_address)
		self.name = self.address_hash = hash_address(self.email_address)

	def validate(self) -> None:
		try:
			if self.time_zone:
				find_zone(self.time_zone)
		except DripError as error:
			refuse(_("{0} Choose one from the list, for example Europe/Madrid."), error)
