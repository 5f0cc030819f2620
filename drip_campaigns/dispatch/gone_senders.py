"""Replace senders who were disabled or deleted since the enrollment, so that no email is sent in their name.

The campaign's sender rule chooses another user; the campaign's owner and the managers are notified. Commits nothing.
"""

from collections.abc import Iterable, Sequence

import frappe
from frappe import _

from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.enrollment.sender_choice import choose_senders, find_able
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.site.messages import add_note, as_html, bold
from drip_campaigns.site.notify import notify_once


def replace_gone_senders(campaign, rows: Sequence[frappe._dict]) -> None:
	"""Choose another sender for the enrollments of a batch whose sender is gone. One statement if no sender is gone."""
	gone = _find_gone({_sender(campaign, row) for row in rows})
	if not gone:
		return
	affected = [row for row in rows if _sender(campaign, row) in gone]
	for recipient_type in sorted({row.recipient_type for row in affected}):
		_choose_again(
			campaign, recipient_type, [row for row in affected if row.recipient_type == recipient_type]
		)
	set_each("Drip Enrollment", ("name", "sender"), [(row.name, row.sender) for row in affected])
	for user in sorted(gone):
		_notify_once(campaign, user)


def _choose_again(campaign, recipient_type: str, rows: Sequence[frappe._dict]) -> None:
	people = load_recipients(recipient_type, [row.recipient for row in rows], whole=False)
	there = [row for row in rows if row.recipient in people]  # the guard ends the others
	senders = choose_senders(campaign, [people[row.recipient] for row in there], instead=campaign.owner)
	for row, sender in zip(there, senders, strict=True):
		row.sender = sender


def _sender(campaign, row: frappe._dict) -> str:
	return row.sender or campaign.sender or row.owner or ""


def _find_gone(users: Iterable[str]) -> set[str]:
	"""Return the users who are disabled or deleted. The built-in users mean the Email Account and are never gone."""
	named = {user for user in users if user and user not in frappe.STANDARD_USERS}
	return named - find_able(named)


def _notify_once(campaign, user: str) -> None:
	text = _(
		"{0}, a sender of campaign {1}, is disabled or deleted. The campaign's sender rule chose another sender."
	)
	subject = as_html(text, bold(user), bold(campaign.name))
	key = f"gone_sender:{campaign.name}:{user}"
	if notify_once(key, campaign.owner, subject, "Drip Campaign", campaign.name):
		add_note(campaign, text, user, campaign.name)
