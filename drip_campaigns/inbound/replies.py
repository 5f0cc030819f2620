"""What follows from an answer: a person's ends the enrollment, an absence holds it, "unsubscribe" leaves. None commits."""

from datetime import date, datetime, time
from email.message import Message
from email.utils import parseaddr

import frappe
from frappe import _

from drip_campaigns.core.flow.goals import ReplyScope
from drip_campaigns.core.inbound.message_reference import MessageReference
from drip_campaigns.core.inbound.provider_events import bare_id
from drip_campaigns.core.inbound.replies import ReplyKind, read_reply, subject_of
from drip_campaigns.core.model import EventType, ExitReason, Status
from drip_campaigns.enrollment.changes import log
from drip_campaigns.enrollment.exit import exit_enrollments, find_live_of
from drip_campaigns.enrollment.pause import pause_enrollments
from drip_campaigns.enrollment.unsubscribe import default_scope, find_link_holder, unsubscribe_holder
from drip_campaigns.exit_rules.same_company import find_by_domain, find_same_company
from drip_campaigns.inbound.find_email import FIELDS, find_mail, is_to
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.internal_addresses import is_internal
from drip_campaigns.site.clock import from_site, site_date
from drip_campaigns.site.notify import notify

BY_ANSWER = "The recipient, by answering"


def handle_reply(message: Message, origin: MessageReference, communication, now: datetime) -> None:
	"""Do what follows from a message that is no report, if it answers an email of ours or comes from whom we write to.

	`communication` is None where Frappe could make none of it.
	"""
	said = (communication and communication.sender) or parseaddr(str(message.get("from") or ""))[1]
	sender = normalize(said)
	mail = find_mail(origin.addressed_to, origin.answered_ids)
	mails = [mail] if mail else _find_written_to(sender)
	# Our own copies in the Sent folder, our other addresses and our colleagues answer nothing.
	mails = [mail for mail in mails if mail and (is_to(mail, sender) or not is_internal(sender))]
	if mail is None and not mails:
		_take_word_of_company(message, sender, communication, now)
	if not mails or (mail is None and is_internal(sender)) or _is_known(message, communication):
		return
	reply = read_reply(message, site_date(now))
	for mail in mails:
		link(communication, mail)
		if reply.kind is ReplyKind.LEAVE:
			_leave(mail, now)
		elif reply.kind is ReplyKind.HUMAN:
			_take_answer(mail, subject_of(message), now)
		else:
			_take_automatic(mail, reply.back_on, now, is_away=reply.kind is ReplyKind.AWAY)


def link(communication, mail: frappe._dict) -> None:
	"""Show a received Communication, if there is one, on the enrollment and on the recipient's timeline."""
	if not communication:
		return
	if not communication.reference_name:
		communication.db_set({"reference_doctype": "Drip Enrollment", "reference_name": mail.enrollment})
	wanted = (mail.recipient_type, mail.recipient)
	linked = {(row.link_doctype, row.link_name) for row in communication.timeline_links}
	if wanted not in linked and frappe.db.exists(*wanted):
		# Not by saving it: it is being inserted just now.
		row = {"link_doctype": mail.recipient_type, "link_name": mail.recipient}
		communication.append("timeline_links", row).db_insert()


def _take_answer(mail: frappe._dict, subject: str, now: datetime) -> None:
	document = _get_enrollment(mail)
	log(document, EventType.REPLIED, now, subject, mail)
	rule = frappe.db.get_value(
		"Drip Campaign", mail.campaign, ["continue_after_reply", "reply_scope"], as_dict=True
	)
	if rule and not rule.continue_after_reply:
		colleagues = find_same_company(document) if rule.reply_scope == ReplyScope.COMPANY else []
		exit_enrollments([document.name], ExitReason.REPLY, ExitReason.REPLY.value, now)
		if colleagues:
			sentence = _("{0}, of the same company, has answered")
			exit_enrollments(colleagues, ExitReason.REPLY, sentence.format(document.recipient_name), now)
	_tell_owner(document, subject)


def _take_word_of_company(message: Message, sender: str, communication, now: datetime) -> None:
	"""Somebody whom we have not written to writes: that ends the campaigns to their company which an answer of theirs ends."""
	names = find_by_domain(sender)
	if not names or is_internal(sender) or _is_known(message, communication):
		return
	if read_reply(message, site_date(now)).kind is ReplyKind.HUMAN:
		detail = _("Somebody of the same company has written: {0}").format(sender)
		exit_enrollments(names, ExitReason.REPLY, detail, now)


def _take_automatic(mail: frappe._dict, back_on: date | None, now: datetime, *, is_away: bool) -> None:
	document = _get_enrollment(mail)
	until = _morning_of(back_on) if back_on else None
	if document.status in (Status.SCHEDULED.value, Status.IN_PROGRESS.value) and until:
		detail = _("Out of office until {0}").format(back_on)
		pause_enrollments([document.name], now, until=until, detail=detail)
		return
	text = _("An out-of-office answer") if is_away else _("A machine answered")
	log(document, EventType.FEEDBACK, now, text, mail)


def _leave(mail: frappe._dict, now: datetime) -> None:
	leaver = find_link_holder(mail.enrollment)
	unsubscribe_holder(leaver, default_scope(leaver), now, source=BY_ANSWER)


def _get_enrollment(mail: frappe._dict):
	return frappe.get_doc("Drip Enrollment", mail.enrollment, for_update=True)


def _find_written_to(sender: str) -> list[frappe._dict]:
	"""Return the latest email of each live enrollment of an address that has been sent anything."""
	live = find_live_of(sender) if "@" in sender else []
	if not live:
		return []
	filters = {"enrollment": ["in", live], "sent_at": ["is", "set"]}
	rows = frappe.get_all("Drip Email", filters=filters, fields=list(FIELDS), order_by="sent_at")
	return list({row.enrollment: row for row in rows}.values())


def _is_known(message: Message, communication) -> bool:
	"""Say whether the same message has come before: two Email Accounts may receive it, or Frappe put it aside afterwards."""
	message_id = communication.message_id if communication else bare_id(message.get("message-id"))
	if not message_id:
		return False
	same = {"message_id": message_id, "sent_or_received": "Received"}
	others = {"name": ["!=", communication.name]} if communication else {}
	return bool(frappe.db.exists("Communication", {**same, **others}))


def _morning_of(day: date) -> datetime:
	return from_site(datetime.combine(day, time()))


def _tell_owner(document, subject: str) -> None:
	owner = frappe.db.get_value("Drip Campaign", document.campaign, "owner")
	text = _("{0} has answered campaign {1}: {2}").format(
		frappe.bold(frappe.utils.escape_html(document.recipient_name or "")),
		frappe.utils.escape_html(document.campaign),
		frappe.utils.escape_html(subject),
	)
	told = {user for user in (document.sender, owner) if user}
	frappe.db.after_commit.add(lambda: notify(told, text, "Drip Enrollment", document.name))
