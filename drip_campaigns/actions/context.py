"""What an action gets, what it returns, and the errors that it raises."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import frappe
from markupsafe import Markup

from drip_campaigns.actions.action_texts import fill_html, fill_plain
from drip_campaigns.core.errors import DripError
from drip_campaigns.people.recipients import Recipient


class ActionError(DripError):
	"""The action cannot be done for this recipient."""


class BrokenActionError(DripError):
	"""The action cannot be done for any recipient: the campaign pauses until it is corrected."""


class WebhookDoubtError(DripError):
	"""The Webhook was called, and it is unknown whether the call arrived."""


@dataclass(frozen=True)
class ActionResult:
	"""A sentence for the log, and the record that the action created."""

	text: str
	doctype: str | None = None
	name: str | None = None
	is_open: bool = False  # a ToDo that a user has to close


@dataclass(frozen=True)
class ActionContext:
	"""One action for one recipient: the Drip Action, the step's row, the campaign, and the recipient."""

	row: frappe._dict
	step: frappe._dict
	campaign: Any
	recipient: Recipient
	now: datetime
	turns: Mapping[str, int]  # how often each user had a turn in this step

	@property
	def who(self) -> str:
		"""The recipient's name in a sentence."""
		return self.recipient.full_name or self.recipient.email or self.recipient.name

	def plain(self, source: str | None, document=None) -> str:
		"""Fill a text for a field, with the values of `document` if the recipient's record was just read again."""
		recipient = self.recipient
		if document is not None:
			recipient = replace(recipient, fields={name: document.get(name) for name in recipient.fields})
		return fill_plain(source, recipient, self.campaign, self.row.enrollment)

	def html(self, source: str | None) -> Markup:
		"""Fill a text that is shown as HTML."""
		return fill_html(source, self.recipient, self.campaign, self.row.enrollment)
