"""Read which email an incoming message is about: its tokens and Message-IDs. `inbound/find_email.py` looks them up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from drip_campaigns.core.inbound.parts import LONGEST_FIELD, read_addresses, walk

# What matters is in the beginning of a report or a reply; what follows is our own email, or pictures.
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


@dataclass(frozen=True)
class MessageReference:
	"""Where a message was sent to, what it replies to, and what it returns; each without duplicates, the likeliest first."""

	addressed_to: tuple[str, ...]
	replied_ids: tuple[str, ...]
	returned_ids: tuple[str, ...]
	return_paths: tuple[str, ...]


def read_reference(message: Message) -> MessageReference:
	"""Return what a message says about the email that it refers to."""
	return MessageReference(
		addressed_to=tuple(dict.fromkeys(_addresses(message, _DELIVERED_TO))),
		replied_ids=tuple(dict.fromkeys(_replied_ids(message)))[:MOST_IDS],
		returned_ids=tuple(dict.fromkeys(_returned_ids(message)))[:MOST_IDS],
		return_paths=tuple(
			dict.fromkeys(
				address
				for part in walk(message)
				if part is not message
				for address in _addresses(part, _RETURN_PATHS)
			)
		),
	)


def find_tag(address: str) -> str:
	"""Return the part after the plus of an address, in lower case, or an empty string."""
	return address.rpartition("@")[0].partition("+")[2].lower()


def add_tag(base: str, tag: str) -> str:
	"""Return `base` with a tag after a plus; `base` itself if the result is longer than RFC 5321 allows."""
	local, _, domain = base.rpartition("@")
	return f"{local}+{tag}@{domain}" if len(local) + len(tag) < 64 else base


def _addresses(message: Message, fields: tuple[str, ...]) -> Iterator[str]:
	for field in fields:
		for _name, address in read_addresses(message.get_all(field, [])[:MOST_IDS]):
			if "@" in address:
				yield address.lower()


def _replied_ids(message: Message) -> Iterator[str]:
	for field in ("in-reply-to", "references"):
		# The last reference is the message that this one replies to.
		yield from reversed(_ID.findall(str(message.get(field) or "")[:LONGEST_FIELD]))


def _returned_ids(message: Message) -> Iterator[str]:
	"""Yield the Message-IDs of returned messages: headers of a part, or lines in the text, as old servers write them."""
	own = str(message.get("message-id") or "")
	for part in walk(message):
		if part is not message and part.get("message-id"):
			yield from _ID.findall(str(part["message-id"]))
		elif part.get_content_maintype() == "text":
			payload = (part.get_payload(decode=True) or b"")[:LONGEST_READ].decode("latin-1")
			yield from (found for found in _ID_LINE.findall(payload) if found not in own)
