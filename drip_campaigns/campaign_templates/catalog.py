"""Campaign templates: the app's are JSON files in this folder, the site's are Drip Campaign Template records."""

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
OURS = "built-in:"  # prefix of the keys of the app's templates; the key of a site's template is its name


class UnknownTemplateError(DripError):
	"""This template does not exist. Reload the page."""


@dataclass(frozen=True)
class CampaignTemplate:
	"""A template with its key."""

	key: str
	content: dict[str, Any]

	@property
	def is_own(self) -> bool:
		"""Return whether the site saved this template."""
		return not self.key.startswith(OURS)


def list_templates() -> Iterator[CampaignTemplate]:
	"""Yield the app's templates in their order, then the site's templates that the session's user can read."""
	for key in _read_ours():
		yield find_template(key)
	for name in frappe.get_list(
		"Drip Campaign Template", order_by="title asc", pluck="name", limit_page_length=0
	):
		yield find_template(name)


def find_template(key: str) -> CampaignTemplate:
	"""Return a template by its key; raise UnknownTemplateError if it does not exist."""
	if key.startswith(OURS):
		content = _read_ours().get(key)
		if content is None:
			raise UnknownTemplateError(_("Template {0} does not exist. Reload the page.").format(key[:100]))
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
