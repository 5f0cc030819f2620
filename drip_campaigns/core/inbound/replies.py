"""Tell answers apart: written by a person, sent by a machine while the person is away, or nothing but "unsubscribe".

Decided by headers first (RFC 3834, and what servers wrote before it), then by the usual words in English, German,
Spanish, French and Arabic (`reply_words.py`). When in doubt it is a person: a machine taken for one ends a campaign too
early, which can be undone; nobody is ever taken off anything for being away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from email.header import decode_header, make_header
from email.message import Message
from enum import Enum
from html import unescape

from drip_campaigns.core.inbound.bounces import decode_part
from drip_campaigns.core.inbound.out_of_office import find_return_date
from drip_campaigns.core.inbound.reply_phrases import (
	AWAY_SUBJECTS,
	AWAY_WORDS,
	LEAVE_WORDS,
	POLITE_WORDS,
	QUOTE_BEGINS,
)

LONGEST_LOOKED_AT = 4000
# Each looks no further than the next bracket: what a stranger has written must not take longer than it is long.
_TAG = re.compile(r"<[^<>]+>")
_UNSEEN = re.compile(r"<(/?)(?:style|script)\b[^<>]*>", re.IGNORECASE)
_QUOTED_HTML = re.compile(r"<blockquote\b|<div[^<>]+(?:gmail_quote|divRplyFwdMsg)", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li)\b[^<>]*>", re.IGNORECASE)
_NO_LETTER = re.compile(r"[^\w\s']+")
_RE = re.compile(r"^\s*(?:re|aw|antw|rv|sv|ref|rép|رد)\s*(?:\[\d+\])?:\s*", re.IGNORECASE)


class ReplyKind(Enum):
	"""What an answer is."""

	HUMAN = "human"
	AWAY = "away"  # a machine answers, because the person is not there
	AUTOMATIC = "automatic"  # a machine answers: a receipt, a ticket
	LEAVE = "leave"  # nothing but the wish to be left alone


@dataclass(frozen=True)
class Reply:
	"""What an answer is, and when somebody who is away says to be back."""

	kind: ReplyKind
	back_on: date | None = None


def read_reply(message: Message, received_on: date) -> Reply:
	"""Return what an incoming message is, on the day it came."""
	subject, text = subject_of(message), own_words(message)
	is_machine = _is_automatic(message)
	if _is_away(message, subject, text, is_machine=is_machine):
		return Reply(ReplyKind.AWAY, find_return_date(f"{subject}\n{text}", received_on))
	if is_machine:
		return Reply(ReplyKind.AUTOMATIC)
	return Reply(ReplyKind.LEAVE if _only_leaves(text or subject) else ReplyKind.HUMAN)


def subject_of(message: Message) -> str:
	"""Return the decoded subject on one line."""
	raw = str(message.get("subject") or "")
	try:
		return " ".join(str(make_header(decode_header(raw))).split())
	except (LookupError, ValueError):  # a charset that nobody knows
		return raw


def own_words(message: Message) -> str:
	"""Return what the sender has written, without what is quoted and without the signature."""
	return "\n".join(_until_quoted(_text_of(message)[: 4 * LONGEST_LOOKED_AT]))[:LONGEST_LOOKED_AT].strip()


def _is_automatic(message: Message) -> bool:
	submitted = str(message.get("auto-submitted") or "no").strip().lower()
	precedence = str(message.get("precedence") or "").strip().lower()
	older = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply")
	return (
		not submitted.startswith("no")
		or precedence in ("auto_reply", "bulk", "junk", "list")
		or any(header in message for header in older)
		or _is_newsletter(message)
		or str(message.get("x-ms-exchange-generated-message-source") or "").startswith("Mailbox Rules Agent")
	)


def _is_newsletter(message: Message) -> bool:
	"""Say whether a message went to a list of people and answers nothing: who writes to us as one of many does not mean us."""
	answers = "in-reply-to" in message or "references" in message
	return not answers and ("list-unsubscribe" in message or "list-id" in message)


def _is_away(message: Message, subject: str, text: str, *, is_machine: bool) -> bool:
	if _RE.sub("", subject) != subject and not is_machine:
		return False  # an answer by hand to an answer by a machine
	if AWAY_SUBJECTS.search(subject):
		return True
	replied = str(message.get("auto-submitted") or "").lower().startswith("auto-replied")
	vacation = "x-autoreply" in message or "x-autorespond" in message or replied
	return bool(AWAY_WORDS.search(text)) and (is_machine or vacation)


def _only_leaves(text: str) -> bool:
	words = _NO_LETTER.sub(" ", text.casefold().replace("’", "'")).split()
	said = " ".join(words)
	for word in POLITE_WORDS:
		said = re.sub(rf"(?:^|(?<= )){re.escape(word)}(?= |$)", " ", said)
	return " ".join(said.split()) in LEAVE_WORDS


def _text_of(message: Message) -> str:
	html = ""
	for part in message.walk():
		kind, attached = part.get_content_type(), part.get_content_disposition() == "attachment"
		if kind == "text/plain" and not attached:
			return decode_part(part)
		if kind == "text/html" and not attached:
			html = html or decode_part(part)
	seen = "".join(_without_unseen(_QUOTED_HTML.split(html, maxsplit=1)[0]))
	return unescape(_TAG.sub("", _BREAK.sub("\n", seen)))


def _without_unseen(html: str) -> Iterator[str]:
	"""Yield HTML without style sheets and scripts; one that does not end hides the rest, as in a mail program."""
	start, is_hidden = 0, False
	for tag in _UNSEEN.finditer(html):
		if not is_hidden:
			yield html[start : tag.start()]
		start, is_hidden = tag.end(), not tag[1]
	if not is_hidden:
		yield html[start:]


def _until_quoted(text: str) -> list[str]:
	lines = text.replace("\u200e", "").replace("\u200f", "").replace("\xa0", " ").splitlines()
	own = []
	for index, line in enumerate(lines):
		# The line that introduces a quotation may be broken into two.
		pair = f"{line.strip()} {lines[index + 1].strip() if index + 1 < len(lines) else ''}"
		if line.rstrip() == "--" or QUOTE_BEGINS.match(line.strip()) or QUOTE_BEGINS.match(pair):
			break
		if not line.lstrip().startswith(">"):
			own.append(line.strip())
	return own
