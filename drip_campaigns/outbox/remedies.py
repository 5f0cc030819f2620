"""What a person does so that mail servers accept an Email Account again, by what the server says."""

import re

from frappe import _

from drip_campaigns.core.inbound.response_words import Category
from drip_campaigns.core.inbound.server_responses import Finding

# Exchange Online turns off basic SMTP AUTH (Microsoft's announcement of 5.7.30).
_BASIC_AUTH = re.compile(r"5\.7\.30\b|basic auth", re.IGNORECASE)
_DOMAIN_PROOF = re.compile(
	r"\bspf\b|\bdkim\b|\bdmarc\b|sender id\b|unauthenticated|5\.7\.2[0-7]\b", re.IGNORECASE
)


def find_remedy(finding: Finding, words: str, *, is_alike: bool = False) -> str:
	"""Return one or two sentences for the Drip Managers; `is_alike` if several recipients got the same response."""
	if is_alike:
		return _(
			"Several recipients got this response, so it is probably about the sender: correct what it says. If the "
			"addresses really do not exist, remove these people from the campaign first."
		)
	if finding.category is Category.AUTHENTICATION and _BASIC_AUTH.search(words):
		return _(
			"Exchange Online no longer accepts a password here (basic SMTP AUTH). Select the method OAuth in the Email Account."
		)
	if finding.category is Category.AUTHENTICATION and _DOMAIN_PROOF.search(words):
		return _("Correct SPF, DKIM, and DMARC of the sender's domain.")
	return _by_category().get(finding.category) or _("Correct what the mail server reported.")


def _by_category() -> dict[Category, str]:
	return {
		Category.AUTHENTICATION: _(
			"Correct the login of the Email Account: user name and password, or OAuth."
		),
		Category.SENDER_REJECTED: _(
			"Let the mail server accept the sender: check the sender's address, its domain, and what the account may send."
		),
		Category.BLOCKED_IP: _(
			"Ask the operator of the blocklist to remove the server's IP address, or send through another server."
		),
		Category.SPAM: _("Check the text and its links, and who gets these emails."),
		Category.POLICY: _("Check the text, the sender's address, and the rules that the server names."),
		Category.RATE: _("Lower the limits of this account in Drip Settings."),
	}
