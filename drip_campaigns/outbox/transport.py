"""One message over an open SMTP connection, step by step, so that the answer to "did it leave?" is known or owned up to.

First the envelope (`offer`, then `hear`), then the text (`send_text`): until the text is sent, nothing can have left.
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
	"""What became of a message."""

	ACCEPTED = "accepted"
	REFUSED = "refused"  # the server will never take it (5xx)
	DEFERRED = "deferred"  # not now (4xx), or the connection broke before the text was sent
	BLOCKED = "blocked"  # the server does not take mail from this sender or account
	HELD = "held"  # not tried: a limit of Drip Settings is reached
	FAILED = "failed"  # given up, without the server having refused this recipient
	UNKNOWN = "unknown"  # the connection broke after the text was sent: it may have been accepted (RFC 1047)


@dataclass(frozen=True)
class ServerReply:
	"""The outcome, with the server's code and words; `connected` says whether the connection can be used further."""

	outcome: DeliveryOutcome
	code: int = 0
	text: str = ""
	connected: bool = True
	until: datetime | None = None  # when a held message will have its turn


@dataclass(frozen=True)
class SmtpEnvelope:
	"""From whom and to whom a message is offered, as SMTP commands; at most one is on its way on a connection."""

	sender: str
	recipient: str

	@cached_property
	def commands(self) -> tuple[str, str, str]:
		"""The conversation up to the text."""
		return f"MAIL FROM:<{self.sender}>", f"RCPT TO:<{self.recipient}>", "DATA"


def send_envelope(session: smtplib.SMTP, envelope: SmtpEnvelope) -> None:
	"""Send the envelope in one go to a server that reads ahead (RFC 2920), so that it is at work while we are.

	To one that does not, nothing is sent yet: `hear` goes step by step. Errors show there, too.
	"""
	if session.has_extn("pipelining"):
		try:
			session.send("".join(f"{command}\r\n" for command in envelope.commands))
		except (smtplib.SMTPException, OSError):
			session.close()


def read_reply(session: smtplib.SMTP, envelope: SmtpEnvelope) -> ServerReply | None:
	"""Return None when the server awaits the text, else why it does not; never raises for what a server does."""
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
	# A server that awaits a text for a refused envelope is told so in the one way that sends nothing.
	return _hang_up(refusal) if ahead and code == 354 else _start_over(session, refusal)


def send_text(session: smtplib.SMTP, message: bytes) -> ServerReply:
	"""Send the text to a server that awaits it; never raises for what a server or a network does."""
	# smtplib's own data() does not tell a break before the text from one after it, and that is all that matters here.
	try:
		session.send(_on_the_wire(message))
		code, text = session.getreply()
	except (smtplib.SMTPException, OSError) as error:
		return ServerReply(DeliveryOutcome.UNKNOWN, text=str(error), connected=False)
	if code // 100 == 2:
		return ServerReply(DeliveryOutcome.ACCEPTED, code, _words(text))
	if code // 100 not in (4, 5):  # neither yes nor no
		return ServerReply(DeliveryOutcome.UNKNOWN, code, _words(text), connected=False)
	return _start_over(session, _refusal(code, text, DeliveryOutcome.REFUSED))


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
	return ServerReply(outcome, code, _words(text), connected=code not in (-1, 421))


def _start_over(session: smtplib.SMTP, refusal: ServerReply) -> ServerReply:
	if not refusal.connected:
		return refusal
	try:
		session.rset()
	except (smtplib.SMTPException, OSError):
		return _hang_up(refusal)
	return refusal


def _hang_up(refusal: ServerReply) -> ServerReply:
	return ServerReply(refusal.outcome, refusal.code, refusal.text, connected=False)


def _words(text: bytes | str) -> str:
	return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
