"""The delivery job: take queued e-mails in small groups, send each group over one connection, write down the outcome.

Commits after each group. If it dies, the sweep settles what its notes in Redis say (see `notes.py`).
"""

import time
from collections.abc import Callable
from datetime import datetime

import frappe
import redis
from frappe.email.doctype.email_account.email_account import EmailAccount

from drip_campaigns.campaign.hold import tell_about_account
from drip_campaigns.dispatch import mail_store
from drip_campaigns.dispatch.limits import Limits
from drip_campaigns.dispatch.notes import ACCEPTED, ATTEMPTED, CLAIMED, DeliveryNotes
from drip_campaigns.dispatch.options import may_send, release_after
from drip_campaigns.dispatch.settle import settle
from drip_campaigns.dispatch.transport import Answer, Outcome, send_message
from drip_campaigns.dispatch.withdraw import withdraw_or_hold
from drip_campaigns.enrollment.addresses import on_the_wire
from drip_campaigns.site_clock import to_site, utc_now

GROUP_SIZE = 20
GROUP_BUDGET_SECONDS = 180  # then the rest of a group goes back, long before the sweep takes it for dead
SOCKET_TIMEOUT_SECONDS = 60
JOB_BUDGET_SECONDS = 1200  # Frappe gives a job of the long queue 1500


def deliver_due_mail() -> None:
	"""Deliver whatever waits: enqueued by the dispatch after its commit. Several may run at once."""
	deliver(utc_now)


def deliver(clock: Callable[[], datetime]) -> int:
	"""Send queued e-mails until none is left or the job's time is up; return how many the server accepted."""
	started, accepted = time.monotonic(), 0
	courier = _Courier(clock)
	try:
		while time.monotonic() - started < JOB_BUDGET_SECONDS and may_send():
			count = courier.deliver_group()
			if count is None:
				break
			accepted += count
	finally:
		courier.connections.close()
	return accepted


class _Courier:
	"""What one delivery job has at hand: connections, notes, limits and a clock."""

	def __init__(self, clock: Callable[[], datetime]) -> None:
		self.clock, self.connections = clock, _Connections()
		self.notes, self.limits = DeliveryNotes(), Limits()

	def deliver_group(self) -> int | None:
		"""Claim, send and settle one group; return how many were accepted, or None when nothing was left to claim."""
		now = self.clock()
		frappe.db.commit()  # what the claim reads must not be older than the locks it takes
		mails = mail_store.claim_mail(to_site(now), GROUP_SIZE)
		if not mails:
			frappe.db.rollback()
			return None
		self.notes.write([mail.email_queue for mail in mails], CLAIMED)
		frappe.db.commit()
		mails = withdraw_or_hold(mails, now)
		answers = self._send_group(mails)
		settle(mails, answers, self.clock(), release_after())
		frappe.db.commit()
		self._forget(mails)
		return sum(answer.outcome is Outcome.ACCEPTED for answer in answers.values())

	def _send_group(self, mails: list[frappe._dict]) -> dict[str, Answer]:
		answers: dict[str, Answer] = {}
		deadline = time.monotonic() + GROUP_BUDGET_SECONDS
		# By account, so that a group needs each connection once.
		for mail in sorted(mails, key=lambda mail: mail.email_account or ""):
			if time.monotonic() > deadline:
				break
			answers[mail.name] = self._send_one(mail)
		return answers

	def _send_one(self, mail: frappe._dict) -> Answer:
		recipient = on_the_wire(mail.email_address)
		try:
			held = self.limits.reserve(mail.email_account or "", recipient.rpartition("@")[2], self.clock())
			if held:
				return Answer(Outcome.HELD, text=held.reason, until=held.until)
			session = self.connections.open(mail.email_account, mail.sender)
			if isinstance(session, Answer):
				return session
			self.notes.write([mail.email_queue], ATTEMPTED)
		except redis.RedisError as error:
			return Answer(Outcome.DEFERRED, text=f"Redis: {error}")
		answer = send_message(session, mail.sender, recipient, mail.message.encode())
		self._note_accepted(mail, answer)
		if not answer.connected:
			self.connections.drop(mail.email_account)
		return answer

	def _note_accepted(self, mail: frappe._dict, answer: Answer) -> None:
		if answer.outcome is not Outcome.ACCEPTED:
			return
		try:
			self.notes.write([mail.email_queue], ACCEPTED)
		except redis.RedisError:
			# The database will know in a moment; only a kill before that leaves this e-mail in doubt.
			frappe.logger("drip_campaigns").warning(
				"accepted %s, but Redis could not be told", mail.email_queue
			)

	def _forget(self, mails: list[frappe._dict]) -> None:
		try:
			self.notes.forget([mail.email_queue for mail in mails])
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning("notes of settled e-mails stay until they expire")


class _Connections:
	"""One SMTP connection per Email Account, opened when first needed; an account that fails is left alone for the job."""

	def __init__(self) -> None:
		self._servers: dict = {}
		self._failures: dict[str, Answer] = {}

	def open(self, account: str | None, sender: str):
		"""Return the account's SMTP session, or the Answer that explains why there is none."""
		if account in self._failures:
			return self._failures[account]
		if account not in self._servers:
			try:
				self._servers[account] = self._connect(account, sender)
			except Exception as error:  # noqa: BLE001 - a server, a password, a certificate: the account's e-mails wait, others go
				frappe.clear_last_message()
				tell_about_account(account or sender, str(error))
				self._failures[account] = Answer(Outcome.BLOCKED, text=f"{account}: {error}", connected=False)
				return self._failures[account]
		return self._servers[account]

	def drop(self, account: str | None) -> None:
		"""Forget a broken connection; the next e-mail opens a new one."""
		self._servers.pop(account, None)

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
		return session
