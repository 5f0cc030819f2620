"""Says what incoming emails would be taken for: `python -m drip_campaigns.core.inbound FILE.eml ...`. Needs no site.

Prints one JSON line for each file. `--answer TEXT` does the same for a mail server's response while an email is sent,
and `--letter FILE.txt --subject TEXT` for a plain reply from a person.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from drip_campaigns.core.inbound.bounces import Bounce, make_bounce
from drip_campaigns.core.inbound.message_reference import LONGEST_READ
from drip_campaigns.core.inbound.read_message import Kind, Reading, read_message


def main(arguments: Sequence[str] | None = None) -> int:
	"""Print what each file is; return 0, or 2 if a file cannot be opened."""
	options = _parse(arguments)
	failed = False
	for line in _lines(options):
		failed |= "error" in line
		print(json.dumps(line, ensure_ascii=False))
	return 2 if failed else 0


def describe(name: str, reading: Reading) -> dict[str, Any]:
	"""Return a reading as the command prints it."""
	recipients = [describe_bounce(bounce) for bounce in reading.bounces]
	if reading.complaint and reading.complaint.address:
		recipients = [{"address": reading.complaint.address}]
	line = {
		"file": name,
		"kind": reading.kind.value,
		"recipients": recipients,
		"message_ids": list(reading.message_ids),
		"back_on": reading.back_on.isoformat() if reading.back_on else None,
	}
	return {**line, "unread": reading.unread} if reading.unread else line


def describe_bounce(bounce: Bounce) -> dict[str, str]:
	"""Return a failed recipient as the command prints it."""
	return {
		"address": bounce.address,
		"severity": bounce.severity.value.lower(),
		"category": bounce.category.value.lower(),
		"status": bounce.code,
		"diagnostic": bounce.reason,
	}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
	parser = argparse.ArgumentParser(
		prog="python -m drip_campaigns.core.inbound", description=__doc__.split("\n")[0]
	)
	parser.add_argument("files", nargs="*", metavar="FILE.eml", help="an email as it was received")
	parser.add_argument(
		"--answer", metavar="TEXT", action="append", default=[], help="a server's response while sending"
	)
	parser.add_argument("--letter", metavar="FILE.txt", help="the text of a person's reply")
	parser.add_argument("--subject", default="", help="the subject of the letter")
	parser.add_argument(
		"--on", type=date.fromisoformat, help="the day of arrival, YYYY-MM-DD; default: the email's Date"
	)
	options = parser.parse_args(arguments)
	if not (options.files or options.answer or options.letter):
		parser.error("name a file, or use --answer or --letter")
	return options


def _lines(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
	for name in options.files:
		yield _read_file(name, message_from_bytes, options.on)
	for answer in options.answer:
		yield {
			"answer": answer,
			"kind": Kind.BOUNCE.value,
			"recipients": [describe_bounce(make_bounce("", "", answer))],
		}
	if options.letter:
		yield _read_file(options.letter, lambda raw: _make_letter(raw, options.subject), options.on)


def _read_file(name: str, parse: Callable[[bytes], Message], on: date | None) -> dict[str, Any]:
	try:
		with Path(name).open("rb") as file:
			message = parse(file.read(LONGEST_READ))
			on = (
				on or _day_of(message) or datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC).date()
			)
	except OSError as error:
		return {"file": name, "error": f"{name} cannot be read: {error.strerror}. Check the path."}
	return describe(name, read_message(message, on))


def _day_of(message: Message) -> date | None:
	try:
		return parsedate_to_datetime(str(message.get("date") or "")).date()
	except (ValueError, TypeError, OverflowError):
		return None


def _make_letter(raw: bytes, subject: str) -> Message:
	letter = EmailMessage()
	letter["From"], letter["Subject"] = "person@example.com", " ".join(subject.split())
	letter.set_content(raw.decode("utf-8", "replace"))
	return letter


if __name__ == "__main__":
	sys.exit(main())
