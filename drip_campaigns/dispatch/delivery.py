"""The delivery job: take queued e-mails in small groups, send each group over one connection, write down the outcome.

Commits after each group. If it dies, the sweep settles what its notes in Redis say (see `notes.py`).
"""

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import frappe
import redis
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.utils import parse_addr

from drip_campaigns.dispatch import mail_store
from drip_campaigns.dispatch.notes import ACCEPTED, ATTEMPTED, CLAIMED, DeliveryNotes
from drip_campaigns.dispatch.runner import may_send, release_minutes
from drip_campaigns.dispatch.settle import settle
from drip_campaigns.dispatch.transport import Answer, Outcome, send_message
from drip_campaigns.dispatch.withdraw import withdraw_or_hold
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
	connections = _Connections()
	try:
		while time.monotonic() - started < JOB_BUDGET_SECONDS and may_send():
			count = _deliver_group(connections, clock)
			if count is None:
				break
			accepted += count
	finally:
		connections.close()
	return accepted


def _deliver_group(connections: "_Connections", clock: Callable[[], datetime]) -> int | None:
	now = clock()
	notes = DeliveryNotes()
	frappe.db.commit()  # what the claim reads must not be older than the locks it takes
	mails = mail_store.claim_mail(to_site(now), GROUP_SIZE)
	if not mails:
		frappe.db.rollback()
		return None
	notes.write([mail.email_queue for mail in mails], CLAIMED)
	frappe.db.commit()
	mails = withdraw_or_hold(mails, now)
	answers = _send_group(mails, connections, notes)
	settle(mails, answers, clock(), timedelta(minutes=release_minutes()))
	frappe.db.commit()
	notes.forget([mail.email_queue for mail in mails])
	return sum(answer.outcome is Outcome.ACCEPTED for answer in answers.values())


def _send_group(
	mails: list[frappe._dict], connections: "_Connections", notes: DeliveryNotes
) -> dict[str, Answer]:
	by_account = defaultdict(list)
	for mail in mails:
		by_account[mail.email_account, parse_addr(mail.sender)[1]].append(mail)
	answers: dict[str, Answer] = {}
	deadline = time.monotonic() + GROUP_BUDGET_SECONDS
	for (account, sender), group in by_account.items():
		for mail in group:
			if time.monotonic() > deadline:
				return answers
			answers[mail.name] = _send_one(mail, account, sender, connections, notes)
	return answers


def _send_one(
	mail: frappe._dict, account: str, sender: str, connections: "_Connections", notes: DeliveryNotes
) -> Answer:
	session = connections.open(account, sender)
	if isinstance(session, Answer):
		return session
	try:
		notes.write([mail.email_queue], ATTEMPTED)
	except redis.RedisError as error:
		return Answer(Outcome.DEFERRED, text=f"Redis: {error}")
	answer = send_message(
		session, sender, parse_addr(mail.email_address)[1] or mail.email_address, mail.message.encode()
	)
	if answer.outcome is Outcome.ACCEPTED:
		try:
			notes.write([mail.email_queue], ACCEPTED)
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning(
				"accepted %s, but Redis could not be told", mail.email_queue
			)
	if not answer.connected:
		connections.drop(account)
	return answer


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
