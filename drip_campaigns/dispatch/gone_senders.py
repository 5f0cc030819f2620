"""Replace senders who were disabled or deleted since the enrollment, or in whose name no one may send any longer.

The campaign's sender rule chooses another user; the campaign's owner and the managers are notified. Commits nothing.
"""

from collections.abc import Iterable, Sequence

import frappe
from frappe import _

from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.enrollment.sender_choice import choose_senders, find_able
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.rendering.sender_rights import find_forbidden
from drip_campaigns.site.messages import add_note, as_html, bold
from drip_campaigns.site.notify import notify_once


def replace_gone_senders(campaign, rows: Sequence[frappe._dict]) -> None:
	"""Choose another sender for the enrollments of a batch whose sender is gone. One statement if no sender is gone."""
	gone = _find_gone({_sender(campaign, row) for row in rows})
	forbidden = _find_forbidden(campaign, rows)
	if not gone and not forbidden:
		return
	affected = [row for row in rows if row.name in forbidden or _sender(campaign, row) in gone]
	for recipient_type in sorted({row.recipient_type for row in affected}):
		_choose_again(
			campaign, recipient_type, [row for row in affected if row.recipient_type == recipient_type]
		)
	set_each("Drip Enrollment", ("name", "sender"), [(row.name, row.sender) for row in affected])
	for user in sorted(gone.union(forbidden.values())):
		_notify_once(campaign, user, is_gone=user in gone)


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


def _find_forbidden(campaign, rows: Sequence[frappe._dict]) -> dict[str, str]:
	"""Return the enrollments, with their sender, in whose name neither the campaign's owner nor who enrolled may send.

	The built-in users mean the Email Account and are not replaced: the campaign's check pauses it if one is not allowed.
	"""
	users = {row.sender for row in rows if row.sender and row.sender not in frappe.STANDARD_USERS}
	forbidden = find_forbidden(campaign.owner, users)
	if not forbidden:
		return {}
	by_enroller = {owner: find_forbidden(owner, forbidden) for owner in {row.owner for row in rows}}
	return {row.name: row.sender for row in rows if row.sender in forbidden & by_enroller[row.owner]}


def _notify_once(campaign, user: str, *, is_gone: bool) -> None:
	text = _(
		"The owner of campaign {1} may not send as {0}. The campaign's sender rule chose another sender."
	)
	if is_gone:
		text = _(
			"{0}, a sender of campaign {1}, is disabled or deleted. The campaign's sender rule chose another sender."
		)
	subject = as_html(text, bold(user), bold(campaign.name))
	key = f"gone_sender:{campaign.name}:{user}"
	if notify_once(key, campaign.owner, subject, "Drip Campaign", campaign.name):
		add_note(campaign, text, user, campaign.name)
