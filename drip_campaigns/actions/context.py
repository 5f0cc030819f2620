"""What an action is done with, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.actions.action_texts import fill_html, fill_plain
from drip_campaigns.people.recipients import Recipient


@dataclass(frozen=True)
class ActionResult:
	"""An action was done: a sentence for the log, and the record that was made."""

	text: str
	doctype: str | None = None
	name: str | None = None
	is_open: bool = False  # a ToDo that somebody has to close


@dataclass(frozen=True)
class ActionContext:
	"""One action of one recipient: its Drip Action, the step's row, the campaign, the person."""

	row: frappe._dict
	step: frappe._dict
	campaign: Any
	recipient: Recipient
	now: datetime
	turns: Mapping[str, int]  # how often each user has had their turn in this step

	@property
	def who(self) -> str:
		"""What a sentence calls the recipient."""
		return self.recipient.full_name or self.recipient.email or self.recipient.name

	def plain(self, source: str | None, document=None) -> str:
		"""Fill a text for a field; `document` is the recipient's record as it is at this moment, if somebody has read it."""
		recipient = self.recipient
		if document is not None:
			recipient = replace(recipient, fields={name: document.get(name) for name in recipient.fields})
		return fill_plain(source, recipient, self.campaign.campaign_name, self.row.enrollment)

	def html(self, source: str | None) -> str:
		"""Fill a text that is shown as HTML."""
		return fill_html(source, self.recipient, self.campaign.campaign_name, self.row.enrollment)
