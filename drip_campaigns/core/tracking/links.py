"""Rewrite the links of an email's HTML so that clicks are counted.

HTML in, HTML out, once per step. The new address of a link is Jinja that is rendered for each recipient.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from html import escape, unescape
from urllib.parse import parse_qsl, quote_plus, urlsplit, urlunsplit

MAX_URL_LENGTH = 2000
OWN_NAMES = ("unsubscribe_url", "preferences_url", "view_url", "confirm_url", "tracking_url")

_TAG = re.compile(r"<(?:a|area)\s[^>]*>", re.IGNORECASE)
_HREF = re.compile(r"""(\shref\s*=\s*)(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_OPT_OUT = re.compile(
	r"""\sdata-no-track(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?(?=[\s/>])""", re.IGNORECASE
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x20\x7f<>\"\\^`{|}]")


@dataclass(frozen=True)
class LinkRules:
	"""What to do with the links of one step: count them, and add parameters to their addresses."""

	step: str = ""
	counts: bool = False
	utm: tuple[tuple[str, str], ...] = ()
	own_root: str = ""  # links to our own pages below it stay as they are


@dataclass(frozen=True)
class Target:
	"""The target of a counted link. `url` is what the author wrote; `target` is empty if it differs by recipient."""

	key: str
	url: str
	target: str


def rewrite_links(
	html: str, rules: LinkRules, written: Callable[[str], str | None]
) -> tuple[str, tuple[Target, ...]]:
	"""Return HTML whose links are counted, and their targets; a link with `data-no-track` stays as it is.

	`written` returns the author's text for a placeholder of Jinja, or None for Jinja that is not complete.
	"""
	if not (rules.counts or rules.utm):
		return html, ()
	rewriter = _Rewriter(rules, written)
	return _TAG.sub(rewriter.replace_tag, html), tuple(rewriter.targets.values())


class _Rewriter:
	def __init__(self, rules: LinkRules, written: Callable[[str], str | None]) -> None:
		self.rules, self.written = rules, written
		self.targets: dict[str, Target] = {}

	def replace_tag(self, match: re.Match) -> str:
		tag = match.group(0)
		return _OPT_OUT.sub("", tag) if _OPT_OUT.search(tag) else _HREF.sub(self._replace_address, tag)

	def _replace_address(self, match: re.Match) -> str:
		href = match.group(2) or match.group(3) or ""
		url = unescape(href).strip()
		text = self.written(url)
		if text is None:
			return match.group(0)
		return f'{match.group(1)}"{self._fixed(href, url) if text == url else self._dynamic(href, text)}"'

	def _dynamic(self, href: str, text: str) -> str:
		if any(name in text for name in OWN_NAMES) or not _may_lead_to_the_web(text):
			return href
		key = self._keep(Target(link_key(self.rules.step, text), text, "")) if self.rules.counts else ""
		return f'{{% set drip_link %}}{href}{{% endset %}}{{{{ drip_link_of(drip_link, "{key}") }}}}'

	def _fixed(self, href: str, url: str) -> str:
		is_own = self.rules.own_root and url.startswith(self.rules.own_root)
		if is_own or not leads_to_the_web(url):
			return href
		to = with_parameters(url, self.rules.utm)
		if not self.rules.counts:
			return escape(to)
		return f"{{{{ click_url }}}}/{self._keep(Target(link_key(self.rules.step, to), url, to))}"

	def _keep(self, target: Target) -> str:
		self.targets[target.key] = target
		return target.key


def link_key(step: str, target: str) -> str:
	"""Return the key of the target of a step's link: the same for every email of the step."""
	return blake2b(f"{step}\0{target}".encode(), digest_size=8).hexdigest()


def leads_to_the_web(url: str) -> bool:
	"""Return whether a redirect to `url` is safe: http or https, with a host, and without characters that break a header."""
	if len(url) > MAX_URL_LENGTH or _UNFIT.search(url):
		return False
	try:
		parts = urlsplit(url)
		return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
	except ValueError:
		return False


def with_parameters(url: str, parameters: Sequence[tuple[str, str]]) -> str:
	"""Return `url` with the parameters that it does not have yet; the rest stays as it is."""
	parts = urlsplit(url)
	there = {name for name, _value in parse_qsl(parts.query, keep_blank_values=True)}
	added = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters if name not in there)
	return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))


def _may_lead_to_the_web(text: str) -> bool:
	"""Return whether a link can lead to the web. Jinja at its beginning can: the rendered link is checked again."""
	scheme = _SCHEME.match(text)
	return not text.startswith("#") and (not scheme or scheme.group(0).lower() in ("http:", "https:"))
