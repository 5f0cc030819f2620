"""Our two fakes: a clock that moves by hand, and an SMTP server that records messages and gives scripted replies."""

import asyncio
import email
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email import policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

LOOPBACK = "127.0.0.1"


class Clock:
	"""The time of a test: `clock.now`, aware UTC, and `clock()` where a function wants to read it."""

	def __init__(self, now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)) -> None:
		self.now = now

	def __call__(self) -> datetime:
		return self.now

	def advance(self, **delta: float) -> datetime:
		"""Move on by a timedelta's arguments and return the new time."""
		self.now += timedelta(**delta)
		return self.now


@dataclass(frozen=True)
class Received:
	"""One message as the server accepted it."""

	sender: str
	recipient: str
	raw: bytes
	message: EmailMessage = field(repr=False)

	def part(self, subtype: str) -> str:
		"""Return the text of the text/`subtype` part."""
		return self.message.get_body((subtype,)).get_content()


class MailServer:
	"""A real SMTP conversation on the loopback address; `messages` has the accepted ones, in order."""

	def __init__(self) -> None:
		self.port = _free_port()
		self.messages: list[Received] = []
		self._answers: dict[str, str] = {}
		self._text_answers: dict[str, str] = {}
		self._meanwhile: Callable[[], object] | None = None
		self._controller: Controller | None = None

	def start(self) -> None:
		"""Start listening, for the first time or again."""
		self._controller = Controller(
			self, hostname=LOOPBACK, port=self.port, auth_require_tls=False, authenticator=_let_in
		)
		self._controller.start()

	def stop(self) -> None:
		"""Stop listening."""
		self._controller.stop()

	def reset(self) -> None:
		"""Forget messages and scripted answers."""
		self.messages.clear()
		self._answers.clear()
		self._text_answers.clear()
		self._meanwhile = None

	def meanwhile(self, act: Callable[[], object]) -> None:
		"""Run `act` once, before the reply to the next message."""
		self._meanwhile = act

	def answer(self, recipient: str, reply: str) -> None:
		"""Answer RCPT for one address with `reply`, for example "550 5.1.1 no such user", from now on."""
		self._answers[recipient] = reply

	def answer_text(self, recipient: str, reply: str) -> None:
		"""Answer the text of a message for one address with `reply`, or break the connection if that is empty."""
		self._text_answers[recipient] = reply

	def to(self, recipient: str) -> list[Received]:
		"""Return the messages accepted for one address."""
		return [message for message in self.messages if message.recipient == recipient]

	async def handle_RCPT(self, server, session, envelope, address, options) -> str:
		if not self._answers.get(address, "2").startswith("2"):
			return self._answers[address]
		envelope.rcpt_tos.append(address)
		return "250 OK"

	async def handle_DATA(self, server, session, envelope) -> str:
		act, self._meanwhile = self._meanwhile, None
		if act:
			await asyncio.get_running_loop().run_in_executor(None, act)
		for recipient in envelope.rcpt_tos:
			if recipient in self._text_answers:
				if not self._text_answers[recipient]:
					server.transport.abort()
				return self._text_answers[recipient] or "421 gone"
		message = email.message_from_bytes(envelope.content, policy=policy.default)
		for recipient in envelope.rcpt_tos:
			self.messages.append(Received(envelope.mail_from, recipient, envelope.content, message))
		return "250 OK"


def _let_in(*_who: object) -> AuthResult:
	return AuthResult(success=True)


def _free_port() -> int:
	with socket.socket() as probe:
		probe.bind((LOOPBACK, 0))
		return probe.getsockname()[1]
