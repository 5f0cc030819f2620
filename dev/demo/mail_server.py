"""The SMTP server of the demo: the tests' fake, which also keeps each message it accepts as a file."""

from __future__ import annotations

from pathlib import Path

from tests.fakes import MailServer

REFUSAL = "550 5.1.1 No such user here"


class SavingMailServer(MailServer):
	"""A real SMTP conversation on the loopback address; every accepted message is an .eml file in `folder`."""

	def __init__(self, folder: Path) -> None:
		super().__init__()
		self.folder = folder

	async def handle_DATA(self, server, session, envelope) -> str:
		known = len(self.messages)
		reply = await super().handle_DATA(server, session, envelope)
		for number, received in enumerate(self.messages[known:], known + 1):
			(self.folder / f"{number:03}-{received.recipient}.eml").write_bytes(received.raw)
		return reply
