"""What the mail server received, as values to compare, and what each message must have to be a proper one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.utils import getaddresses

from dev.demo.report import Receipt
from tests.fakes import Received


def read_receipts(received: Iterable[Received]) -> list[Receipt]:
	"""Return the accepted messages in their order."""
	return [
		Receipt(
			message_id=(one.message["Message-ID"] or "").strip("<> "),
			address=one.recipient,
			subject=one.message["Subject"] or "",
			faults=tuple(_find_faults(one)),
		)
		for one in received
	]


def _find_faults(received: Received) -> Iterator[str]:
	message = received.message
	to = [address for _, address in getaddresses(message.get_all("To", []))]
	if to != [received.recipient] or message["Cc"] or message["Bcc"]:
		yield f"is addressed to {to}"
	if not (message["List-Unsubscribe"] or "").startswith("<http"):
		yield "has no List-Unsubscribe"
	if message["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
		yield "has no List-Unsubscribe-Post"
	for subtype in ("plain", "html"):
		part = message.get_body((subtype,))
		if part is None or not part.get_content().strip():
			yield f"has no text/{subtype} part"
		elif "{{" in part.get_content() or "{%" in part.get_content():
			yield f"has an unfilled field in its text/{subtype} part"
