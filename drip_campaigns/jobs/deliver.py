"""The delivery job: take queued emails in small groups, send each group over one connection, write down the outcome.

Commits around each group; no transaction is open while it talks to a server. If it dies, the sweep settles what its
notes in Redis say (see `notes.py`).
"""

import time
from collections.abc import Callable
from datetime import datetime

import frappe
import redis
from frappe import _
from frappe.email.doctype.email_account.email_account import EmailAccount

from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.enrollment.suppress import suppress_refused
from drip_campaigns.jobs.apply_exit_rules import end_enrollments, has_rules
from drip_campaigns.outbox import emails, sending_blocks
from drip_campaigns.outbox.cancel import cancel_or_pause
from drip_campaigns.outbox.delivery_state import DeliveryState
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
from drip_campaigns.site.notify import notify_about_account
from drip_campaigns.site.settings import may_send, release_after

GROUP_SIZE = 200  # the more, the fewer statements an email; what a killed job had claimed waits for the sweep
GROUP_BUDGET_SECONDS = 180  # then the rest of a group goes back, long before the sweep takes it for dead
ASK_AGAIN_SECONDS = 1  # whether what is left of a group may still leave: not after a brake or an unsubscribe
SOCKET_TIMEOUT_SECONDS = 60
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500
_MAY_HAVE_LEFT = (DeliveryOutcome.ACCEPTED, DeliveryOutcome.UNKNOWN)


def deliver_due_mail() -> None:
	"""Deliver whatever waits: enqueued by the dispatch after its commit. Several may run at once."""
	deliver(utc_now)


def deliver(clock: Callable[[], datetime]) -> int:
	"""Send queued emails until none is left or the job's time is up; return how many the server accepted."""
	started, accepted = time.monotonic(), 0
	courier = Courier(clock)
	frappe.db.commit()  # what a claim reads must not be older than the locks it takes
	try:
		while time.monotonic() - started < JOB_BUDGET_SECONDS:
			count = courier.deliver_group()
			if count is None:
				break
			accepted += count
	finally:
		courier.connections.close()
	return accepted


class Courier:
	"""What one delivery job has at hand: connections, notes, limits and a clock."""

	def __init__(self, clock: Callable[[], datetime]) -> None:
		self.clock, self.connections = clock, _Connections()
		self.notes, self.mailboxes, self.limits = DeliveryState(), Mailboxes(), SendingLimits()
		# The last attempt, and whether it was accepted, as long as that is not noted.
		self.before: tuple[str, bool] | None = None

	def deliver_group(self) -> int | None:
		"""Claim, send and settle one group; return how many were accepted, or None when nothing may be sent now."""
		now = self.clock()
		mails = emails.claim_mail(to_site(now), GROUP_SIZE)
		if not mails or not may_send():
			frappe.db.rollback()
			return None
		self._heed_brakes(now)
		self.notes.claim([mail.email_queue for mail in mails])
		allowed = self._ask_rules(cancel_or_pause(mails, now), now)
		frappe.db.commit()
		answers = self._send_group(allowed)
		frappe.db.commit()  # what is locked next must not be older than its lock
		mails = _settle_own(mails, answers, self.clock())
		frappe.db.commit()
		self._note_complaints(mails, answers, now)
		self._forget(mails)
		return sum(answer.outcome is DeliveryOutcome.ACCEPTED for answer in answers.values())

	def _note_complaints(
		self, mails: list[frappe._dict], answers: dict[str, ServerReply], now: datetime
	) -> None:
		answered = [(mail.email_account, answers[mail.name]) for mail in mails if mail.name in answers]
		refused = [
			(account, answer)
			for account, answer in answered
			if answer.outcome is not DeliveryOutcome.ACCEPTED
		]
		if refused:
			sending_blocks.record_replies(refused, now)
			frappe.db.commit()

	def _heed_brakes(self, now: datetime) -> None:
		"""Learn which accounts mail servers have complained about, as of now."""
		self.brakes = sending_blocks.load(now)
		self.limits.slow(self.brakes.slowed, sending_blocks.SLOW_PER_HOUR)

	def _send_group(self, mails: list[frappe._dict]) -> dict[str, ServerReply]:
		answers: dict[str, ServerReply] = {}
		# By account, so that a group needs each connection once; the next is the last of the list.
		waiting = sorted(mails, key=lambda mail: mail.email_account or "")[::-1]
		asked = time.monotonic()
		deadline = asked + GROUP_BUDGET_SECONDS
		while waiting and time.monotonic() < deadline:
			mail = waiting.pop()
			answer = self._send_one(mail)
			if answer:
				answers[mail.name] = answer
			if answer is None or answer.outcome not in _MAY_HAVE_LEFT:
				self._give_back()
			if time.monotonic() - asked > ASK_AGAIN_SECONDS:
				waiting, asked = self._ask_again(waiting), time.monotonic()
		self._note_before()
		return answers

	def _ask_again(self, waiting: list[frappe._dict]) -> list[frappe._dict]:
		"""Return which of these may still leave; what may not has been dealt with, or goes back untried."""
		frappe.db.commit()  # else the answer would be as old as this transaction
		allowed = cancel_or_pause(waiting, self.clock()) if may_send() else []
		allowed = self._ask_rules(allowed, self.clock())
		frappe.db.commit()
		return allowed

	def _ask_rules(self, mails: list[frappe._dict], now: datetime) -> list[frappe._dict]:
		"""Return which of these still leave once the rules of their campaigns have been asked, too.

		In a transaction of its own: whoever ends an enrollment locks it before its emails, and here those came first.
		"""
		if not has_rules(mails):
			return mails
		frappe.db.commit()
		ended = end_enrollments(mails, now)
		frappe.db.commit()
		return cancel_or_pause(mails, now) if ended else mails

	def _send_one(self, mail: frappe._dict) -> ServerReply | None:
		"""Send one email; None when it is not ours any more."""
		if held := self.brakes.hold_back(mail.email_account, self.clock()):
			return held
		envelope = self._make_envelope(mail)
		if isinstance(envelope, ServerReply):
			return envelope
		try:
			domain = envelope.recipient.rpartition("@")[2]
			held = self.limits.reserve(mail.email_account or "", domain, self.clock())
			if held:
				return ServerReply(DeliveryOutcome.HELD, text=held.reason, until=held.until)
			session = self._connect(mail)
			if isinstance(session, ServerReply):
				return session
			send_envelope(session, envelope)
			if not self._note_attempt(mail):
				self.connections.drop(mail.email_account)
				return None
		except redis.RedisError as error:
			self.connections.drop(mail.email_account)
			return ServerReply(DeliveryOutcome.DEFERRED, text=f"Redis: {error}")
		return self._converse(mail, session, envelope)

	def _converse(self, mail: frappe._dict, session, envelope: SmtpEnvelope) -> ServerReply:
		answer = read_reply(session, envelope) or send_text(session, emails.message_of(mail))
		if answer.outcome is not DeliveryOutcome.UNKNOWN:
			self.before = (mail.email_queue, answer.outcome is DeliveryOutcome.ACCEPTED)
		if not answer.connected:
			self.connections.drop(mail.email_account)
		return answer

	def _make_envelope(self, mail: frappe._dict) -> SmtpEnvelope | ServerReply:
		"""Return from whom and to whom an email goes, or an answer for one whose addresses SMTP cannot say."""
		try:
			return_path = self.mailboxes.return_path(mail.email_account, mail.name)
			envelope = SmtpEnvelope(return_path or mail.sender, to_ascii(mail.email_address))
			"".join(envelope.commands).encode("ascii")
		except UnicodeError:
			text = _("From {0} to {1}: one of the two has letters that mail servers do not take. Correct it.")
			return ServerReply(DeliveryOutcome.FAILED, text=text.format(mail.sender, mail.email_address))
		return envelope

	def _give_back(self) -> None:
		try:
			self.limits.give_back()
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning("an email that did not leave stays counted in the limits")

	def _connect(self, mail: frappe._dict):
		if not self.connections.has(mail.email_account):
			self._note_before()  # connecting may take long
		return self.connections.open(mail.email_account, mail.sender)

	def _note_attempt(self, mail: frappe._dict) -> bool:
		is_ours = self.notes.attempt(mail.email_queue, self.before)
		self.before = None
		return is_ours

	def _note_before(self) -> None:
		if not self.before:
			return
		name, accepted = self.before
		self.before = None
		try:
			self.notes.finish(name, accepted=accepted)
		except redis.RedisError:
			# The database will know in a moment; only a kill before that leaves this email in doubt.
			frappe.logger("drip_campaigns").warning("Redis could not be told what became of %s", name)

	def _forget(self, mails: list[frappe._dict]) -> None:
		try:
			self.notes.forget([mail.email_queue for mail in mails])
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning("notes of settled emails stay until they expire")


