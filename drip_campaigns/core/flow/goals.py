"""Leaving by rule: the words of goals and replies, and the window in which a goal counts. Values in, values out."""

from __future__ import annotations

from datetime import datetime, timedelta

from drip_campaigns.core.model import Label

# What the trigger table calls the goal of a campaign. No kind of trigger: it ends enrollments instead of beginning them.
GOAL = "Goal"


class GoalKind(Label):
	"""How a goal is reached."""

	RECORD_MATCHES = "Record Matches"
	DOCUMENT_MADE = "Document Made"


class GoalDocument(Label):
	"""What can be made for a recipient."""

	OPPORTUNITY = "Opportunity"
	QUOTATION = "Quotation"
	SALES_ORDER = "Sales Order"
	SALES_INVOICE = "Sales Invoice"
	CRM_DEAL = "CRM Deal"


class ReplyScope(Label):
	"""Whose emails stop when somebody answers."""

	PERSON = "Recipient"
	COMPANY = "Same Company"


def is_in_window(moment: datetime, start: datetime, days: int) -> bool:
	"""Say whether `moment` lies after `start`, and not more than `days` after it; 0 days are no limit."""
	return moment >= start and (not days or moment <= start + timedelta(days=days))
