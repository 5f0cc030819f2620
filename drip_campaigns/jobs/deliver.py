"""The delivery job: claim queued emails in small groups, send each group over one connection, and record the outcomes.

No row is locked while it talks to a server. If it is killed, the rescue settles the group by the delivery state that it
kept in Redis (`outbox/delivery_state.py`).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import frappe
import redis
from frappe import _

from drip_campaigns.campaign.auto_pause import pause_if_active
from drip_campaigns.core.errors import BrokenRuleError
from drip_campaigns.enrollment.suppress import suppress_refused
from drip_campaigns.exit_rules.apply import exit_before_sending, load_rules
from drip_campaigns.jobs.batches import DELIVERY, run_transaction
from drip_campaigns.outbox import emails, sending_blocks
from drip_campaigns.outbox.cancel import cancel_or_pause
from drip_campaigns.outbox.connections import SmtpConnections
from drip_campaigns.outbox.delivery_state import DeliveryState
from drip_campaigns.outbox.run_replies import RunReplies
from drip_campaigns.outbox.sending_limits import SendingLimits
from drip_campaigns.outbox.settle import settle
from drip_campaigns.outbox.transport import (
	DeliveryOutcome,
	ServerReply,
	SmtpEnvelope,
	read_reply,
	send_envelope,
	send_text,
)
from drip_campaigns.people.addresses import to_ascii
from drip_campaigns.rendering.reply_addresses import Mailboxes
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.site.settings import may_send, release_after

GROUP_SIZE = (
	200  # more emails a group means fewer statements an email, but more work for the rescue after a kill
)
GROUP_SECONDS = (
	180  # then the rest of the group is queued again, long before the rescue counts the job as dead
)
RECHECK_SECONDS = 1  # how often the rest of a group is checked for blocks, pauses, and unsubscribes
_MAY_BE_SENT = (DeliveryOutcome.ACCEPTED, DeliveryOutcome.UNKNOWN)


def deliver_due_mail() -> None:
	"""Deliver the queued emails: enqueued by the dispatch after its commit. Several may run at the same time."""
	deliver(utc_now)


def deliver(clock: Callable[[], datetime]) -> int:
	"""Send queued emails until none is left or the job's time is up; return how many the servers accepted."""
	until, accepted = time.monotonic() + DELIVERY.seconds, 0
	courier = Courier(clock)
	frappe.db.commit()  # what a claim reads must not be older than the locks it takes
	try:
		while time.monotonic() < until:
			count = courier.deliver_group()
			if count is None:
				break
			accepted += count
	finally:
		courier.connections.close()
	return accepted


