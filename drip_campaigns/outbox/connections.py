"""The SMTP connections of one delivery job."""

import smtplib

import frappe
from frappe.email.doctype.email_account.email_account import EmailAccount

from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.site.notify import notify_about_account

SOCKET_TIMEOUT_SECONDS = 60


class SmtpConnections:
	"""One SMTP connection per Email Account, opened when first needed; an account that failed is not tried again."""

	def __init__(self) -> None:
		self._servers: dict = {}
		self._failures: dict[str, ServerReply] = {}

	def open(self, account: str | None, sender: str):
		"""Return the account's SMTP session, or the reply that says why it could not be opened."""
		if account in self._failures:
			return self._failures[account]
		if account not in self._servers:
			try:
				self._servers[account] = self._connect(account, sender)
			except Exception as error:  # noqa: BLE001 - a server, password, or certificate: this account's emails wait, others are sent
				frappe.clear_last_message()
				self._failures[account] = refused = _read_refused_login(account, error)
				if not (account and refused.code):  # `run_replies.py` blocks the account, which notifies
					notify_about_account(account or sender, str(error))
				return refused
		return self._servers[account]

	def has(self, account: str | None) -> bool:
		"""Return True if `open` returns without connecting."""
		return account in self._servers or account in self._failures

	def drop(self, account: str | None) -> None:
		"""Close the connection without QUIT, so that the server discards a half-sent message; the next email reconnects."""
		session = self._servers.pop(account, None)
		if session:
			session.close()

	def close(self) -> None:
		"""End every session with QUIT."""
		for session in self._servers.values():
			try:
				session.quit()
			except OSError:
				continue  # the server closed it first: SMTPException is an OSError

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


def _read_refused_login(account: str | None, error: BaseException) -> ServerReply:
	"""Return the reply for a session that could not be opened: with the server's code if it refused our login for good."""
	cause: BaseException | None = error
	while cause is not None:
		if isinstance(cause, smtplib.SMTPAuthenticationError) and cause.smtp_code // 100 == 5:
			words = cause.smtp_error
			text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
			return ServerReply(DeliveryOutcome.BLOCKED, cause.smtp_code, text, connected=False)
		cause = cause.__context__  # Frappe replaces the server's words with its own
	return ServerReply(DeliveryOutcome.BLOCKED, text=f"{account}: {error}", connected=False)
