"""Drip Prefab: a campaign of the site's own to begin with, kept as the text of a file."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.campaign_file import read_campaign_file
from drip_campaigns.core.errors import DripError


class DripPrefab(Document):
	"""Shown in the gallery (prefabs/catalog.py)."""

	def validate(self) -> None:
		try:
			read_campaign_file(self.definition or "")
		except DripError as error:
			frappe.throw(str(error), title=_("Prefab {0} cannot be saved").format(self.title))
