"""Classify replies: a person's, a machine's for a person who is away, another machine's, or a wish to unsubscribe.

The headers decide first (RFC 3834, and what servers wrote before it), then the usual words in English, German, Spanish,
French and Arabic (`reply_phrases.py`). In doubt, a reply is a person's: a campaign that exits too early can be resumed,
and an absence never unsubscribes.
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
from itertools import zip_longest

from quotequail import quote

from drip_campaigns.core.inbound.bounces import decode_part
from drip_campaigns.core.inbound.out_of_office import find_return_date
from drip_campaigns.core.inbound.reply_phrases import (
	AWAY_PHRASES,
	AWAY_SUBJECTS,
	POLITE_PHRASES,
	REPLY_ENDS,
	UNSUBSCRIBE_PHRASES,
)

LONGEST_READ = 4000
# Each looks no further than the next bracket, so that a stranger's HTML takes time in proportion to its length. Frappe's
# html2text takes the square of it, fails on deep nesting, and on Frappe 15 returns the text of style sheets.
_TAG = re.compile(r"<[^<>]+>")
_UNSEEN = re.compile(r"<(/?)(?:style|script)\b[^<>]*>", re.IGNORECASE)
_QUOTED_HTML = re.compile(r"<blockquote\b|<div[^<>]+(?:gmail_quote|divRplyFwdMsg)", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li)\b[^<>]*>", re.IGNORECASE)
_NO_LETTER = re.compile(r"[^\w\s']+")
_RE = re.compile(r"^\s*(?:re|aw|antw|rv|sv|ref|rép|رد)\s*(?:\[\d+\])?:\s*", re.IGNORECASE)


class ReplyKind(Enum):
	"""Who or what wrote a reply."""

	HUMAN = "human"
	AWAY = "away"  # a machine, for a person who is away
	AUTOMATIC = "automatic"  # another machine: a receipt, a ticket
	UNSUBSCRIBE = "unsubscribe"  # a person who writes only that they want no more emails


@dataclass(frozen=True)
class Reply:
	"""A reply's kind, and for an absence the first day on which the person is back, if the reply names it."""

	kind: ReplyKind
	back_on: date | None = None


def read_reply(message: Message, received_on: date) -> Reply:
	"""Return the kind of an incoming message that arrived on `received_on`; a day without a year is read as of that day."""
	subject, text = subject_of(message), own_words(message)
	is_machine = _is_automatic(message)
	if _is_away(message, subject, text, is_machine=is_machine):
		return Reply(ReplyKind.AWAY, find_return_date(f"{subject}\n{text}", received_on))
	if is_machine:
		return Reply(ReplyKind.AUTOMATIC)
	return Reply(ReplyKind.UNSUBSCRIBE if _only_unsubscribes(text or subject) else ReplyKind.HUMAN)


def subject_of(message: Message) -> str:
	"""Return the decoded subject on one line."""
	raw = str(message.get("subject") or "")
	try:
		return " ".join(str(make_header(decode_header(raw))).split())
	except (LookupError, ValueError):  # an unknown charset
		return raw


def own_words(message: Message) -> str:
	"""Return the sender's own words, without quotations and the signatures of `reply_phrases.py`."""
	return _cut_at_quotation(_read_text(message)[: 4 * LONGEST_READ])[:LONGEST_READ].strip()


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
	"""Say whether a message went to a mailing list and replies to nothing: its author does not mean us."""
	is_reply = "in-reply-to" in message or "references" in message
	return not is_reply and ("list-unsubscribe" in message or "list-id" in message)


def _is_away(message: Message, subject: str, text: str, *, is_machine: bool) -> bool:
	if _RE.sub("", subject) != subject and not is_machine:
		return False  # a person replies to an automatic reply
	if AWAY_SUBJECTS.search(subject):
		return True
	replied = str(message.get("auto-submitted") or "").lower().startswith("auto-replied")
	vacation = "x-autoreply" in message or "x-autorespond" in message or replied
	return bool(AWAY_PHRASES.search(text)) and (is_machine or vacation)


def _only_unsubscribes(text: str) -> bool:
	words = _NO_LETTER.sub(" ", text.casefold().replace("’", "'")).split()
	said = " ".join(words)
	for word in POLITE_PHRASES:
		said = re.sub(rf"(?:^|(?<= )){re.escape(word)}(?= |$)", " ", said)
	return " ".join(said.split()) in UNSUBSCRIBE_PHRASES


def _read_text(message: Message) -> str:
	html = ""
	for part in message.walk():
		kind, attached = part.get_content_type(), part.get_content_disposition() == "attachment"
		if kind == "text/plain" and not attached:
			return decode_part(part)
		if kind == "text/html" and not attached:
			html = html or decode_part(part)
	seen = "".join(_drop_unseen(_QUOTED_HTML.split(html, maxsplit=1)[0]))
	return unescape(_TAG.sub("", _BREAK.sub("\n", seen)))


def _drop_unseen(html: str) -> Iterator[str]:
	"""Yield the parts of HTML outside style sheets and scripts; an unclosed one hides the rest, as in a mail program."""
	start, is_hidden = 0, False
	for tag in _UNSEEN.finditer(html):
		if not is_hidden:
			yield html[start : tag.start()]
		start, is_hidden = tag.end(), not tag[1]
	if not is_hidden:
		yield html[start:]


def _cut_at_quotation(text: str) -> str:
	visible = text.replace("\u200e", "").replace("\u200f", "").replace("\xa0", " ")
	lines = [line.strip() for line in visible.splitlines() if not line.lstrip().startswith(">")]
	own = quote("\n".join(lines), limit=len(lines) + 1, quote_intro_line=True)[0][1].splitlines()
	# A mail program can break the line that introduces a quotation into two.
	pairs = zip_longest(own, own[1:], fillvalue="")
	ends = (at for at, pair in enumerate(pairs) if any(map(REPLY_ENDS.match, (pair[0], " ".join(pair)))))
	return "\n".join(own[: next(ends, len(own))])
