"""One e-mail as it goes over the wire: RFC 5322 headers, a plain-text and an HTML part. No database."""

import binascii
import email.utils
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.message import Message

from drip_campaigns.dispatch.render import RenderedEmail

# compat32 keeps headers as given; the modern policy parses each one anew, at three times the cost.
_POLICY = policy.compat32.clone(linesep="\r\n", max_line_length=78)


@dataclass(frozen=True)
class Envelope:
	"""From whom, to whom, and under which identity a message travels."""

	from_name: str
	from_address: str
	reply_to: str
	to_name: str
	to_address: str
	message_id: str
	unsubscribe_url: str
	site_url: str


def compose(
	envelope: Envelope, rendered: RenderedEmail, now: datetime, extra: dict[str, str] | None = None
) -> str:
	"""Return the message as text with CRLF line ends, one address in To, ready for SMTP.

	List-Unsubscribe and List-Unsubscribe-Post are those of RFC 8058: a POST to the URL unsubscribes.
	`extra` holds further headers. Raises UnicodeEncodeError for an address that SMTP cannot carry.
	"""
	message = Message(policy=_POLICY)
	message["From"] = _address(envelope.from_name, envelope.from_address)
	message["To"] = _address(envelope.to_name, envelope.to_address)
	if envelope.reply_to and envelope.reply_to != envelope.from_address:
		message["Reply-To"] = envelope.reply_to
	message["Subject"] = _unstructured(rendered.subject)
	message["Date"] = email.utils.format_datetime(now)
	message["Message-ID"] = f"<{envelope.message_id}>"
	if envelope.unsubscribe_url:
		message["List-Unsubscribe"] = f"<{envelope.unsubscribe_url}>"
		message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	message["X-Frappe-Site"] = envelope.site_url
	for name, value in (extra or {}).items():
		message[name] = _unstructured(value)
	message["MIME-Version"] = "1.0"
	message["Content-Type"] = f'multipart/alternative; boundary="{_boundary(envelope)}"'
	message.set_payload([_part(rendered.text, "plain"), _part(rendered.html, "html")])
	return message.as_string()


def _address(name: str, address: str) -> str:
	name = " ".join(name.split())
	return email.utils.formataddr((name, address), charset="utf-8")


def _unstructured(text: str) -> str | Header:
	return text if text.isascii() else Header(text, "utf-8")


def _boundary(envelope: Envelope) -> str:
	return f"=_drip_{envelope.message_id.partition('@')[0]}"


def _part(text: str, subtype: str) -> Message:
	part = Message(policy=_POLICY)
	part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
	part["Content-Transfer-Encoding"] = "quoted-printable"
	crlf = "\r\n".join(text.splitlines()) + "\r\n"
	# b2a_qp is the C routine under quopri; email's own encoder works character by character in Python.
	part.set_payload(binascii.b2a_qp(crlf.encode(), istext=True).decode("ascii"))
	return part
