"""Reads bounces: a message in, the addresses that failed and why out; and the limits that bounces can exceed.

Status parts follow RFC 3464 and count in any multipart. Other mail systems write text (`free_text_bounces.py`). Anybody can
write a report: `inbound/` checks whether a bounce is about an email of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_string
from email.message import Message

from drip_campaigns.core.inbound import free_text_bounces
from drip_campaigns.core.inbound.parts import decode_part, walk
from drip_campaigns.core.inbound.response_words import Category, Severity
from drip_campaigns.core.inbound.server_responses import classify_response

LONGEST_REASON = 300
MOST_RECIPIENTS = 500
LEAST_EVENTS = 3  # two bounces or complaints can be chance
FAILED = (
	"failed",
	"failure",
	"error",
	"undeliverable",
	"expired",
)  # the first is the standard's; some servers write the others
# These say something about a mailbox that stays as it is: a series of them is as good as a hard bounce.
UNCLEAR = (Category.NOT_UNDERSTOOD, Category.SYSTEM, Category.EXPIRED)
COUNTED = (Category.MAILBOX_FULL, Category.EXPIRED)


@dataclass(frozen=True)
class Bounce:
	"""One recipient that a message did not reach."""

	address: str
	severity: Severity
	category: Category = Category.NOT_UNDERSTOOD
	code: str = ""  # as RFC 3463 writes it, 5.1.1; empty if none was given
	reason: str = ""  # the server's words

	@property
	def counts(self) -> bool:
		"""Whether a series of such bounces suppresses the address."""
		return self.severity is Severity.SOFT and self.category in COUNTED


@dataclass(frozen=True)
class Report:
	"""What a mail system reports: the recipients that failed for good, and whether others are only late or have arrived."""

	bounces: tuple[Bounce, ...] = ()
	is_delay: bool = False
	is_delivered: bool = False


def read_report(message: Message) -> Report:
	"""Return what a message of a mail system reports. Never raises. Pass only messages that machines sent."""
	blocks = list(_recipient_blocks(message))
	if not blocks:
		return _read_text(message)
	actions = [_field(block, "action") for block in blocks]
	failed = [block for block, action in zip(blocks, actions, strict=True) if action in FAILED]
	notice = free_text_bounces.notice_of(message) if failed else ""
	places = {
		address: place for address in map(_address_of, failed) if (place := notice.lower().find(address)) >= 0
	}
	bounces = _unique(_read_block(block, notice, places) for block in failed)
	if failed and not bounces:  # a local recipient without a domain
		return _read_text(message)
	return Report(
		bounces,
		is_delay=not failed and "delayed" in actions,
		is_delivered=not failed and "delayed" not in actions,
	)


def read_bounces(message: Message) -> list[Bounce]:
	"""Return the final failures that a message reports; delays, deliveries and other messages give none."""
	return list(read_report(message).bounces)


def make_bounce(address: str, status: str, text: str) -> Bounce:
	"""Return a bounce of an address with a status of RFC 3463 and a server's words; either can be empty."""
	finding = classify_response(status, text)
	reason = " ".join(text.split())[:LONGEST_REASON]
	return Bounce(address, finding.severity, finding.category, finding.code, reason)


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


def _read_text(message: Message) -> Report:
	if free_text_bounces.is_delay(message):
		return Report(is_delay=True)
	if not free_text_bounces.says_failed(message):
		return Report()
	found = free_text_bounces.find_failures(message)
	return Report(_unique(_understand(failure) for failure in found))


def _understand(failure: free_text_bounces.TextFailure) -> Bounce:
	"""Return the bounce of the closest words that say something."""
	bounces = [make_bounce(failure.address, "", words) for words in failure.words]
	understood = (bounce for bounce in bounces if bounce.category is not Category.NOT_UNDERSTOOD)
	return next(understood, bounces[0])


def _recipient_blocks(message: Message) -> Iterator[Message]:
	"""Yield the blocks of all status parts; one that a server wrote with another transfer encoding is text."""
	for part in walk(message):
		if part.get_content_maintype() == "multipart" and not part.is_multipart():
			# Its boundary is missing: the blocks are paragraphs of a text.
			yield from [block for block in _parse_blocks(decode_part(part)) if block.get("final-recipient")]
		if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
			blocks = part.get_payload() if part.is_multipart() else _parse_blocks(decode_part(part))
			yield from [block for block in blocks if block.get("action")][:MOST_RECIPIENTS]


def _parse_blocks(text: str) -> list[Message]:
	return [message_from_string(block.strip()) for block in text.replace("\r\n", "\n").split("\n\n")]


def _read_block(block: Message, notice: str, places: dict[str, int]) -> Bounce:
	"""Read a block of a status part; where its status says little, what the server wrote for people can say more."""
	address, diagnostic = _address_of(block), str(block.get("diagnostic-code") or "")
	words = _decode_japanese(diagnostic.partition(";")[2] or diagnostic)
	bounce = make_bounce(address, str(block.get("status") or ""), words)
	if bounce.category not in UNCLEAR or bounce.code.startswith("4") or not notice:
		return bounce
	about = free_text_bounces.words_about(notice, places, address)
	said = _understand(free_text_bounces.TextFailure(address, tuple(f"{words} {text}" for text in about)))
	if said.category is Category.NOT_UNDERSTOOD:
		return bounce
	return Bounce(
		address, said.severity, said.category, bounce.code or said.code, bounce.reason or said.reason
	)


def _decode_japanese(text: str) -> str:
	"""Return a field that Domino wrote in ISO-2022-JP, without saying so."""
	return text.encode("utf-8", "replace").decode("iso2022_jp", "replace") if "\x1b$" in text else text


def _address_of(block: Message) -> str:
	return _address(block.get("original-recipient")) or _address(block.get("final-recipient"))


def _field(block: Message, name: str) -> str:
	# "failed (user unknown)" is allowed: a comment
	return str(block.get(name) or "").strip().lower().partition(" ")[0].rstrip(";")


def _address(value: object) -> str:
	"""Return the address of a field like "rfc822; jane@example.com"; some omit the type, some add brackets."""
	text = str(value or "")
	address = (text.partition(";")[2] or text).strip().strip("<>").strip()
	return address.lower() if address.count("@") == 1 and " " not in address else ""


def _unique(bounces: Iterable[Bounce]) -> tuple[Bounce, ...]:
	return tuple({bounce.address: bounce for bounce in bounces if bounce.address}.values())
