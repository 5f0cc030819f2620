"""Unsubscribing by email: the mailto of List-Unsubscribe (RFC 2369), whose subject is the token of a link."""

import re

import frappe

from drip_campaigns.core.tracking.tokens import InvalidTokenError, Purpose
from drip_campaigns.enrollment.unsubscribe import decide_scope, find_link_holder, unsubscribe_holder
from drip_campaigns.rendering.links import read_token
from drip_campaigns.site.clock import utc_now

BY_MAIL = "The recipient, by email"
_SUBJECT = re.compile(r"\s*unsubscribe\s+([\w.-]{20,200})\s*", re.IGNORECASE | re.ASCII)


def unsubscribe_by_mail(document, _event: str | None = None) -> None:
	"""Unsubscribe the sender of a received email whose subject is one of our tokens, from the campaign's first choice.

	Frappe calls this for every new Communication: the others cost one comparison. A forged token has no effect.
	"""
	if document.sent_or_received == "Received":
		unsubscribe_by_subject(document.subject or "")


def unsubscribe_by_subject(subject: str) -> bool:
	"""Unsubscribe as `unsubscribe_by_mail` does, by the subject alone; return whether it was an unsubscribe email."""
	match = _SUBJECT.fullmatch(subject)
	if not match:
		return False
	try:
		holder = find_link_holder(read_token(Purpose.LEAVE, match.group(1)))
	except (InvalidTokenError, frappe.DoesNotExistError):
		return True
	if not holder.is_erased:
		unsubscribe_holder(holder, decide_scope(holder), utc_now(), BY_MAIL)
	return True


def is_unsubscribe_mail(document) -> bool:
	"""Return whether a Communication is an unsubscribe email, which replies to nothing."""
	return bool(_SUBJECT.fullmatch(document.subject or ""))
