"""One message over SMTP, with servers that read ahead and servers that do not: what each answer means for the email."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drip_campaigns.outbox.transport import (
	DeliveryOutcome,
	ServerReply,
	SmtpEnvelope,
	read_reply,
	send_envelope,
	send_text,
)
from tests.fakes import LOOPBACK

ENVELOPE = SmtpEnvelope("sales@example.com", "ada@example.com")
TEXT = b"Subject: Hi\r\n\r\n.dot\r\nend\r\n"
HANG_UP = ""
OBEDIENT = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken", "RSET": "250 ok"}


class _Scripted(threading.Thread):
	"""A server for one connection that gives each command the reply it was told, and keeps what it heard."""

	def __init__(self, replies: dict[str, str], *, pipelining: bool) -> None:
		super().__init__(daemon=True)
		self.replies, self.heard = {**OBEDIENT, **replies}, []
		self.offers = "250-me\r\n250 PIPELINING" if pipelining else "250 me"
		self.listener = socket.create_server((LOOPBACK, 0))
		self.port = self.listener.getsockname()[1]

	def run(self) -> None:
		connection, _address = self.listener.accept()
		with connection, connection.makefile("rwb", buffering=0) as stream:
			stream.write(b"220 me\r\n")
			while line := stream.readline():
				if not self._answer(stream, line.decode().strip()):
					return

	def _answer(self, stream, line: str) -> bool:
		word = line[:4].upper()
		self.heard.append(line)
		reply = self.offers if word == "EHLO" else self.replies.get(word, "221 bye")
		if reply:
			stream.write(f"{reply}\r\n".encode())
		if reply.startswith("354"):
			while (text := stream.readline()) not in (b".\r\n", b""):
				self.heard.append(text.decode().rstrip())
			return bool(text) and self._answer(stream, ".")
		return bool(reply) and word != "QUIT" and not reply.startswith("421")


@contextmanager
def _conversation(replies: dict[str, str], pipelining: bool) -> Iterator[tuple[smtplib.SMTP, _Scripted]]:
	server = _Scripted(replies, pipelining=pipelining)
	server.start()
	session = smtplib.SMTP(LOOPBACK, server.port, timeout=5)
	session.ehlo()
	yield session, server
	session.close()
	server.join(5)
	server.listener.close()


def _send(session: smtplib.SMTP) -> ServerReply:
	send_envelope(session, ENVELOPE)
	return read_reply(session, ENVELOPE) or send_text(session, TEXT)


@pytest.fixture(params=[True, False], ids=["reads ahead", "step by step"])
def pipelining(request: pytest.FixtureRequest) -> bool:
	"""Whether the server offers PIPELINING."""
	return request.param


def test_message_is_accepted_and_its_leading_dot_arrives_doubled(pipelining):
	with _conversation({}, pipelining) as (session, server):
		answer = _send(session)

	assert (answer.outcome, answer.code, answer.connected) == (DeliveryOutcome.ACCEPTED, 250, True)
	assert "..dot" in server.heard


@pytest.mark.parametrize(
	("replies", "outcome", "connected"),
	[
		({"MAIL": "550 no", "RCPT": "503 no", "DATA": "503 no"}, DeliveryOutcome.BLOCKED, True),
		({"MAIL": "450 later", "RCPT": "503 no", "DATA": "503 no"}, DeliveryOutcome.DEFERRED, True),
		({"MAIL": "421 closing"}, DeliveryOutcome.DEFERRED, False),
		({"RCPT": "550 no such user", "DATA": "554 no valid recipients"}, DeliveryOutcome.REFUSED, True),
		({"RCPT": "450 later", "DATA": "554 no valid recipients"}, DeliveryOutcome.DEFERRED, True),
		({"RCPT": HANG_UP}, DeliveryOutcome.DEFERRED, False),
		({"DATA": "451 later"}, DeliveryOutcome.DEFERRED, True),
		({"DATA": "554 no"}, DeliveryOutcome.REFUSED, True),
		({".": "554 spam"}, DeliveryOutcome.REFUSED, True),
		({".": "451 later"}, DeliveryOutcome.DEFERRED, True),
		({".": "421 closing"}, DeliveryOutcome.DEFERRED, False),
		({".": HANG_UP}, DeliveryOutcome.UNKNOWN, False),
		({".": "eh?"}, DeliveryOutcome.UNKNOWN, False),
	],
)
def test_each_refusal_means_the_same_to_both_kinds_of_server(replies, outcome, connected, pipelining):
	with _conversation(replies, pipelining) as (session, _server):
		answer = _send(session)

	assert (answer.outcome, answer.connected) == (outcome, connected)


def test_connection_serves_the_next_message_after_a_refusal(pipelining):
	replies = {"RCPT": "550 no such user", "DATA": "554 no valid recipients"}
	with _conversation(replies, pipelining) as (session, server):
		_send(session)
		server.replies = OBEDIENT
		answer = _send(session)

	assert answer.outcome is DeliveryOutcome.ACCEPTED


def test_server_that_awaits_a_text_for_nobody_is_hung_up_on_and_gets_none():
	with _conversation({"RCPT": "550 no such user"}, pipelining=True) as (session, server):
		answer = _send(session)

	assert (answer.outcome, answer.connected) == (DeliveryOutcome.REFUSED, False)
	assert not any("Subject" in line for line in server.heard)
