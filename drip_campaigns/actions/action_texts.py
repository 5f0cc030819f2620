"""Fill the texts of actions in the sandbox of emails: they can read the recipient's record, and change nothing."""

import json
from typing import Any

import frappe
from frappe import _
from markupsafe import Markup

from drip_campaigns.core.errors import DripError
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.rendering.record_view import RecordView
from drip_campaigns.rendering.templates import (
	RECIPIENT_FIELDS,
	html_environment,
	limit_time,
	text_environment,
)

RENDER_SECONDS = 2  # of processor time, for one text
LONGEST_TEXT = 100_000
KNOWN_NAMES = ("enrollment",)


class ActionTextError(DripError):
	"""A text of an action is too long."""


def fill_plain(source: str | None, recipient: Recipient, campaign, enrollment: str) -> str:
	"""Return a text with the recipient's values unescaped, for a field."""
	return _fill(text_environment(), source, recipient, campaign, enrollment)


def fill_html(source: str | None, recipient: Recipient, campaign, enrollment: str) -> Markup:
	"""Return a text as HTML, with the recipient's values escaped and its line breaks kept."""
	text = _fill(html_environment(), source, recipient, campaign, enrollment)
	return Markup(str(text).strip().replace("\n", "<br>"))  # nosec B704 # the author's HTML, with the recipient's values escaped by Jinja; Frappe sanitizes it on saving


def read_values(source: str | None) -> dict[str, Any]:
	"""Return the fields of a new document; raise ValueError unless the JSON maps names to plain values."""
	values = json.loads(source or "{}")
	if not isinstance(values, dict) or not values:
		raise ValueError(_("they are not an object of fields and values"))
	if bad := [name for name, value in values.items() if isinstance(value, dict | list)]:
		raise ValueError(_("{0} isn't a plain value").format(", ".join(bad)))
	return values


def _fill(environment, source: str | None, recipient: Recipient, campaign, enrollment: str) -> str:
	if not source:
		return ""
	person = frappe._dict({name: getattr(recipient, name) for name in RECIPIENT_FIELDS})
	rights = FieldRights(campaign.owner)
	with limit_time(RENDER_SECONDS):
		text = environment.from_string(source).render(
			doc=RecordView(recipient.doctype, recipient.fields, rights),
			recipient=person,
			campaign_name=campaign.campaign_name,
			enrollment=enrollment,
		)
	if len(text) > LONGEST_TEXT:
		raise ActionTextError(_("The text has {0} characters. Shorten it.").format(len(text)))
	return text