class Courier:
	"""Sends groups of emails, with the connections, delivery state, and limits of one job."""

	def __init__(self, clock: Callable[[], datetime]) -> None:
		self.clock, self.connections = clock, SmtpConnections()
		self.state, self.mailboxes, self.limits = DeliveryState(), Mailboxes(), SendingLimits()
		self.run = RunReplies()
		# The previous attempt, and whether it was accepted, until that is recorded
		self.previous: tuple[str, bool] | None = None

	def deliver_group(self) -> int | None:
		"""Claim, send, and settle one group; return how many were accepted, or None when nothing may be sent now."""
		claimed = run_transaction(self._claim_group, is_new=True)
		if claimed is None:
			return None
		mails, allowed = claimed
		replies, refusals = self.run.judge(mails, self._send_group(self._apply_rules(allowed)), self.clock())
		mails = run_transaction(partial(_settle_own, mails, replies, self.clock()))
		if refusals:
			run_transaction(partial(sending_blocks.block_accounts, refusals, self.clock()), is_new=True)
		self._forget(mails)
		return sum(reply.outcome is DeliveryOutcome.ACCEPTED for reply in replies.values())

	def _claim_group(self) -> tuple[list[frappe._dict], list[frappe._dict]] | None:
		"""Claim a group; return it, and the emails of it that may be sent."""
		now = self.clock()
		mails = emails.claim_mail(to_site(now), GROUP_SIZE)
		if not mails or not may_send():
			frappe.db.rollback()
			return None
		self.blocks = sending_blocks.load(now)
		self.limits.slow(self.blocks.slowed, sending_blocks.SLOW_PER_HOUR)
		self.state.claim([mail.email_queue for mail in mails])
		return mails, cancel_or_pause(mails, now)

	def _send_group(self, mails: list[frappe._dict]) -> dict[str, ServerReply]:
		replies: dict[str, ServerReply] = {}
		# By account, so that a group needs each connection once; the next is the last of the list.
		waiting = sorted(mails, key=lambda mail: mail.email_account or "")[::-1]
		checked_at = time.monotonic()
		deadline = checked_at + GROUP_SECONDS
		while waiting and time.monotonic() < deadline:
			mail = waiting.pop()
			reply = self._send_one(mail)
			if reply:
				replies[mail.name] = reply
			if reply is None or reply.outcome not in _MAY_BE_SENT:
				self._give_back()
			if time.monotonic() - checked_at > RECHECK_SECONDS:
				waiting, checked_at = self._recheck(waiting), time.monotonic()
		self._finish_previous()
		return replies

	def _recheck(self, waiting: list[frappe._dict]) -> list[frappe._dict]:
		"""Return the emails that may still be sent; the others were canceled, or are queued again untried."""
		now = self.clock()
		allowed = run_transaction(lambda: cancel_or_pause(waiting, now) if may_send() else [])
		return self._apply_rules(allowed)

	def _apply_rules(self, mails: list[frappe._dict]) -> list[frappe._dict]:
		"""Return the emails that may still be sent after the exit rules of their campaigns.

		In a transaction of its own: ending an enrollment locks it before its emails, and the claim locked the emails first.
		"""
		now = self.clock()
		if not _has_rules(mails):
			return mails
		ended = run_transaction(partial(_end_enrollments, mails, now))
		return run_transaction(partial(cancel_or_pause, mails, now), is_new=True) if ended else mails

	def _send_one(self, mail: frappe._dict) -> ServerReply | None:
		"""Send one email and return the reply; None if another job owns it now."""
		if blocked := self.blocks.find_reply(mail.email_account, self.clock()):
			return blocked
		envelope = self._make_envelope(mail)
		if isinstance(envelope, ServerReply):
			return envelope
		try:
			domain = envelope.recipient.rpartition("@")[2]
			deferral = self.limits.reserve(mail.email_account or "", domain, self.clock())
			if deferral:
				return ServerReply(DeliveryOutcome.HELD, text=deferral.reason, until=deferral.until)
			session = self._connect(mail)
			if isinstance(session, ServerReply):
				return session
			send_envelope(session, envelope)
			if not self._begin_attempt(mail):
				self.connections.drop(mail.email_account)
				return None
		except redis.RedisError as error:
			self.connections.drop(mail.email_account)
			return ServerReply(DeliveryOutcome.DEFERRED, text=f"Redis: {error}")
		return self._converse(mail, session, envelope)

	def _converse(self, mail: frappe._dict, session, envelope: SmtpEnvelope) -> ServerReply:
		reply = read_reply(session, envelope) or send_text(session, emails.message_of(mail))
		if reply.outcome is not DeliveryOutcome.UNKNOWN:
			self.previous = (mail.email_queue, reply.outcome is DeliveryOutcome.ACCEPTED)
		if not reply.connected:
			self.connections.drop(mail.email_account)
		return reply

	def _make_envelope(self, mail: frappe._dict) -> SmtpEnvelope | ServerReply:
		"""Return the sender and the recipient of an email, or a reply if SMTP cannot carry their addresses."""
		try:
			return_path = self.mailboxes.return_path(mail.email_account, mail.name)
			envelope = SmtpEnvelope(return_path or mail.sender, to_ascii(mail.email_address))
			"".join(envelope.commands).encode("ascii")
		except UnicodeError:
			text = _("Mail servers do not accept a character in {0} or in {1}. Correct the address.")
			return ServerReply(DeliveryOutcome.FAILED, text=text.format(mail.sender, mail.email_address))
		return envelope

	def _give_back(self) -> None:
		try:
			self.limits.give_back()
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning(
				"the sending limits still count an email that was not sent"
			)

	def _connect(self, mail: frappe._dict):
		if not self.connections.has(mail.email_account):
			self._finish_previous()  # connecting may take a while
		return self.connections.open(mail.email_account, mail.sender)

	def _begin_attempt(self, mail: frappe._dict) -> bool:
		is_ours = self.state.attempt(mail.email_queue, self.previous)
		self.previous = None
		return is_ours

	def _finish_previous(self) -> None:
		if not self.previous:
			return
		name, accepted = self.previous
		self.previous = None
		try:
			self.state.finish(name, accepted=accepted)
		except redis.RedisError:
			# The database records it in a moment; only a kill before that puts this email in doubt.
			frappe.logger("drip_campaigns").warning("Redis did not record the outcome of %s", name)

	def _forget(self, mails: list[frappe._dict]) -> None:
		try:
			self.state.forget([mail.email_queue for mail in mails])
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning(
				"the delivery state of settled emails stays in Redis until it expires"
			)


def _settle_own(
	mails: list[frappe._dict], replies: dict[str, ServerReply], now: datetime
) -> list[frappe._dict]:
	"""Record the outcomes of the emails that this job still owns, and return these emails.

	If the job slept for long, the rescue may own some of them, and settles those.
	"""
	own = emails.lock_own(mails, replies)
	hard = settle(own, replies, now, release_after())
	suppress_refused({mail.email_address: mail.reply for mail in hard}, now)
	return own


def _has_rules(mails: Sequence[frappe._dict]) -> bool:
	rules = [load_rules(campaign) for campaign in {mail.campaign for mail in mails}]
	return any(found and not found.is_empty for found in rules)


def _end_enrollments(mails: Sequence[frappe._dict], now: datetime) -> int:
	"""End the enrollments of claimed emails whose exit rules apply at `now`; return how many emails must not be sent.

	If the rules of a campaign cannot be evaluated, it is paused, and the emails of the others are sent.
	"""
	by_campaign: dict[str, list[str]] = defaultdict(list)
	for mail in mails:
		by_campaign[mail.campaign].append(mail.enrollment)
	ended = 0
	for campaign, names in by_campaign.items():
		try:
			ended += exit_before_sending(campaign, names, now)
		except BrokenRuleError as error:
			pause_if_active(campaign, str(error), now)
			ended += len(names)
	return ended
