"""Reads the texts of an incoming message in bounded time and memory, whatever strangers put into it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from html import unescape

MOST_PARTS = 200
LONGEST_TEXT = 64 * 1024  # of a part; what follows is our own email, or pictures
LONGEST_LINE = 2000
MOST_LINES = 5000
LONGEST_FIELD = 10_000
MOST_WORDS = 40  # encoded words of a header (RFC 2047)
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]{0,200}\?=")
# Each looks no further than the next bracket, so that a stranger's HTML takes time in proportion to its length. Frappe's
# html2text takes the square of it, fails on deep nesting, and on Frappe 15 returns the text of style sheets.
_TAG = re.compile(r"<[^<>]{0,4000}>")
_UNSEEN = re.compile(r"<(/?)(?:style|script|head|title)\b[^<>]*>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d|/td|p)\b[^<>]*>", re.IGNORECASE)


def walk(message: Message) -> Iterator[Message]:
	"""Yield the message and its first `MOST_PARTS` parts, those of enclosed messages too."""
	waiting, seen = [message], 0
	while waiting and seen < MOST_PARTS:
		part = waiting.pop(0)
		seen += 1
		yield part
		if part.is_multipart():
			waiting[:0] = [one for one in part.get_payload()[:MOST_PARTS] if isinstance(one, Message)]


def own_parts(message: Message) -> Iterator[Message]:
	"""Yield the parts of the message itself, without the messages that it encloses and the status that it reports."""
	waiting, seen = [message], 0
	while waiting and seen < MOST_PARTS:
		part = waiting.pop(0)
		seen += 1
		if part is not message and part.get_content_maintype() == "message":
			continue
		yield part
		if part.is_multipart() and part.get_content_maintype() == "multipart":
			waiting[:0] = [one for one in part.get_payload()[:MOST_PARTS] if isinstance(one, Message)]


def decode_part(part: Message) -> str:
	"""Return the text of a part. Unreadable bytes are replaced, and an unknown charset is read as UTF-8."""
	try:
		payload = (part.get_payload(decode=True) or b"")[: 2 * LONGEST_TEXT]
	except (ValueError, TypeError, AssertionError):  # a transfer encoding that the part does not have
		payload = str(part.get_payload() or "").encode("utf-8", "replace")[: 2 * LONGEST_TEXT]
	try:
		return payload.decode(part.get_content_charset() or "utf-8", "replace")[:LONGEST_TEXT]
	except (LookupError, ValueError):
		return payload.decode("utf-8", "replace")[:LONGEST_TEXT]


def read_text(message: Message) -> str:
	"""Return the message's own text: its first plain text, or its HTML without tags; short enough to search."""
	html = ""
	for part in own_parts(message):
		kind, attached = part.get_content_type(), part.get_content_disposition() == "attachment"
		if attached or part.is_multipart():
			continue
		if kind == "text/plain" and (text := decode_part(part)).strip():
			return cut_lines(text)
		if kind == "text/html":
			html = html or decode_part(part)
	return cut_lines(strip_html(html))


def strip_html(html: str) -> str:
	"""Return what a person sees of HTML, a line for each block."""
	return unescape(_TAG.sub("", _BREAK.sub("\n", "".join(_drop_unseen(html)))))


def cut_lines(text: str) -> str:
	"""Return the text with LF line ends and no line of more than `LONGEST_LINE` characters."""
	return "\n".join(line[:LONGEST_LINE] for line in text.replace("\xa0", " ").splitlines()[:MOST_LINES])


def header_text(message: Message, name: str) -> str:
	"""Return a decoded header on one line; as it is if its words cannot be decoded."""
	raw = str(message.get(name) or "")[:LONGEST_LINE]
	if len(_ENCODED_WORD.findall(raw)) > MOST_WORDS:
		return " ".join(raw.split())
	try:
		return " ".join(str(make_header(decode_header(raw))).split())
	except (LookupError, ValueError):  # an unknown charset
		return " ".join(raw.split())


def read_addresses(values: Iterable[object]) -> list[tuple[str, str]]:
	"""Return the names and addresses of header fields; none of a field whose comments are nested without end."""
	found = []
	for value in values:
		text = str(value)[:LONGEST_FIELD]
		if text.count("(") <= MOST_WORDS:
			found += [(name, address.strip()) for name, address in getaddresses([text]) if address]
	return found


def subject_of(message: Message) -> str:
	"""Return the decoded subject on one line."""
	return header_text(message, "subject")


def _drop_unseen(html: str) -> Iterator[str]:
	"""Yield the parts of HTML outside style sheets and scripts; an unclosed one hides the rest, as in a mail program."""
	start, is_hidden = 0, False
	for tag in _UNSEEN.finditer(html):
		if not is_hidden:
			yield html[start : tag.start()]
		start, is_hidden = tag.end(), not tag[1]
	if not is_hidden:
		yield html[start:]
