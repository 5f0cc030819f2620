"""Record a reply: a person's ends the enrollment, an absence pauses it, an opt-out unsubscribes. Nothing here commits.

A reply names an email of ours, by its Message-ID or a tag. What only comes from a recipient's address proves nothing,
because anyone can write any address there: `unproven_replies.py` shows it to the owner.
"""

from datetime import date, datetime, time, timedelta
from email.message import Message
from email.utils import parseaddr

import frappe
from frappe import _

from drip_campaigns.core.flow.goals import ReplyScope
from drip_campaigns.core.inbound.message_reference import MessageReference
from drip_campaigns.core.inbound.opt_outs import OptOut
from drip_campaigns.core.inbound.parts import subject_of
from drip_campaigns.core.inbound.provider_events import strip_brackets
from drip_campaigns.core.inbound.read_message import Kind, Reading
from drip_campaigns.core.model import EventType, ExitReason, Status, UnsubscribeScope
from drip_campaigns.core.plain_text import one_line
from drip_campaigns.enrollment.changes import log
from drip_campaigns.enrollment.exit import exit_enrollments, find_live_of
from drip_campaigns.enrollment.pause import pause_enrollments
from drip_campaigns.enrollment.unsubscribe import decide_scope, find_link_holder, unsubscribe_holder
from drip_campaigns.exit_rules.same_company import find_same_company
from drip_campaigns.inbound.find_email import find_email, is_sent_to
from drip_campaigns.inbound.unproven_replies import link_communication, show_to_owners
from drip_campaigns.outbox.settle import settle_in_doubt
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.mail_domains import is_internal
from drip_campaigns.site.clock import from_site, site_date
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import notify
from drip_campaigns.site.settings import days_when_away

LONGEST_SUBJECT = 200  # in the log
PAUSABLE = (Status.SCHEDULED.value, Status.IN_PROGRESS.value)
BY_REPLY = "The recipient, by replying"


def record_reply(
	message: Message, reading: Reading, reference: MessageReference, communication, now: datetime
) -> None:
	"""Record a message that is not a report, if it replies to an email of ours.

	`communication` is None if Frappe could not make one.
	"""
	author = (communication and communication.sender) or parseaddr(str(message.get("from") or ""))[1]
	sender = normalize(author)
	mail = find_email(reference.addressed_to, reference.replied_ids)
	# Our own copies in the Sent folder, our other addresses and our colleagues are not replies.
	is_own = is_internal(sender) and not (mail and is_sent_to(mail, sender))
	if is_own or _is_duplicate(message, communication):
		return
	if not mail:
		show_to_owners(sender, reading.kind, subject_of(message), communication, now)
		return
	link_communication(communication, mail)
	settle_in_doubt([mail.name], now, _("The recipient replied to it."))
	if reading.kind is Kind.OPT_OUT:
		_unsubscribe(mail, reading.opt_out, now)
	elif reading.opt_out is OptOut.UNSURE:
		_ask_owner(mail, one_line(subject_of(message), LONGEST_SUBJECT), now)
	elif reading.kind is Kind.HUMAN:
		_record_human_reply(mail, one_line(subject_of(message), LONGEST_SUBJECT), now)
	else:
		_record_automatic_reply(mail, reading.back_on, now, is_away=reading.kind is Kind.ABSENCE)


def _record_human_reply(mail: frappe._dict, subject: str, now: datetime) -> None:
	document = _get_enrollment(mail)
	log(document, EventType.REPLIED, now, subject, mail)
	rule = frappe.db.get_value(
		"Drip Campaign", mail.campaign, ["continue_after_reply", "reply_scope"], as_dict=True
	)
	if rule and not rule.continue_after_reply:
		colleagues = find_same_company(document) if rule.reply_scope == ReplyScope.COMPANY else []
		# The person may be in the campaign again since that email, also as another record.
		again = find_live_of(mail.email_address, campaign=mail.campaign) if mail.email_address else []
		own = {document.name, *again}
		exit_enrollments(sorted(own), ExitReason.REPLY, ExitReason.REPLY.value, now)
		if colleagues:
			sentence = _("{0}, from the same company, replied")
			exit_enrollments(colleagues, ExitReason.REPLY, sentence.format(document.recipient_name), now)
	_notify_owner(document, subject)


def _ask_owner(mail: frappe._dict, subject: str, now: datetime) -> None:
	"""Let the enrollment wait for the owner: what the person wrote may be a wish to get no more email."""
	document = _get_enrollment(mail)
	log(document, EventType.REPLIED, now, subject, mail)
	if document.status in PAUSABLE:
		detail = _("The reply may ask to unsubscribe. Click Unsubscribe or Resume.")
		pause_enrollments([document.name], now, detail=detail)
	text = _(
		"{0} may have asked to get no more email from {1}: {2}. The enrollment waits. Read the reply, then click "
		"Unsubscribe or Resume."
	)
	_notify_owner(document, subject, text)


def _record_automatic_reply(
	mail: frappe._dict, back_on: date | None, now: datetime, *, is_away: bool
) -> None:
	document = _get_enrollment(mail)
	detail = _("Out of office until {0}").format(back_on)
	if is_away and not back_on and (days := days_when_away()):
		back_on = site_date(now) + timedelta(days=days)
		detail = _("Out of office without a day of return. Waits until {0}").format(back_on)
	until = _morning_of(back_on) if back_on else None
	if document.status in PAUSABLE and until:
		pause_enrollments([document.name], now, until=until, detail=detail)
		return
	text = _("Out-of-office reply") if is_away else _("Automatic reply")
	log(document, EventType.FEEDBACK, now, text, mail)


def _unsubscribe(mail: frappe._dict, wish: OptOut, now: datetime) -> None:
	holder = find_link_holder(mail.enrollment)
	asked = UnsubscribeScope.EVERYTHING if wish is OptOut.EVERYTHING else None
	unsubscribe_holder(holder, decide_scope(holder, asked), now, source=BY_REPLY)


def _get_enrollment(mail: frappe._dict):
	return frappe.get_doc("Drip Enrollment", mail.enrollment, for_update=True)


def _is_duplicate(message: Message, communication) -> bool:
	"""Return whether the message arrived before: in another Email Account, or before Frappe made an Unhandled Email of it."""
	message_id = communication.message_id if communication else strip_brackets(message.get("message-id"))
	if not message_id:
		return False
	same = {"message_id": message_id, "sent_or_received": "Received"}
	others = {"name": ["!=", communication.name]} if communication else {}
	return bool(frappe.db.exists("Communication", {**same, **others}))


def _morning_of(day: date) -> datetime:
	return from_site(datetime.combine(day, time()))


def _notify_owner(document, subject: str, text: str = "") -> None:
	owner = frappe.db.get_value("Drip Campaign", document.campaign, "owner")
	text = text or _("{0} replied to campaign {1}: {2}")
	text = as_html(text, bold(document.recipient_name or ""), document.campaign, subject)
	users = {user for user in (document.sender, owner) if user}
	frappe.db.after_commit.add(lambda: notify(users, text, "Drip Enrollment", document.name))
