"""Send one message over an open SMTP connection, step by step, so that the outcome is known, or known to be in doubt.

First the envelope (`send_envelope`, then `read_reply`), then the text (`send_text`): before the text, nothing is sent.
"""

import re
import smtplib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property

_LINE_END = re.compile(rb"\r\n|\n|\r")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)  # doubled on the wire (RFC 5321, 4.5.2)


class DeliveryOutcome(Enum):
	"""The outcome of a message."""

	ACCEPTED = "accepted"
	REFUSED = "refused"  # the server will never accept it (5xx)
	DEFERRED = "deferred"  # not now (4xx), or the connection broke before the text was sent
	BLOCKED = "blocked"  # the server does not accept mail from this sender or account
	HELD = "held"  # not attempted: a limit of Drip Settings is reached, or the account is blocked
	FAILED = "failed"  # not sent, although the server did not refuse this recipient
	UNKNOWN = "unknown"  # the connection broke after the text was sent: it may have been accepted (RFC 1047)


@dataclass(frozen=True)
class ServerReply:
	"""The outcome, with the server's code and text; `connected` is False if the connection cannot be used again."""

	outcome: DeliveryOutcome
	code: int = 0
	text: str = ""
	connected: bool = True
	until: datetime | None = None  # when a held message is due again


@dataclass(frozen=True)
class SmtpEnvelope:
	"""The sender and the recipient of a message, as SMTP commands."""

	sender: str
	recipient: str

	@cached_property
	def commands(self) -> tuple[str, str, str]:
		"""The commands before the text."""
		return f"MAIL FROM:<{self.sender}>", f"RCPT TO:<{self.recipient}>", "DATA"


def send_envelope(session: smtplib.SMTP, envelope: SmtpEnvelope) -> None:
	"""Send the whole envelope at once to a server with pipelining (RFC 2920), so that it works while we do.

	Send nothing to other servers: `read_reply` sends them one command after the other. Errors show there, too.
	"""
	if session.has_extn("pipelining"):
		try:
			session.send("".join(f"{command}\r\n" for command in envelope.commands))
		except (smtplib.SMTPException, OSError):
			session.close()


def read_reply(session: smtplib.SMTP, envelope: SmtpEnvelope) -> ServerReply | None:
	"""Return None if the server waits for the text, else the refusal. Never raises for what a server does."""
	refusal, ahead = None, session.has_extn("pipelining")
	try:
		for command, wanted, final in zip(
			envelope.commands,
			(2, 2, 3),
			(DeliveryOutcome.BLOCKED, DeliveryOutcome.REFUSED, DeliveryOutcome.REFUSED),
			strict=True,
		):
			code, text = session.getreply() if ahead else session.docmd(command)
			if refusal is None and code // 100 != wanted:
				refusal = _refusal(code, text, final)
			if refusal and (not ahead or not refusal.connected):
				break
	except (smtplib.SMTPException, OSError) as error:
		return refusal or ServerReply(DeliveryOutcome.DEFERRED, text=str(error), connected=False)
	if refusal is None:
		return None
	# A server that waits for the text of a refused envelope: only closing the connection sends nothing.
	return _hang_up(refusal) if ahead and code == 354 else _reset(session, refusal)


def send_text(session: smtplib.SMTP, message: bytes) -> ServerReply:
	"""Send the text to a server that waits for it. Never raises for what a server or a network does."""
	# Not smtplib's data(), which does not distinguish a break before the text from one after it
	try:
		session.send(_on_the_wire(message))
		code, text = session.getreply()
	except (smtplib.SMTPException, OSError) as error:
		return ServerReply(DeliveryOutcome.UNKNOWN, text=str(error), connected=False)
	if code // 100 == 2:
		return ServerReply(DeliveryOutcome.ACCEPTED, code, _decode(text))
	if code // 100 not in (4, 5):  # neither yes nor no
		return ServerReply(DeliveryOutcome.UNKNOWN, code, _decode(text), connected=False)
	return _reset(session, _refusal(code, text, DeliveryOutcome.REFUSED))


def _on_the_wire(message: bytes) -> bytes:
	ends = message.count(b"\r\n")
	if ends != message.count(b"\n") or ends != message.count(b"\r"):
		message = _LINE_END.sub(b"\r\n", message)
	if message.startswith(b".") or b"\n." in message:
		message = _LEADING_DOT.sub(b"..", message)
	return message.removesuffix(b"\r\n") + b"\r\n.\r\n"


def _refusal(code: int, text: bytes, final: DeliveryOutcome) -> ServerReply:
	outcome = final if code // 100 == 5 else DeliveryOutcome.DEFERRED
	# 421: the server closes the connection (RFC 5321, 4.2.1)
	return ServerReply(outcome, code, _decode(text), connected=code not in (-1, 421))


def _reset(session: smtplib.SMTP, refusal: ServerReply) -> ServerReply:
	if not refusal.connected:
		return refusal
	try:
		session.rset()
	except (smtplib.SMTPException, OSError):
		return _hang_up(refusal)
	return refusal


def _hang_up(refusal: ServerReply) -> ServerReply:
	return ServerReply(refusal.outcome, refusal.code, refusal.text, connected=False)


def _decode(text: bytes | str) -> str:
	return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
