"""The HTML of an email on the ERP's timeline: the author's text, safe for a colleague to view.

Frappe sanitizes a Communication on save. Ours are written in bulk, so this module sanitizes where it is needed.
"""

import re
from collections.abc import Iterable

from frappe.utils.html_utils import sanitize_html

_HEADS = ("<style", "<script", "<title", "<head")
_HEAD_PARTS = re.compile(r"<(style|script|title|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
# For text in lower case. Each begins with letters that are always the same, for which Python searches at once; the
# three in one expression take a hundred times as long, and every email is looked through.
_UNSAFE_TAG = re.compile(r"<\s*(?:script|iframe|object|embed|form|meta|link|base|svg|math)\b")
# Every scheme except the known ones: a browser reads "java&Tab;script:" as a script
_UNSAFE_URLS = tuple(
	re.compile(name + r"\s*=(?!\s*[\"']?\s*(?:https?:|mailto:|tel:|cid:|[#/]))")
	for name in ("href", "src", "formaction")
)
_HANDLER = re.compile(r"on\w+\s*=")


def make_timeline_html(content: str, own_urls: Iterable[str]) -> str:
	"""Return what the author wrote, filled, without the recipient's own links.

	A colleague who reads the timeline must not unsubscribe or confirm for a recipient.
	"""
	for url in filter(None, own_urls):
		content = content.replace(url, "#")
	lower = content.lower()
	if any(begin in lower for begin in _HEADS):  # plain searches exclude most emails in a tenth of the time
		content = without_head_parts(content)
		lower = content.lower()
	return sanitize_html(content, always_sanitize=True) if _is_suspicious(lower) else content


def without_head_parts(html: str) -> str:
	"""Return HTML without its hidden parts: style sheets, scripts, titles."""
	return _HEAD_PARTS.sub("", html)


def _is_suspicious(lower: str) -> bool:
	"""Return whether a text, given in lower case, may run something when a colleague views it."""
	if _UNSAFE_TAG.search(lower) or any(url.search(lower) for url in _UNSAFE_URLS):
		return True
	# An attribute begins after a space, a quote or a slash; "utm_content=" is not one.
	before = (lower[max(match.start() - 1, 0)] for match in _HANDLER.finditer(lower))
	return any(not (letter.isalnum() or letter in "_-") for letter in before)
