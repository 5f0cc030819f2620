"""The HTML of an email on the ERP's timeline: what the author wrote, without the recipient's own links.

It is sanitized when it is stored, as every text (db/field_values.py).
"""

import re
from collections.abc import Iterable

_HEADS = ("<style", "<script", "<title", "<head")
_HEAD_PARTS = re.compile(r"<(style|script|title|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def make_timeline_html(content: str, own_urls: Iterable[str]) -> str:
	"""Return what the author wrote, filled, without the recipient's own links.

	A colleague who reads the timeline must not unsubscribe or confirm for a recipient.
	"""
	for url in filter(None, own_urls):
		content = content.replace(url, "#")
	lower = content.lower()
	# Plain searches exclude most emails in a tenth of the time.
	return without_head_parts(content) if any(begin in lower for begin in _HEADS) else content


def without_head_parts(html: str) -> str:
	"""Return HTML without its hidden parts: style sheets, scripts, titles."""
	return _HEAD_PARTS.sub("", html)
