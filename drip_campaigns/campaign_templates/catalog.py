"""Templates: campaigns to begin with. Ours are JSON files beside this module, the site's own are Drip Campaign Template records."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.campaign_file import read_campaign_file
from drip_campaigns.core.errors import DripError

FOLDER = Path(__file__).parent / "built_in"
OURS = "built-in:"  # how the key of one of ours begins; that of the site's own is its name


class UnknownTemplateError(DripError):
	"""There is no such template. Reload the page."""


@dataclass(frozen=True)
class CampaignTemplate:
	"""A campaign to begin with, and where it is from."""

	key: str
	content: dict[str, Any]

	@property
	def is_own(self) -> bool:
		"""Say whether the site has saved it."""
		return not self.key.startswith(OURS)


def list_templates() -> Iterator[CampaignTemplate]:
	"""Yield ours in their order, then the site's own that the session's user may read."""
	for key in _read_ours():
		yield find_template(key)
	for name in frappe.get_list(
		"Drip Campaign Template", order_by="title asc", pluck="name", limit_page_length=0
	):
		yield find_template(name)


def find_template(key: str) -> CampaignTemplate:
	"""Return a template by its key; raise UnknownTemplateError if there is none."""
	if key.startswith(OURS):
		content = _read_ours().get(key)
		if content is None:
			raise UnknownTemplateError(_("There is no template {0}. Reload the page.").format(key[:100]))
		return CampaignTemplate(key, content)
	document = frappe.get_doc("Drip Campaign Template", key)
	document.check_permission("read")
	return CampaignTemplate(key, read_campaign_file(document.definition))


@cache
def _read_ours() -> dict[str, dict[str, Any]]:
	files = sorted(FOLDER.glob("*.json"))
	# 10_welcome_series.json is built-in:welcome_series
	return {
		OURS + path.stem.partition("_")[2]: read_campaign_file(path.read_text(encoding="utf-8"))
		for path in files
	}
