"""Reads bounces that no status part describes: who failed, and the server's words, from the text that a mail system wrote."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from drip_campaigns.core.inbound.bounce_producers import DELAYED, FAILED, GAVE_UP, PRODUCERS, RETURNED
from drip_campaigns.core.inbound.parts import (
	LONGEST_TEXT,
	MOST_LINES,
	decode_part,
	own_parts,
	read_addresses,
	strip_html,
	subject_of,
	walk,
)

LONGEST_READ = 16_000
MOST_FIELDS = 200
LONGEST_DIAGNOSTIC = 1500
_ADDRESS = re.compile(
	r"(?<![\w.+/=-])([\w.+=/'&#!$%*^~{}|-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})(?![\w@-])"
)
_NO_RECIPIENT = re.compile(
	r"^(?:mailer[-_]?daemon|postmaster|mail[-_]?daemon|abuse|support|helpdesk|help|root|admin|administrator|webmaster|hostmaster|bounces?|double-?bounce)$",
	re.IGNORECASE,
)
# Lines that name others than the failed recipient: the sender, a Message-ID, whom to ask, where a message came from
_OTHERS = re.compile(
	r"message-?id|^\W*(?:from|sender|reply-to|contact|originator|return-path|von|de)\b *:|(?:contact|write to|(?<!your )(?<!your e-)(?<!deliver )mail to|send (?:a |an )?(?:mail|email|message)|postmaster at|questions|assistance|please forward|your? message (?:from|of)|envelope-from|mail from:|sent by|from:? *<|this is the mail system|program at|queue id|\bid )",
	re.IGNORECASE,
)


@dataclass(frozen=True)
class TextFailure:
	"""A failed address, and the words about it: the closest first, then more and more of the text."""

	address: str
	words: tuple[str, ...]


def is_delay(message: Message) -> bool:
	"""Return whether a mail system's text says that it keeps trying."""
	text = notice_of(message)
	says = DELAYED.search(f"{subject_of(message)}\n{text}")
	return bool(says) and not GAVE_UP.search(text)


def says_failed(message: Message) -> bool:
	"""Return whether a text says that a delivery failed."""
	return bool(FAILED.search(f"{subject_of(message)}\n{notice_of(message)}"))


def find_failures(message: Message) -> list[TextFailure]:
	"""Return the failed addresses of a mail system's message, each with the words about it; without duplicates."""
	text = notice_of(message)
	places = _named_by_header(message, text) or _named_by_library(message, text) | _named_by_producer(text)
	places = places or _named_in_text(message, text)
	if not places:
		return [TextFailure(address, (_shorten(text),)) for address in _returned_recipients(message)[:1]]
	return [TextFailure(address, words_about(text, places, address)) for address in places]


def words_about(text: str, places: dict[str, int], address: str) -> tuple[str, ...]:
	"""Return what a text says about one of its failed addresses: its paragraph, all up to the next address, the whole text."""
	start = places.get(address, -1)
	if start < 0:
		return (_shorten(text),)
	end = min((other for other in places.values() if other > start), default=len(text))
	own = text[start:end]
	near = (own.partition("\n\n")[0], own) if len(places) > 1 else (own.partition("\n\n")[0], own, text)
	return tuple(_shorten(words) for words in near)


def notice_of(message: Message) -> str:
	"""Return what the mail system wrote, without the message that it returns."""
	texts, html = [], ""
	for part in own_parts(message):
		if part.is_multipart() or part.get_content_maintype() not in ("text", "multipart"):
			continue  # a multipart without parts is a text whose boundary is missing
		if part.get_content_subtype() == "html":
			html = html or strip_html(decode_part(part))
		elif part.get_content_subtype() != "rfc822-headers":
			texts.append(decode_part(part))
	text = "\n".join(one for one in texts if one.strip()) or html
	text = text.replace("\r\n", "\n").replace("\xa0", " ")[:LONGEST_READ]
	return _without_returned(text)


def _without_returned(text: str) -> str:
	for match in RETURNED.finditer(text):
		if _ADDRESS.search(text, 0, match.start()) or FAILED.search(text, 0, match.start()):
			return text[: match.start()]
	return text


def _named_by_header(message: Message, text: str) -> dict[str, int]:
	named = read_addresses(message.get_all("x-failed-recipients", [])[:MOST_FIELDS])
	addresses = (address.lower() for _name, address in named if address.count("@") == 1)
	return {address: _place_of(text, address) for address in addresses}


def _named_by_producer(text: str) -> dict[str, int]:
	for producer in PRODUCERS:
		if found := producer.find(text):
			places: dict[str, int] = {}
			for match in found:
				places.setdefault(_clean(match["address"]), match.start("address"))
			return places
	return {}


def _named_by_library(message: Message, text: str) -> dict[str, int]:
	permanent: set[bytes] = set()
	if any(_is_large(part) for part in own_parts(message)):  # the library takes seconds for it
		return {}
	with suppress(
		Exception
	):  # strangers write these messages: one on which the library fails has no form that it knows
		_temporary, permanent = all_failures(message)
	found = [address.decode("ascii", "replace").lower() for address in permanent]
	places = {address: _place_of(text, address) for address in found if address.count("@") == 1}
	named = {address: place for address, place in places.items() if place >= 0}
	return dict(sorted((named or places).items(), key=lambda place: place[1]))


def _is_large(part: Message) -> bool:
	payload = part.get_payload()
	return isinstance(payload, str) and (len(payload) > LONGEST_TEXT or payload.count("\n") > MOST_LINES)


def _named_in_text(message: Message, text: str) -> dict[str, int]:
	"""Return the addresses of the text that are nobody else's: not the reader's own, and on no line about others."""
	own = {
		address.lower() for address in _addresses_of(message, ("to", "from", "delivered-to", "return-path"))
	}
	found: dict[str, int] = {}
	for match in _ADDRESS.finditer(text):
		line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
		address = _clean(match[1])
		is_other = address in own or _NO_RECIPIENT.match(address.partition("@")[0]) or _OTHERS.search(line)
		if not is_other and address not in found:
			found[address] = match.start()
	return found


def _returned_recipients(message: Message) -> list[str]:
	"""Return the recipients of the returned message: its header To, in a part or at the end of the text."""
	for part in walk(message):
		if part is not message and part.get("to") and not part.get("action"):
			return [one.lower() for one in _addresses_of(part, ("to",))]
	for part in own_parts(message):
		if part.get_content_type() in ("text/plain", "text/rfc822-headers"):
			for line in re.findall(
				r"^(?:to|x-envelope-to|original-rcpt-to):[ \t]*(.{1,500})$", decode_part(part), re.I | re.M
			):
				if found := [one.lower() for _name, one in read_addresses([line]) if one.count("@") == 1]:
					return found
	return []


def _addresses_of(message: Message, fields: tuple[str, ...]) -> list[str]:
	values = [value for field in fields for value in message.get_all(field, [])[:MOST_FIELDS]]
	return [address for _name, address in read_addresses(values) if address.count("@") == 1]


def _place_of(text: str, address: str) -> int:
	return text.lower().find(address)


def _clean(address: str) -> str:
	return address.strip(".'\"").lower()


def _shorten(words: str) -> str:
	return " ".join(words.split())[:LONGEST_DIAGNOSTIC]
