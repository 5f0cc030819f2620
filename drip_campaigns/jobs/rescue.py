"""Settle emails that the delivery job did not settle: Frappe's own flush sent them, or their worker was killed.

Runs at the start of every dispatch, because Frappe 16 resets rows that stay `Sending` for 15 minutes to `Not Sent`.
"""

import re
from datetime import datetime, timedelta
from functools import partial

import frappe
from frappe import _

from drip_campaigns.enrollment.suppress import suppress_refused
from drip_campaigns.jobs.batches import run_transaction
from drip_campaigns.outbox import emails, sending_blocks, settle
from drip_campaigns.outbox.delivery_state import ACCEPTED, CLAIMED, DeliveryState
from drip_campaigns.outbox.run_replies import RunReplies
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.settings import release_after

SILENT_AFTER = timedelta(minutes=8)  # a running worker finishes a group within 7 (deliver.py)
RETRY_AFTER = timedelta(hours=1)
BATCH_SIZE = 1000
# What smtplib raises when a server refuses the recipient or the text: the code, and the server's text
_REFUSED = re.compile(
	r"""SMTP(?:RecipientsRefused|DataError).*\((?P<code>5\d\d), b(?P<quote>['"])(?P<words>.*?)(?P=quote)\)"""
)


def rescue_strays(now: datetime) -> int:
	"""Settle emails that their delivery job did not settle, and return how many. Commits."""
	moments = to_site(now), to_site(now - SILENT_AFTER)
	frappe.db.commit()
	names = emails.find_stray_names(*moments, BATCH_SIZE)
	if not names:
		return 0
	strays = run_transaction(partial(_settle_strays, names, moments, now))
	DeliveryState().forget([mail.email_queue for mail in strays if mail.email_queue])
	return len(strays)


def _settle_strays(names: list[str], moments: tuple[datetime, datetime], now: datetime) -> list[frappe._dict]:
	strays = emails.lock_strays(names, *moments)
	if strays:
		replies, refusals = RunReplies().judge(strays, _read_replies(strays), now)
		hard = settle.settle(strays, replies, now, release_after())
		suppress_refused({mail.email_address: mail.reply for mail in hard}, now)
		sending_blocks.block_accounts(refusals, now)
	return strays


def has_waiting_mail(now: datetime) -> bool:
	"""Return True if a queued email waits for a delivery job."""
	return bool(emails.count_deliverable(to_site(now)))


def _read_replies(strays: list[frappe._dict]) -> dict[str, ServerReply]:
	silent = [mail for mail in strays if mail.queue_status in ("Sending", "Not Sent")]
	notes = DeliveryState().take_back([mail.email_queue for mail in silent])
	replies = {mail.name: _reply_of_frappe(mail) for mail in strays if mail not in silent}
	for mail in silent:
		note = notes[mail.email_queue]
		if note == ACCEPTED:
			replies[mail.name] = ServerReply(DeliveryOutcome.ACCEPTED)
		elif note != CLAIMED:
			replies[mail.name] = ServerReply(DeliveryOutcome.UNKNOWN)
	return replies


def _reply_of_frappe(mail: frappe._dict) -> ServerReply:
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
	return ServerReply(
		DeliveryOutcome.FAILED, text=_("The Email Queue row was deleted before the email was sent.")
	)
