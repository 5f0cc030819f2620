"""The headers for mailbox providers, auto-responders, and unsubscribing by email.

RFC 2919 (List-Id), RFC 2369 (the mailto of List-Unsubscribe), RFC 3834 (Auto-Submitted). Precedence and
X-Auto-Response-Suppress stop auto-responders that read neither; with Feedback-ID, Gmail counts complaints by campaign.
"""

import hashlib
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import frappe

from drip_campaigns.people.addresses import to_ascii
from drip_campaigns.rendering.message import format_address
from drip_campaigns.rendering.senders import Sender

SUBJECT = "unsubscribe"


class Headers:
	"""The headers of one campaign's emails, made once for each sender and step."""

	def __init__(self, campaign, site_url: str) -> None:
		self.campaign, self.settings = campaign, frappe.get_cached_doc("Drip Settings")
		self.host = to_ascii(f"x@{urlsplit(site_url).hostname or 'localhost'}").rpartition("@")[2]
		self.key = _short_hash(campaign.name)
		self._made: dict[tuple[str, str], dict[str, str]] = {}

	def make(self, sender: Sender, step: str) -> dict[str, str]:
		"""Return the headers of a step's emails; none if the campaign omits bulk headers."""
		key = sender.address, step
		if key not in self._made:
			self._made[key] = {} if self.campaign.omit_bulk_headers else dict(self._find_headers(step))
		return self._made[key]

	def mailto(self, sender: Sender, token: str) -> str:
		"""Return the mailto link for unsubscribing by email, or nothing if the site reads no mailbox for it."""
		mailbox = self.settings.unsubscribe_mailbox or sender.mailbox
		return f"mailto:{quote(to_ascii(mailbox), safe='@')}?subject={SUBJECT}%20{token}" if mailbox else ""

	def _find_headers(self, step: str) -> Iterator[tuple[str, str]]:
		settings = self.settings
		if not settings.omit_list_id:
			yield "List-Id", format_address(self.campaign.campaign_name, f"{self.key}.drip.{self.host}")
		if not settings.omit_feedback_id:
			sender_id = settings.feedback_sender_id or f"drip{_short_hash(self.host)}"
			yield "Feedback-ID", f"{self.key}:{_short_hash(step)}:drip:{sender_id}"
		if not settings.omit_bulk_headers:
			yield "Precedence", "bulk"
			yield "X-Auto-Response-Suppress", "OOF, AutoReply"
		if settings.mark_auto_submitted:
			yield "Auto-Submitted", "auto-generated"


def _short_hash(text: str) -> str:
	return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
