"""One message over an open SMTP connection, step by step, so that the answer to "did it leave?" is known or owned up to."""

import re
import smtplib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

_LINE_END = re.compile(rb"\r\n|\n|\r")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)  # doubled on the wire (RFC 5321, 4.5.2)


class Outcome(Enum):
	"""What became of a message."""

	ACCEPTED = "accepted"
	REFUSED = "refused"  # the server will never take it (5xx)
	DEFERRED = "deferred"  # not now (4xx), or the connection broke before the text was sent
	BLOCKED = "blocked"  # the server does not take mail from this sender or account
	HELD = "held"  # not tried: a limit of Drip Settings is reached
	FAILED = "failed"  # given up, without the server having refused this recipient
	UNKNOWN = "unknown"  # the connection broke after the text was sent: it may have been accepted (RFC 1047)


@dataclass(frozen=True)
class Answer:
	"""The outcome, with the server's code and words; `connected` says whether the connection can be used further."""

	outcome: Outcome
	code: int = 0
	text: str = ""
	connected: bool = True
	until: datetime | None = None  # when a held message will have its turn


def send_message(session: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> Answer:
	"""Send one message to one recipient; never raises for what a server or a network does."""
	try:
		session.ehlo_or_helo_if_needed()
		code, text = session.mail(sender)
		if code // 100 != 2:
			return _refusal(session, code, text, final=Outcome.BLOCKED)
		code, text = session.rcpt(recipient)
		if code // 100 != 2:
			return _refusal(session, code, text)
		code, text = session.docmd("DATA")
		if code != 354:
			return _refusal(session, code, text)
	except (smtplib.SMTPException, OSError) as error:
		return Answer(Outcome.DEFERRED, text=str(error), connected=False)
	return _send_text(session, message)


def _send_text(session: smtplib.SMTP, message: bytes) -> Answer:
	# smtplib's own data() does not tell a break before the text from one after it, and that is all that matters here.
	lines = _LINE_END.sub(b"\r\n", message).removesuffix(b"\r\n") + b"\r\n"
	try:
		session.send(_LEADING_DOT.sub(b"..", lines) + b".\r\n")
		code, text = session.getreply()
	except (smtplib.SMTPException, OSError) as error:
		return Answer(Outcome.UNKNOWN, text=str(error), connected=False)
	if code // 100 == 2:
		return Answer(Outcome.ACCEPTED, code, _words(text))
	return _refusal(session, code, text)


def _refusal(session: smtplib.SMTP, code: int, text: bytes, final: Outcome = Outcome.REFUSED) -> Answer:
	outcome = final if code // 100 == 5 else Outcome.DEFERRED
	connected = code not in (-1, 421)  # 421: the server closes the connection (RFC 5321, 4.2.1)
	if connected:
		try:
			session.rset()
		except (smtplib.SMTPException, OSError):
			connected = False
	return Answer(outcome, code, _words(text), connected)


def _words(text: bytes | str) -> str:
	return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
