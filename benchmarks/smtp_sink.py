"""An SMTP server in its own process that records what it accepts before it replies: `python -m benchmarks.smtp_sink`.

It prints its port, appends one line a message to the message file (`A`: accepted and answered; `D`: accepted, not
answered; `N`: neither), and reads its behavior as lines of JSON on standard input. One thread a connection.
"""

import json
import os
import random
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

LOOPBACK = "127.0.0.1"
END_OF_TEXT = b"\r\n.\r\n"
_WORDS = {421: "4.3.2 closing", 450: "4.2.0 busy", 550: "5.1.1 no such user", 554: "5.0.0 transaction failed"}


@dataclass(frozen=True)
class Behavior:
	"""How the server behaves. Chances are from 0 to 1 and apply to each message."""

	latency_ms: float = 0  # before each message is accepted
	stall: float = 0  # fall silent for `stall_seconds` after the text, having accepted it or not
	stall_seconds: float = 3
	drop: float = 0  # close the connection after the text without an answer, having accepted it or not
	replies: dict[str, float] = field(
		default_factory=dict
	)  # a code, and the chance of it, somewhere on the way

	def dump(self) -> str:
		"""Return the behavior as a line for the server."""
		return json.dumps(asdict(self))


class Server:
	"""The listening socket, the message file, and the current behavior."""

	def __init__(self, observer: str, *, pipelining: bool, seed: int) -> None:
		self.file = os.open(observer, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
		self.pipelining, self.random = pipelining, random.Random(seed)
		self.behavior = Behavior()
		self.listener = socket.create_server((LOOPBACK, 0), backlog=64)

	def serve(self) -> None:
		"""Accept connections until the process is ended."""
		while True:
			connection, _address = self.listener.accept()
			connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
			threading.Thread(target=Conversation(self, connection).run, daemon=True).start()

	def read_behavior(self) -> None:
		"""Read behaviors from standard input, and acknowledge each with a line once it applies."""
		for line in sys.stdin:
			self.behavior = Behavior(**json.loads(line))
			print("ok", flush=True)
		os._exit(0)  # the process that started us has ended

	def write(self, kind: str, recipient: str, text: bytes) -> None:
		"""Append one message to the message file."""
		head = text[:4096]
		line = "\t".join((kind, recipient, _header(head, b"Subject"), _header(head, b"Message-ID")))
		os.write(self.file, line.encode() + b"\n")


class Conversation:
	"""One connection, from the greeting to the end."""

	def __init__(self, server: Server, connection: socket.socket) -> None:
		self.server, self.connection = server, connection
		self.buffer, self.recipient = b"", ""
		self.planned: tuple[str, int] | None = None  # the command that gets a refusal, and its code

	def run(self) -> None:
		try:
			self._say(b"220 sink")
			while (line := self._read_until(b"\r\n")) is not None and self._answer(line):
				pass
		except OSError:
			pass  # the client has gone, which is what the run tests
		finally:
			self.connection.close()

	def _answer(self, line: bytes) -> bool:
		word = line[:4].upper()
		if word == b"MAIL":
			self.planned, self.recipient = self._plan(), ""
		if self.planned and self.planned[0] == word.decode("ascii", "replace"):
			return self._refuse(self.planned[1])
		if word == b"RCPT":
			self.recipient = line.partition(b"<")[2].partition(b">")[0].decode()
		elif word == b"DATA":
			return self._take_text() if self.recipient else self._say(b"503 5.5.1 no recipient")
		elif word == b"EHLO":
			offers = [
				b"sink",
				*([b"PIPELINING"] if self.server.pipelining else []),
				b"SIZE 52428800",
				b"8BITMIME",
			]
			return self._say(
				b"\r\n".join(b"250-" + offer for offer in offers[:-1]) + b"\r\n250 " + offers[-1]
			)
		elif word == b"QUIT":
			return self._say(b"221 bye") and False
		return self._say(b"250 ok")

	def _plan(self) -> tuple[str, int] | None:
		for code, chance in self.server.behavior.replies.items():
			if self.server.random.random() < chance:
				return self.server.random.choice(("MAIL", "RCPT", "DATA", ".")), int(code)
		return None

	def _refuse(self, code: int) -> bool:
		self.planned, self.recipient = None, ""
		self._say(f"{code} {_WORDS[code]}".encode())
		return code != 421

	def _take_text(self) -> bool:
		self._say(b"354 go on")
		text = self._read_until(END_OF_TEXT)
		if text is None:
			return False
		behavior, chance, coin = (
			self.server.behavior,
			self.server.random.random(),
			self.server.random.random() < 0.5,
		)
		if behavior.latency_ms:
			time.sleep(behavior.latency_ms / 1000)
		if self.planned:
			return self._refuse(self.planned[1])
		if chance < behavior.drop + behavior.stall:
			self.server.write("D" if coin else "N", self.recipient, text)
			if chance >= behavior.drop:
				time.sleep(behavior.stall_seconds)
			return False
		self.server.write("A", self.recipient, text)
		return self._say(b"250 2.0.0 accepted")

	def _read_until(self, end: bytes) -> bytes | None:
		start = 0
		while (place := self.buffer.find(end, start)) < 0:
			start = max(len(self.buffer) - len(end), 0)
			more = self.connection.recv(262144)
			if not more:
				return None
			self.buffer += more
		found, self.buffer = self.buffer[:place], self.buffer[place + len(end) :]
		return found

	def _say(self, reply: bytes) -> bool:
		self.connection.sendall(reply + b"\r\n")
		return True


def _header(head: bytes, name: bytes) -> str:
	place = head.find(b"\r\n" + name + b": ")
	return (
		head[place + len(name) + 4 : head.find(b"\r\n", place + 2)].decode("utf-8", "replace")
		if place >= 0
		else ""
	)


def main() -> None:
	"""Serve until standard input ends: arguments are the message file, the seed, and whether to offer pipelining."""
	observer, seed, pipelining = sys.argv[1:4]
	server = Server(observer, pipelining=pipelining == "1", seed=int(seed))
	print(server.listener.getsockname()[1], flush=True)
	threading.Thread(target=server.read_behavior, daemon=True).start()
	server.serve()


if __name__ == "__main__":
	main()
