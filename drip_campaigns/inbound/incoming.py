"""Incoming mail, as Frappe receives it: what it says of our emails is read here, and everybody else's is left alone.

Frappe makes a Communication of each message and keeps nothing else of it; a bounce's report and the headers of an answer
are then gone. While it does, the message as it came stands on the stack (`frappe/email/receive.py`, InboundMail): that is
read. A Communication that came in another way is read from its own fields.
"""

import sys
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

import frappe
from frappe import _
from frappe.email.receive import InboundMail

from drip_campaigns.core.inbound.bounces import read_bounces
from drip_campaigns.core.inbound.complaints import read_complaint
from drip_campaigns.core.inbound.message_reference import (
	LONGEST_READ,
	MessageReference,
	is_auto_generated,
	read_reference,
)
from drip_campaigns.core.inbound.replies import subject_of
from drip_campaigns.inbound import bounces, replies
from drip_campaigns.inbound.find_email import find_mail, is_to
from drip_campaigns.inbound.unsubscribe_mails import is_unsubscribe_mail, unsubscribe_by_subject
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.error_log import log_failure

SAVE_POINT = "drip_incoming"
DEEPEST_CALL = 60
BY_REPORT = "A bounce"
BY_FEEDBACK = "A complaint (feedback loop)"


def read_communication(document, _event: str | None = None) -> None:
	"""A Communication was made: take note of what a received one says of our emails. Receiving goes on whatever happens."""
	is_mail = document.sent_or_received == "Received" and document.communication_medium == "Email"
	if is_mail and not is_unsubscribe_mail(document):
		_read_safely(_raw_on_stack() or _compose(document), document)


def read_unhandled(document, _event: str | None = None) -> None:
	"""Frappe could not make a Communication of a message and has put it aside: it counts all the same."""
	if document.raw:
		_read_safely(document.raw.encode("utf-8", "replace"), None)


def read_incoming(message: Message, communication, now: datetime) -> None:
	"""Do what follows from one message at `now`. A report that names no email of ours changes nothing, and is logged."""
	if communication is None and unsubscribe_by_subject(subject_of(message)):
		return
	origin = read_reference(message)
	if complaint := read_complaint(message):
		mail = _find_reported(origin)
		# An address in the report must be the one that was written to: a Message-ID alone can be forwarded.
		if mail and (not complaint.address or is_to(mail, complaint.address)):
			detail = f"{complaint.kind} {complaint.reporter}".strip()
			bounces.record_complaint(mail, detail, now, source=BY_FEEDBACK)
			replies.link(communication, mail)
		else:
			_log_unknown(message, origin)
	elif is_auto_generated(message):
		_handle_report(message, origin, communication, now)
	else:
		replies.handle_reply(message, origin, communication, now)


def _handle_report(message: Message, origin: MessageReference, communication, now: datetime) -> None:
	failed = read_bounces(message)
	if not failed:
		if message.get_content_type() != "multipart/report":
			replies.handle_reply(message, origin, communication, now)  # an absence, from a no-reply address
		return
	mail = _find_reported(origin)
	own = mail and bounces.choose_own(mail, failed)
	if not own:
		_log_unknown(message, origin)
		return
	bounces.record_bounce(mail, own, now, source=BY_REPORT)
	replies.link(communication, mail)


def _find_reported(origin: MessageReference) -> frappe._dict | None:
	ids = (*origin.returned_ids, *origin.answered_ids)
	return find_mail((*origin.addressed_to, *origin.return_paths), ids)


def _read_safely(raw: bytes, communication) -> None:
	frappe.db.savepoint(SAVE_POINT)
	try:
		read_incoming(message_from_bytes(raw[:LONGEST_READ]), communication, utc_now())
	except frappe.QueryDeadlockError:
		raise  # the whole transaction is undone: Frappe receives the message again
	except Exception:  # noqa: BLE001 - strangers write these messages: none of them may stop the receipt of the others
		frappe.db.rollback(save_point=SAVE_POINT)
		log_failure(_("Drip Campaigns could not read an incoming email"))


def _raw_on_stack() -> bytes | None:
	frame, depth = sys._getframe(1), 0
	while frame and depth < DEEPEST_CALL:
		caller = frame.f_locals.get("self")
		if isinstance(caller, InboundMail):
			raw = caller.raw_message
			return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
		frame, depth = frame.f_back, depth + 1
	return None


def _compose(document) -> bytes:
	message = EmailMessage(policy=policy.SMTP)
	parent = document.in_reply_to and frappe.db.get_value("Communication", document.in_reply_to, "message_id")
	for name, value in (
		("From", document.sender),
		("To", document.recipients),
		("Subject", document.subject),
		("Message-ID", document.message_id and f"<{document.message_id}>"),
		("In-Reply-To", parent and f"<{parent}>"),
	):
		if value:
			message[name] = " ".join(str(value).split())
	message.set_content(document.content or "", subtype="html")
	return message.as_bytes()


def _log_unknown(message: Message, origin: MessageReference) -> None:
	names = ", ".join(origin.returned_ids[:3]) or "no Message-ID"
	text = "a report from %s is about no email of a campaign (%s): nothing is done"
	frappe.logger("drip_campaigns").info(text, str(message.get("from"))[:200], names)
