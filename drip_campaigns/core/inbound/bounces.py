"""Read bounces: a message in, the addresses that failed and why out; and the limits that bounces can exceed.

This module reads reports of RFC 3464; flufl.bounce knows the forms of older servers. Anybody can write a report:
`inbound/` checks whether a bounce is about an email of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import Message

from flufl.bounce import all_failures

from drip_campaigns.core.model import Label

LONGEST_REASON = 300
LEAST_EVENTS = 3  # two bounces or complaints can be chance
FAILED = ("failed", "failure", "error")  # the first is the standard's; some servers write the others
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_REPLY_CODE = re.compile(r"(?<![\d.-])([45]\d\d)(?=[ -])")
_UNKNOWN = re.compile(
	r"user unknown|unknown user|no such (?:user|recipient|mailbox|address|person|account)|does ?n[o']t exist"
	r"|(?:mailbox|account|address|user|recipient)[^.\n]{0,60}(?:not found|unavailable|disabled|inactive|invalid|unknown"
	r"|does not|is not a|no longer|rejected)"
	r"|(?:invalid|unknown|unrouteable|unroutable|bad|illegal)[^.\n]{0,40}(?:address|recipient|mailbox|user|domain|host)"
	r"|address(?:ee)? unknown|host (?:not found|unknown)|unknown host|no mailbox|not our customer|doesn't have an? .{0,20}account",
	re.IGNORECASE,
)
_FULL = re.compile(
	r"quota|mailbox (?:is )?full|inbox is full|over ?quota|disk (?:is )?full|insufficient (?:system )?storage"
	r"|message (?:size )?(?:is )?too (?:large|big|long)|exceed(?:s|ed) (?:the )?(?:maximum|size)",
	re.IGNORECASE,
)
_POLICY = re.compile(
	r"spam|blacklist|block ?list|blocked|policy|reputation|dmarc|\bspf\b|\bdkim\b|dnsbl|not authori[sz]ed|listed (?:at|by)"
	r"|access denied|content rejected",
	re.IGNORECASE,
)
# Codes x.7 about one recipient, one list or one message (RFC 3463 and its registry; Microsoft's from 100 on)
_ABOUT_ONE = {
	*("7.2", "7.15", "7.16", "7.17", "7.18", "7.19"),
	*("7.124", "7.129", "7.133", "7.134", "7.135", "7.136"),
}
_WORDS_DECIDE = {"7.0", "7.1"}
_BY_ONE = re.compile(
	r"(?:recipient|group|(?<!block )(?<!black )list|mailbox|user)\b[^.\n]{0,40}\b(?:only accepts|restrict|does ?n[o']t accept|not accepting"
	r"|has blocked|refuses|rejects? messages from)"
	r"|not (?:allowed|authori[sz]ed|permitted)\b[^.\n]{0,30}\bto (?:send|post|write|deliver)[^.\n]{0,20}\b(?:recipient|group|list|user|mailbox)"
	r"|distribution list|moderated|members?[- ]only|blocked by (?:the )?(?:recipient|user)",
	re.IGNORECASE,
)
# The mailbox or its domain does not exist: nothing can ever arrive (RFC 3463 and its registry)
_ABOUT_THE_SENDER = {"1.7", "1.8", "1.9"}
_DEAD = {"2.1", "4.4", "4.310"}


class BounceKind(Label):
	"""What a failed delivery says about the address."""

	HARD = "Hard"  # it does not exist, or never accepts email
	SOFT = "Soft"  # it can accept email later: full, too large, a server that gave up
	POLICY = "Policy"  # the server refuses the sender, which says nothing about the address


@dataclass(frozen=True)
class Bounce:
	"""One recipient that a message did not reach."""

	address: str
	kind: BounceKind
	code: str = ""  # as RFC 3463 writes it, 5.1.1; empty if none was given
	reason: str = ""


@dataclass(frozen=True)
class BounceFinding:
	"""The meaning of a mail server's response."""

	kind: BounceKind
	code: str


def read_bounces(message: Message) -> list[Bounce]:
	"""Return the final failures that a message reports; delays, deliveries and other messages give none.

	Failures that are not in the form of RFC 3464 are found by their wording: pass only messages that machines sent.
	"""
	blocks = list(_recipient_blocks(message))
	if blocks:
		return _unique(_read_block(block) for block in blocks if _field(block, "action") in FAILED)
	text = first_text(message)
	return _unique(
		_make_bounce(address.decode("ascii", "replace").lower(), "", text)
		for address in sorted(_find_by_wording(message))
	)


def classify_response(status: str, text: str) -> BounceFinding:
	"""Return the meaning of a status of RFC 3463 and the text of a server; either can be empty.

	The text decides where the code says nothing (x.0.0, x.5.0), as with large providers.
	"""
	text = f"{status} {text}".strip()
	codes = [match.groups() for match in _ENHANCED.finditer(text)]
	klass, subject, detail = next(
		(code for code in codes if code[1] != "0"), codes[0] if codes else ("", "0", "0")
	)
	code = f"{klass}.{subject}.{detail}" if klass else ""
	return BounceFinding(_kind(klass or _first_digit(text), f"{subject}.{detail}", text), code)


