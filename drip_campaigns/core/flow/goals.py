"""The options of goals and replies, and the time in which a goal counts. Values in, values out."""

from __future__ import annotations

from datetime import datetime, timedelta

from drip_campaigns.core.model import Label

# What the trigger cache calls the goal of a campaign. It is no trigger kind: it ends enrollments.
GOAL = "Goal"


class GoalKind(Label):
	"""How a goal is reached."""

	RECORD_MATCHES = "Record Matches"
	DOCUMENT_CREATED = "Document Created"


class GoalDocument(Label):
	"""The documents that can be created for a recipient."""

	OPPORTUNITY = "Opportunity"
	QUOTATION = "Quotation"
	SALES_ORDER = "Sales Order"
	SALES_INVOICE = "Sales Invoice"
	CRM_DEAL = "CRM Deal"


class ReplyScope(Label):
	"""Whose emails stop after a reply."""

	PERSON = "Recipient"
	COMPANY = "Same Company"


def is_in_window(moment: datetime, start: datetime, days: int) -> bool:
	"""Return whether `moment` is after `start`, and at most `days` after it; 0 days are no limit."""
	return moment >= start and (not days or moment <= start + timedelta(days=days))