@retry_on_deadlock
def _settle_own(
	mails: list[frappe._dict], answers: dict[str, ServerReply], now: datetime
) -> list[frappe._dict]:
	"""Write down the outcome of those that are still this job's, and return them.

	A job that slept for long may have lost some to the sweep: those are settled by whoever has them now.
	"""
	own = emails.lock_own(mails, answers)
	hard = settle(own, answers, now, release_after())
	suppress_refused({mail.email_address: mail.answer for mail in hard}, now)
	return own


class _Connections:
	"""One SMTP connection per Email Account, opened when first needed; an account that fails is left alone for the job."""

	def __init__(self) -> None:
		self._servers: dict = {}
		self._failures: dict[str, ServerReply] = {}

	def open(self, account: str | None, sender: str):
		"""Return the account's SMTP session, or the Answer that explains why there is none."""
		if account in self._failures:
			return self._failures[account]
		if account not in self._servers:
			try:
				self._servers[account] = self._connect(account, sender)
			except Exception as error:  # noqa: BLE001 - a server, a password, a certificate: the account's emails wait, others go
				frappe.clear_last_message()
				notify_about_account(account or sender, str(error))
				self._failures[account] = ServerReply(
					DeliveryOutcome.BLOCKED, text=f"{account}: {error}", connected=False
				)
				return self._failures[account]
		return self._servers[account]

	def has(self, account: str | None) -> bool:
		"""Say whether `open` will answer at once."""
		return account in self._servers or account in self._failures

	def drop(self, account: str | None) -> None:
		"""Hang up without a word, so that nothing half said is taken for a message; the next email connects anew."""
		session = self._servers.pop(account, None)
		if session:
			session.close()

	def close(self) -> None:
		"""Say goodbye to every server."""
		for session in self._servers.values():
			try:
				session.quit()
			except OSError:
				continue  # the server has gone first: SMTPException is an OSError

	def _connect(self, account: str | None, sender: str):
		document = (
			frappe.get_doc("Email Account", account)
			if account
			else EmailAccount.find_outgoing(match_by_email=sender, _raise_error=True)
		)
		session = document.get_smtp_server().session
		session.sock.settimeout(SOCKET_TIMEOUT_SECONDS)
		session.ehlo_or_helo_if_needed()
		return session