def is_about_sender(code: str) -> bool:
	"""Return whether an enhanced code of a refusal is about the sender, not the recipient: x.7.x, and a bad sender."""
	return code.partition(".")[2] in _ABOUT_THE_SENDER or code[1:3] == ".7"


def is_about_one_recipient(code: str, text: str) -> bool:
	"""Return whether a refusal for policy is one recipient's: 5.7.1 and 5.7.0 can be both, so the text decides."""
	detail = code.partition(".")[2]
	return detail in _ABOUT_ONE or (detail in _WORDS_DECIDE and bool(_BY_ONE.search(text)))


def is_hard_series(latest: Sequence[tuple[datetime, bool]], count: int, over: timedelta) -> bool:
	"""Return whether soft bounces count as a hard one: `count` in a row, the first and the last at least `over` apart.

	`latest` are the emails to an address, the newest first: when each was sent, and whether it bounced softly.
	"""
	series = list(latest[:count])
	if len(series) < count or not all(is_soft for _sent_at, is_soft in series):
		return False
	return series[0][0] - series[-1][0] >= over


def exceeds_rate(events: int, sent: int, percent: float, sample: int) -> bool:
	"""Return whether `events` among at least `sample` `sent` emails exceed `percent`; 0 percent is no limit."""
	return percent > 0 and sent >= sample and events >= LEAST_EVENTS and events * 100 > percent * sent


def first_text(message: Message) -> str:
	"""Return the text of a message's first text part, whatever its charset claims to be."""
	for part in message.walk():
		if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment":
			return decode_part(part)
	return ""


def decode_part(part: Message) -> str:
	"""Return the text of a part. Unreadable bytes are replaced, and an unknown charset is read as UTF-8."""
	payload = part.get_payload(decode=True) or b""
	try:
		return payload.decode(part.get_content_charset() or "utf-8", "replace")
	except LookupError:
		return payload.decode("utf-8", "replace")


def _kind(klass: str, detail: str, text: str) -> BounceKind:
	subject = detail.partition(".")[0]
	if klass == "4":
		return BounceKind.SOFT
	if subject == "7" or detail in _ABOUT_THE_SENDER:
		unknown = detail == "7.1" and _UNKNOWN.search(text) and not _POLICY.search(text)
		return BounceKind.HARD if unknown else BounceKind.POLICY
	if subject == "1" or detail in _DEAD:
		return BounceKind.HARD
	if subject in ("2", "6") or (subject == "3" and detail != "3.0"):
		return BounceKind.SOFT
	return _kind_by_words(text, BounceKind.SOFT if subject == "4" else BounceKind.HARD)


def _kind_by_words(text: str, otherwise: BounceKind) -> BounceKind:
	for kind, words in (
		(BounceKind.SOFT, _FULL),
		(BounceKind.HARD, _UNKNOWN),
		(BounceKind.POLICY, _POLICY),
	):
		if words.search(text):
			return kind
	return otherwise


def _first_digit(text: str) -> str:
	match = _REPLY_CODE.search(text)
	return match.group(1)[0] if match else ""


def _recipient_blocks(message: Message) -> Iterator[Message]:
	for part in message.walk():
		if part.get_content_type() == "message/delivery-status" and part.is_multipart():
			yield from (block for block in part.get_payload() if block.get("action"))


def _read_block(block: Message) -> Bounce:
	address = _address(block.get("original-recipient")) or _address(block.get("final-recipient"))
	diagnostic = str(block.get("diagnostic-code") or "")
	return _make_bounce(address, str(block.get("status") or ""), diagnostic.partition(";")[2] or diagnostic)


def _make_bounce(address: str, status: str, text: str) -> Bounce:
	finding = classify_response(status, text)
	return Bounce(address, finding.kind, finding.code, " ".join(text.split())[:LONGEST_REASON])


def _field(block: Message, name: str) -> str:
	# "failed (user unknown)" is allowed: a comment
	return str(block.get(name) or "").strip().lower().partition(" ")[0].rstrip(";")


def _address(value: object) -> str:
	"""Return the address of a field like "rfc822; jane@example.com"; some omit the type, some add brackets."""
	text = str(value or "")
	address = (text.partition(";")[2] or text).strip().strip("<>").strip()
	return address.lower() if address.count("@") == 1 and " " not in address else ""


def _find_by_wording(message: Message) -> set[bytes]:
	try:
		_temporary, permanent = all_failures(message)
	except Exception:  # noqa: BLE001 - strangers write these messages: one on which the library fails is not a bounce
		return set()
	return set(permanent)


def _unique(bounces: Iterator[Bounce]) -> list[Bounce]:
	return list({bounce.address: bounce for bounce in bounces if bounce.address}.values())
