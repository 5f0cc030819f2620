"""Rewrite the links of an email's HTML so that clicks are counted.

HTML in, HTML out, once per step. The new address of a link is Jinja that is rendered for each recipient. HTML tools change
addresses (they escape, cut, and encode them), so `hide_links` puts a word in the place of each address while they run.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from html import escape, unescape
from urllib.parse import SplitResult, parse_qsl, quote_plus, urlsplit

MAX_URL_LENGTH = 2000
OWN_NAMES = ("unsubscribe_url", "preferences_url", "view_url", "confirm_url", "tracking_url")

_TAG = re.compile(r"""<(?:a|area)\s(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
_HREF = re.compile(r"""(\shref\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_HIDDEN = re.compile(r"driplink(\d+)x")
_OPT_OUT = re.compile(
	r"""\sdata-no-track(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))?(?=[\s/>])""", re.IGNORECASE
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_UNFIT = re.compile(r"[\x00-\x20\x7f<>\\]")  # these break a header, or lead a browser to another host
_DROPPED = re.compile(r"[\t\n\r]")
_AROUND = "".join(map(chr, range(0x21)))
_ENCODED = str.maketrans({" ": "%20", "<": "%3C", ">": "%3E"})


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


def hide_links(html: str) -> tuple[str, tuple[str, ...]]:
	"""Return HTML with a word in the place of each link's address, and the addresses, for `rewrite_links`."""
	hidden: list[str] = []

	def hide(match: re.Match) -> str:
		hidden.append(unescape(match[2] or match[3] or match[4] or ""))
		return f'{match[1]}"driplink{len(hidden) - 1}x"'

	return _TAG.sub(lambda tag: _HREF.sub(hide, tag[0]), html), tuple(hidden)


def show_links(html: str, hidden: Sequence[str]) -> str:
	"""Return HTML with the addresses that `hide_links` has taken out, as a browser reads them."""
	return _HIDDEN.sub(lambda match: escape(as_browser_reads(hidden[int(match[1])])), html)


def rewrite_links(
	html: str, rules: LinkRules, written: Callable[[str], str | None], hidden: Sequence[str] = ()
) -> tuple[str, tuple[Target, ...]]:
	"""Return HTML whose links are counted, and their targets; a link with `data-no-track` stays as it is.

	`written` returns the author's text for a placeholder of Jinja, or None for Jinja that is not complete. `hidden` are the
	addresses that `hide_links` has taken out.
	"""
	if not (rules.counts or rules.utm):
		return show_links(html, hidden), ()
	rewriter = _Rewriter(rules, written, hidden)
	return _TAG.sub(rewriter.replace_tag, html), tuple(rewriter.targets.values())


class _Rewriter:
	def __init__(self, rules: LinkRules, written: Callable[[str], str | None], hidden: Sequence[str]) -> None:
		self.rules, self.written, self.hidden = rules, written, hidden
		self.targets: dict[str, Target] = {}

	def replace_tag(self, match: re.Match) -> str:
		tag = match.group(0)
		if _OPT_OUT.search(tag):
			return show_links(_OPT_OUT.sub("", tag), self.hidden)
		return _HREF.sub(self._replace_address, tag)

	def _replace_address(self, match: re.Match) -> str:
		href = match[2] or match[3] or match[4] or ""
		place = _HIDDEN.fullmatch(href)
		url = as_browser_reads(self.hidden[int(place[1])] if place else unescape(href))
		text = self.written(url)
		href = escape(url) if place else href
		if text is None:
			return f'{match[1]}"{href}"' if place else match[0]
		return f'{match[1]}"{self._fixed(href, url) if text == url else self._dynamic(href, text)}"'

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


def as_browser_reads(url: str) -> str:
	"""Return an address as a browser reads it: without white space around it and line breaks, inner spaces encoded.

	Everything else stays byte for byte (WHATWG URL, 4.4).
	"""
	return _DROPPED.sub("", url.strip(_AROUND)).translate(_ENCODED)


def leads_to_the_web(url: str) -> bool:
	"""Return whether a redirect to `url` is safe: http or https, with a host, and without characters that break a header."""
	if len(url) > MAX_URL_LENGTH or _UNFIT.search(url):
		return False
	try:
		parts = urlsplit(url)
		return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and _has_port(parts)
	except ValueError:  # a port that is no number, or above 65535
		return False


def _has_port(parts: SplitResult) -> bool:
	return parts.port is None or parts.port > 0


def with_parameters(url: str, parameters: Sequence[tuple[str, str]]) -> str:
	"""Return `url` with the parameters that it does not have yet; the rest stays as it is."""
	address, sharp, fragment = url.partition("#")
	path, mark, query = address.partition("?")
	there = {name for name, _value in parse_qsl(query, keep_blank_values=True)}
	added = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters if name not in there)
	if not added:
		return url
	joined = "&".join(filter(None, (query, added)))
	return f"{path}{mark or '?'}{joined}{sharp}{fragment}"


def _may_lead_to_the_web(text: str) -> bool:
	"""Return whether a link can lead to the web. Jinja at its beginning can: the rendered link is checked again."""
	scheme = _SCHEME.match(text)
	return not text.startswith("#") and (not scheme or scheme.group(0).lower() in ("http:", "https:"))
