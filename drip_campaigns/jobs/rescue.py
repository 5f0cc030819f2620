"""Settle emails that the delivery job did not: sent by Frappe's own flush, or left behind by a worker that died.

Runs at the start of every dispatch, before Frappe 16 puts rows that stay `Sending` for 15 minutes back to `Not Sent`.
"""

import re
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.enrollment.suppress import suppress_refused
from drip_campaigns.outbox import emails, settle
from drip_campaigns.outbox.delivery_state import ACCEPTED, CLAIMED, DeliveryState
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.settings import release_after

SILENT_AFTER = timedelta(minutes=8)  # a living worker finishes a group within 7 (delivery.py)
RETRY_AFTER = timedelta(hours=1)
SWEEP_SIZE = 1000
# What smtplib raises when a server does not take the recipient, or the text: the code, and the server's words
_REFUSED = re.compile(
	r"""SMTP(?:RecipientsRefused|DataError).*\((?P<code>5\d\d), b(?P<quote>['"])(?P<words>.*?)(?P=quote)\)"""
)


def rescue_strays(now: datetime) -> int:
	"""Settle what others left behind and return how many emails; commits."""
	frappe.db.commit()
	strays = _settle_strays(now)
	if strays:
		frappe.db.commit()
		DeliveryState().forget([mail.email_queue for mail in strays if mail.email_queue])
	return len(strays)


@retry_on_deadlock
def _settle_strays(now: datetime) -> list[frappe._dict]:
	moments = to_site(now), to_site(now - SILENT_AFTER)
	names = emails.find_stray_names(*moments, SWEEP_SIZE)
	if not names:
		return []
	frappe.db.commit()  # what is locked next must not be older than its lock
	strays = emails.lock_strays(names, *moments)
	if strays:
		hard = settle.settle(strays, _read_answers(strays), now, release_after())
		suppress_refused({mail.email_address: mail.answer for mail in hard}, now)
	return strays


def has_waiting_mail(now: datetime) -> bool:
	"""Say whether a queued email waits for a delivery job."""
	return bool(emails.count_deliverable(to_site(now)))


def _read_answers(strays: list[frappe._dict]) -> dict[str, ServerReply]:
	silent = [mail for mail in strays if mail.queue_status in ("Sending", "Not Sent")]
	notes = DeliveryState().take_back([mail.email_queue for mail in silent])
	answers = {mail.name: _settled_by_frappe(mail) for mail in strays if mail not in silent}
	for mail in silent:
		note = notes[mail.email_queue]
		if note == ACCEPTED:
			answers[mail.name] = ServerReply(DeliveryOutcome.ACCEPTED)
		elif note != CLAIMED:
			answers[mail.name] = ServerReply(DeliveryOutcome.UNKNOWN)
	return answers


def _settled_by_frappe(mail: frappe._dict) -> ServerReply:
	if mail.queue_status in ("Sent", "Partially Sent"):
		return ServerReply(DeliveryOutcome.ACCEPTED)
	if mail.queue_status == "Error":
		lines = (mail.error or "").strip().splitlines()  # a traceback; its last line says what happened
		refusal = _REFUSED.search(lines[-1]) if lines else None
		if refusal:
			return ServerReply(DeliveryOutcome.REFUSED, int(refusal["code"]), refusal["words"])
		return ServerReply(
			DeliveryOutcome.FAILED, text=lines[-1] if lines else _("Frappe's Email Queue gave up.")
		)
	return ServerReply(DeliveryOutcome.FAILED, text=_("Its Email Queue row was deleted before it was sent."))
