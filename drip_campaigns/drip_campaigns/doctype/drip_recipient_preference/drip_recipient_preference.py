"""Drip Recipient Preference: what the people of one address have asked for by themselves."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.schedule.wall_clock import find_zone
from drip_campaigns.people.addresses import hash_address, is_valid


class DripRecipientPreference(Document):
	"""One for each address. Made by the recipient's page, or by a user for somebody who asks."""

	def autoname(self) -> None:
		if not is_valid(self.email_address):
			frappe.throw(_("“{0}” is not an email address. Enter exactly one.").format(self.email_address))
		self.name = self.address_hash = hash_address(self.email_address)

	def validate(self) -> None:
		try:
			if self.time_zone:
				find_zone(self.time_zone)
		except DripError as error:
			frappe.throw(_("{0} Choose one of the list, for example Europe/Madrid.").format(error))
