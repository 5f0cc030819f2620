"""Reads one incoming message: what it is, whom it concerns, and which emails of ours it names. Never raises.

What is known about a machine's origin stays known to the end: its email can be a bounce, a delay, a complaint, an absence,
an automatic reply, a receipt, or nothing, and is never a person's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from email.message import Message

from drip_campaigns.core.inbound.absences import is_absence
from drip_campaigns.core.inbound.bounces import Bounce, read_report
from drip_campaigns.core.inbound.complaints import Complaint, read_complaint
from drip_campaigns.core.inbound.free_text_bounces import says_failed
from drip_campaigns.core.inbound.message_reference import read_reference
from drip_campaigns.core.inbound.opt_outs import OptOut, read_opt_out
from drip_campaigns.core.inbound.origin import Origin, read_origin
from drip_campaigns.core.inbound.out_of_office import find_return_date
from drip_campaigns.core.inbound.own_words import own_words
from drip_campaigns.core.inbound.parts import read_text, subject_of
from drip_campaigns.core.inbound.receipts import is_receipt
from drip_campaigns.core.label import Label


class Kind(Label):
	"""What a message is."""

	BOUNCE = "bounce"
	DELAY = "delay"
	COMPLAINT = "complaint"
	ABSENCE = "absence"
	AUTO_REPLY = "auto_reply"
	RECEIPT = "receipt"
	OPT_OUT = "opt_out"
	HUMAN = "human"
	NOTHING = "nothing"


@dataclass(frozen=True)
class Reading:
	"""What a message says. `opt_out` is set for people; `back_on` for absences that name the day; `unread` if reading failed."""

	kind: Kind
	bounces: tuple[Bounce, ...] = ()
	complaint: Complaint | None = None
	message_ids: tuple[str, ...] = ()
	back_on: date | None = None
	opt_out: OptOut = OptOut.NOTHING
	unread: str = ""


def read_message(message: Message, received_on: date) -> Reading:
	"""Return the reading of a message that arrived on `received_on`; a day without a year is read as of that day."""
	try:
		return _read(message, received_on)
	except Exception as error:  # noqa: BLE001 - strangers write these messages; what we cannot read is reported as unread
		return Reading(Kind.NOTHING, unread=f"{type(error).__name__}: {error}"[:300])


def _read(message: Message, received_on: date) -> Reading:
	reference = read_reference(message)
	ids = tuple(dict.fromkeys((*reference.returned_ids, *reference.replied_ids)))
	if complaint := read_complaint(message):
		return Reading(Kind.COMPLAINT, complaint=complaint, message_ids=ids)
	origin, subject = read_origin(message), subject_of(message)
	is_mdn = is_receipt(message)
	if not is_mdn and may_be_report(message, origin):
		report = read_report(message)
		if report.bounces:
			return Reading(Kind.BOUNCE, bounces=report.bounces, message_ids=ids)
		if report.is_delay:
			return Reading(Kind.DELAY, message_ids=ids)
		is_mdn = report.is_delivered
	if is_mdn:
		return Reading(Kind.RECEIPT, message_ids=ids)
	text = own_words(message)
	if is_absence(subject, text, is_machine=origin.is_machine):
		back_on = find_return_date(f"{subject}.\n{text}", received_on)
		return Reading(Kind.ABSENCE, message_ids=ids, back_on=back_on)
	if origin.is_machine:
		return Reading(Kind.AUTO_REPLY if _answers(message) else Kind.NOTHING, message_ids=ids)
	wish = read_opt_out(text, subject)
	kind = Kind.OPT_OUT if wish in (OptOut.SERIES, OptOut.EVERYTHING) else Kind.HUMAN
	return Reading(kind, message_ids=ids, opt_out=wish)


def may_be_report(message: Message, origin: Origin) -> bool:
	"""Return whether a message can be a mail system's report: a machine sent it, or its subject and its form say so."""
	if origin.is_daemon or (origin.is_machine and origin.looks_failed):
		return not _is_vacation(message)
	is_answer = "in-reply-to" in message
	return origin.looks_failed and not is_answer and "@" in read_text(message)[:4000] and _is_bare(message)


def _is_bare(message: Message) -> bool:
	"""A mail system that hides behind a person's address: its text begins with the failure."""
	return says_failed(message) and not str(message.get("x-mailer") or message.get("user-agent") or "")


def _is_vacation(message: Message) -> bool:
	"""An absence can have an empty return path too (RFC 3834): it answers, and reports no status."""
	submitted = str(message.get("auto-submitted") or "").lower()
	return (
		submitted.startswith("auto-replied")
		and is_absence(subject_of(message), own_words(message), is_machine=True)
		and "x-failed-recipients" not in message
	)


def _answers(message: Message) -> bool:
	"""A newsletter is sent by a machine too, and answers nothing."""
	submitted = str(message.get("auto-submitted") or "no").strip().lower()
	return "in-reply-to" in message or not submitted.startswith("no")
