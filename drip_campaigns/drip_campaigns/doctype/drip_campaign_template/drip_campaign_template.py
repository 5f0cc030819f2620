"""Drip Campaign Template: a template that the site has saved, stored as the text of a campaign file."""

from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.campaign_file import read_campaign_file
from drip_campaigns.core.errors import DripError
from drip_campaigns.site.messages import refuse


class DripCampaignTemplate(Document):
	"""Shown in the template gallery (campaign_templates/catalog.py)."""

	def validate(self) -> None:
		try:
			read_campaign_file(self.definition or "")
		except DripError as error:
			refuse(str(error), title=_("Template {0} cannot be saved").format(self.title))
