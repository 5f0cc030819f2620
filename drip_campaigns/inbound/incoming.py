"""Incoming emails, as Frappe receives them: bounces, complaints and replies to our emails. Others have no effect here.

Only what the mail receiver of an Email Account makes counts: anyone who may write to a record can make a Communication
that claims to be received. A message is read from its raw text (`raw_messages.py`), or from the fields of its
Communication if the process that received it did not keep the text.
"""

from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

import frappe
from frappe import _

from drip_campaigns.core.inbound.message_reference import LONGEST_READ, MessageReference, read_reference
from drip_campaigns.core.inbound.parts import subject_of
from drip_campaigns.core.inbound.read_message import Kind, Reading, read_message
from drip_campaigns.inbound import bounces, replies
from drip_campaigns.inbound.find_email import find_email, is_sent_to
from drip_campaigns.inbound.raw_messages import pop_raw_message
from drip_campaigns.inbound.unsubscribe_mails import is_unsubscribe_mail, unsubscribe_by_subject
from drip_campaigns.site.clock import site_date, utc_now
from drip_campaigns.site.error_log import log_failure
from drip_campaigns.site.received_mail import is_received

SAVE_POINT = "drip_incoming"
ANSWERS = (Kind.HUMAN, Kind.OPT_OUT, Kind.ABSENCE, Kind.AUTO_REPLY)
BY_REPORT = "A bounce"
BY_FEEDBACK = "A complaint (feedback loop)"


def read_communication(document, _event: str | None = None) -> None:
	"""Record what a new Communication, if it is a received email, says about our emails. An error here stops no receipt."""
	raw = pop_raw_message(document)
	is_mail = document.sent_or_received == "Received" and document.communication_medium == "Email"
	if is_mail and is_received(document) and not is_unsubscribe_mail(document):
		_read_safely(raw or _compose(document), document)


def read_unhandled(document, _event: str | None = None) -> None:
	"""Record what a message says about our emails of which Frappe could not make a Communication."""
	if document.raw:
		_read_safely(document.raw.encode("utf-8", "replace"), None)


def read_incoming(message: Message, communication, now: datetime) -> None:
	"""Record one message that arrived at `now`. A report that names no email of ours changes nothing and is logged."""
	if communication is None and unsubscribe_by_subject(subject_of(message)):
		return
	reading, reference = read_message(message, site_date(now)), read_reference(message)
	if reading.unread:
		frappe.logger("drip_campaigns").warning("an incoming email was not read: %s", reading.unread)
	if reading.kind is Kind.COMPLAINT:
		_record_complaint(message, reading, reference, communication, now)
	elif reading.kind is Kind.BOUNCE:
		_record_bounce(message, reading, reference, communication, now)
	elif reading.kind in ANSWERS:
		replies.record_reply(message, reading, reference, communication, now)


def _record_complaint(
	message: Message, reading: Reading, reference: MessageReference, communication, now: datetime
) -> None:
	mail, complaint = _find_reported(reference), reading.complaint
	# The report must name the address that we sent to: somebody can have forwarded a Message-ID.
	if mail and (not complaint.address or is_sent_to(mail, complaint.address)):
		detail = f"{complaint.kind} {complaint.reporter}".strip()
		bounces.record_complaint(mail, detail, now, source=BY_FEEDBACK)
		replies.link_communication(communication, mail)
	else:
		_log_unknown(message, reference)


def _record_bounce(
	message: Message, reading: Reading, reference: MessageReference, communication, now: datetime
) -> None:
	mail = _find_reported(reference)
	own = mail and bounces.find_own_bounce(mail, reading.bounces)
	if not own:
		_log_unknown(message, reference)
		return
	bounces.record_bounce(mail, own, now, source=BY_REPORT)
	replies.link_communication(communication, mail)


def _find_reported(reference: MessageReference) -> frappe._dict | None:
	ids = (*reference.returned_ids, *reference.replied_ids)
	return find_email((*reference.addressed_to, *reference.return_paths), ids)


def _read_safely(raw: bytes, communication) -> None:
	frappe.db.savepoint(SAVE_POINT)
	try:
		read_incoming(message_from_bytes(raw[:LONGEST_READ]), communication, utc_now())
	except frappe.QueryDeadlockError:
		raise  # the database undid the transaction: Frappe receives the message again
	except Exception:  # noqa: BLE001 - strangers write these messages: one must not stop the receipt of the others
		frappe.db.rollback(save_point=SAVE_POINT)
		log_failure(_("Drip Campaigns could not read an incoming email"))


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


def _log_unknown(message: Message, reference: MessageReference) -> None:
	names = ", ".join(reference.returned_ids[:3]) or "no Message-ID"
	text = "ignored a report from %s: it names no email of a campaign (%s)"
	frappe.logger("drip_campaigns").info(text, str(message.get("from"))[:200], names)
