"""One email as it goes over the wire: RFC 5322 headers, a plain-text and an HTML part. No database.

Written by hand, because the standard library's generator takes longer than the rest of an email together. Its
encoders (RFC 2047, quoted-printable) do the difficult part.
"""

import binascii
import email.utils
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from functools import lru_cache

from drip_campaigns.rendering.render_email import RenderedEmail

CRLF = "\r\n"
LINE_LIMIT = 76
LONGEST_LINE = 990  # RFC 5321 allows 998, without the line end


@dataclass(frozen=True)
class MessageEnvelope:
	"""The sender, recipient, and identity of a message."""

	from_name: str
	from_address: str
	reply_to: str
	to_name: str
	to_address: str
	message_id: str
	unsubscribe_url: str
	site_url: str
	unsubscribe_mailto: str = ""
	references: tuple[str, ...] = ()  # the Message-IDs of what it replies to, the latest last


def compose(
	envelope: MessageEnvelope, rendered: RenderedEmail, now: datetime, extra: dict[str, str] | None = None
) -> str:
	"""Return the message as text with CRLF line ends, one address in To, ready for SMTP.

	List-Unsubscribe and List-Unsubscribe-Post follow RFC 8058: a POST to the URL unsubscribes. By RFC 2369, an email to
	the mailto does too.
	`extra` holds further headers. Raises UnicodeEncodeError for an address outside ASCII.
	"""
	boundary = f"=_drip_{envelope.message_id.partition('@')[0]}"
	headers = {
		"From": format_address(envelope.from_name, envelope.from_address),
		"To": format_address(envelope.to_name, envelope.to_address),
		"Subject": _text(rendered.subject),
		"Date": _date(now),
		"Message-ID": f"<{envelope.message_id}>",
		"X-Frappe-Site": envelope.site_url,
		"MIME-Version": "1.0",
		"Content-Type": f'multipart/alternative; boundary="{boundary}"',
	}
	if envelope.reply_to and envelope.reply_to != envelope.from_address:
		headers["Reply-To"] = format_address("", envelope.reply_to)
	if envelope.references:
		headers["In-Reply-To"] = f"<{envelope.references[-1]}>"
		headers["References"] = f"{CRLF} ".join(f"<{name}>" for name in envelope.references)
	if envelope.unsubscribe_url:
		ways = [f"<{way}>" for way in (envelope.unsubscribe_url, envelope.unsubscribe_mailto) if way]
		headers["List-Unsubscribe"] = f",{CRLF} ".join(ways)
		headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	for name, value in (extra or {}).items():
		headers[name] = _text(value)
	lines = [f"{name}: {value}" for name, value in headers.items()]
	parts = [_part(boundary, rendered.text, "plain"), _part(boundary, rendered.html, "html")]
	return CRLF.join([*lines, "", *parts, f"--{boundary}--", ""])


@lru_cache(maxsize=16)
def _date(now: datetime) -> str:
	return email.utils.format_datetime(now)


@lru_cache(maxsize=1024)
def format_address(name: str, address: str) -> str:
	"""Return a name and an address for a header: encoded (RFC 2047), and on one logical line."""
	address.encode("ascii")  # SMTP without SMTPUTF8 needs ASCII
	name = " ".join(name.split())
	if name.isascii() and len(name) <= LINE_LIMIT:
		return email.utils.formataddr((name, "".join(address.split())))
	return f"{Header(name, 'utf-8').encode(linesep=CRLF)} <{address}>"


@lru_cache(maxsize=1024)
def _text(value: str) -> str:
	"""Return an unstructured header's value on one logical line: so a record's text cannot start a new header."""
	value = " ".join(value.split())
	if value.isascii() and len(value) <= LINE_LIMIT:
		return value
	return Header(value, "us-ascii" if value.isascii() else "utf-8").encode(linesep=CRLF)


def _part(boundary: str, text: str, subtype: str) -> str:
	lines = text.splitlines()
	encoding, encoded = "7bit", CRLF.join(lines) + CRLF
	if not text.isascii() or max(map(len, lines), default=0) > LONGEST_LINE:
		# b2a_qp is the C routine under quopri; the email package's own encoder goes character by character in Python.
		encoding, encoded = "quoted-printable", binascii.b2a_qp(encoded.encode(), istext=True).decode("ascii")
	return CRLF.join(
		[
			f"--{boundary}",
			f'Content-Type: text/{subtype}; charset="utf-8"',
			f"Content-Transfer-Encoding: {encoding}",
			"",
			encoded,
		]
	)
