"""Recognizes receipts: that an email was delivered, displayed, or deleted unread (RFC 8098, RFC 3464, and texts of mail programs)."""

from __future__ import annotations

import re
from email.message import Message

from drip_campaigns.core.inbound.parts import read_text, subject_of, walk

_SUBJECT = re.compile(
	r"^\W*(?:read|not read|deleted without being read|displayed|return receipt|read receipt|disposition notification|delivered|relayed|gelesen|ungelesen gelöscht|nicht gelesen|lesebestätigung|lu|non lu|accusé de (?:lecture|réception)|leído|no leído|confirmación de lectura|letto|conferma di lettura|lida|confirmação de leitura|gelezen|leesbevestiging|ontvangstbevestiging)\b\s*(?::|\(|$)",
	re.IGNORECASE,
)
_TEXT = re.compile(
	r"was (?:read|displayed|opened|deleted without being read|delivered) on|has been (?:read|displayed|opened)|this is a (?:return |read )?receipt|return receipt (?:only )?(?:acknowledges|for)|note: this return receipt|the message was displayed"
	r"|wurde (?:am .{0,40} )?(?:gelesen|geöffnet|angezeigt)|empfangsbestätigung|a été (?:lu|affiché|ouvert)|accusé de réception|fue (?:leído|mostrado|abierto)|è stato letto|foi lida|is gelezen op|successfully (?:delivered|relayed)",
	re.IGNORECASE,
)


def is_receipt(message: Message) -> bool:
	"""Return whether a message only says that one of ours was delivered, shown, or deleted."""
	if any(part.get_content_type() == "message/disposition-notification" for part in walk(message)):
		return True
	return bool(_SUBJECT.search(subject_of(message)) and _TEXT.search(read_text(message)[:3000]))
