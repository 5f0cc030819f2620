"""Leaving by an email: the mailto of List-Unsubscribe (RFC 2369), whose subject is the token of a link."""

import re

import frappe

from drip_campaigns.core.tracking.tokens import InvalidTokenError, Purpose
from drip_campaigns.enrollment.unsubscribe import default_scope, find_link_holder, unsubscribe_holder
from drip_campaigns.rendering.links import read_token
from drip_campaigns.site.clock import utc_now

BY_MAIL = "The recipient, by email"
_SUBJECT = re.compile(r"\s*unsubscribe\s+([\w.-]{20,200})\s*", re.IGNORECASE | re.ASCII)


def unsubscribe_by_mail(document, _event: str | None = None) -> None:
	"""Leave what the campaign says stands first, if a Communication is a received email with a token of ours as its subject.

	Called for every Communication of the site: all others cost one comparison. Forged tokens do nothing and say nothing.
	"""
	if document.sent_or_received == "Received":
		unsubscribe_by_subject(document.subject or "")


def unsubscribe_by_subject(subject: str) -> bool:
	"""As `leave_by_mail`, for the subject of a received email; return whether it was one of those that leave."""
	match = _SUBJECT.fullmatch(subject)
	if not match:
		return False
	try:
		leaver = find_link_holder(read_token(Purpose.LEAVE, match.group(1)))
	except (InvalidTokenError, frappe.DoesNotExistError):
		return True
	if not leaver.is_erased:
		unsubscribe_holder(leaver, default_scope(leaver), utc_now(), BY_MAIL)
	return True


def is_unsubscribe_mail(document) -> bool:
	"""Say whether a Communication is such an email: it is no answer to anything."""
	return bool(_SUBJECT.fullmatch(document.subject or ""))
