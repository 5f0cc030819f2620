"""Which e-mail an incoming message is about: the tokens and Message-IDs in it. Whether they are ours is asked elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses

# A report or an answer says what it has to say in its beginning; what follows is what we have sent, or somebody's pictures.
LONGEST_READ = 512 * 1024
MOST_IDS = 50
_ID = re.compile(r"<([^<>\s@]{1,200}@[^<>\s]{1,200})>")
_ID_LINE = re.compile(
	r"^[> \t]*message-id:[ \t]*(?:\r?\n[ \t]+)?<([^<>\s@]{1,200}@[^<>\s]{1,200})>", re.I | re.M
)
_DELIVERED_TO = (
	"to",
	"delivered-to",
	"x-original-to",
	"envelope-to",
	"x-envelope-to",
	"x-delivered-to",
	"cc",
)
_RETURN_PATHS = ("original-mail-from", "return-path", "x-original-mail-from")
_MACHINES = (
	"mailer-daemon",
	"postmaster",
	"mail-daemon",
	"maildaemon",
	"abuse",
	"noreply",
	"no-reply",
	"bounce",
)


@dataclass(frozen=True)
class MessageReference:
	"""Where a message came to, what it answers, and what it returns; each without doubles, the likeliest first."""

	addressed_to: tuple[str, ...]
	answered_ids: tuple[str, ...]
	returned_ids: tuple[str, ...]
	return_paths: tuple[str, ...]


def read_reference(message: Message) -> MessageReference:
	"""Return what a message says of the e-mail that it is about."""
	return MessageReference(
		addressed_to=tuple(dict.fromkeys(_addresses(message, _DELIVERED_TO))),
		answered_ids=tuple(dict.fromkeys(_answered(message)))[:MOST_IDS],
		returned_ids=tuple(dict.fromkeys(_returned(message)))[:MOST_IDS],
		return_paths=tuple(
			dict.fromkeys(
				address
				for part in message.walk()
				if part is not message
				for address in _addresses(part, _RETURN_PATHS)
			)
		),
	)


def is_auto_generated(message: Message) -> bool:
	"""Say whether a mail system sent this: nobody answers in the name of MAILER-DAEMON, or with no return path."""
	report = message.get_content_type() == "multipart/report"
	nobody = str(message.get("return-path") or "").strip() == "<>"
	senders = [address.partition("@")[0] for address in _addresses(message, ("from",))]
	return report or nobody or any(sender.startswith(_MACHINES) for sender in senders)


def find_tag(address: str) -> str:
	"""Return what stands behind the plus of an address, in lower case, or nothing."""
	return address.rpartition("@")[0].partition("+")[2].lower()


def add_tag(base: str, tag: str) -> str:
	"""Return `base` with a tag behind a plus; `base` itself where that is longer than an address may be (RFC 5321)."""
	local, _, domain = base.rpartition("@")
	return f"{local}+{tag}@{domain}" if len(local) + len(tag) < 64 else base


def _addresses(message: Message, fields: tuple[str, ...]) -> Iterator[str]:
	for field in fields:
		for _name, address in getaddresses([str(value) for value in message.get_all(field, [])]):
			if "@" in address:
				yield address.strip().lower()


def _answered(message: Message) -> Iterator[str]:
	for field in ("in-reply-to", "references"):
		# The last of the references is the one that is answered.
		yield from reversed(_ID.findall(str(message.get(field) or "")))


def _returned(message: Message) -> Iterator[str]:
	"""The Message-IDs of what is returned: headers of a part, or lines in the text, as old servers write them."""
	own = str(message.get("message-id") or "")
	for part in message.walk():
		if part is not message and part.get("message-id"):
			yield from _ID.findall(str(part["message-id"]))
		elif part.get_content_maintype() == "text":
			payload = (part.get_payload(decode=True) or b"")[:LONGEST_READ].decode("latin-1")
			yield from (found for found in _ID_LINE.findall(payload) if found not in own)
