"""Make the counted links of one email, and remove them from what colleagues see."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from html import escape, unescape

from jinja2 import TemplateRuntimeError

from drip_campaigns.core.tracking import tokens
from drip_campaigns.core.tracking.links import as_browser_reads, leads_to_the_web, with_parameters
from drip_campaigns.core.tracking.tokens import Purpose

_KEY = re.compile(r"[0-9a-z]{8,20}")
_LEADING_KEY = re.compile(r"\A[0-9a-z]+")


class Tracker:
	"""What a text needs for its links: `click_url`, `open_url`, `tracking_url(...)`; also for an untracked email."""

	def __init__(
		self,
		root: str,
		drip_email: str,
		keys: tuple[str, ...],
		named: Mapping[str, tuple[str, str]],
		utm: tuple[tuple[str, str], ...] = (),
	) -> None:
		self._root, self._mail, self._keys, self._named, self._utm = root, drip_email, keys, named, utm
		self.click_url = self._sign(Purpose.CLICK, drip_email) if drip_email else ""
		self.open_url = f"{self._sign(Purpose.OPEN, drip_email)}.gif" if drip_email else ""
		self._signed: dict[str, str] = {}

	def context(self) -> dict[str, object]:
		"""Return the template variables of an email's links."""
		return {
			"click_url": self.click_url,
			"open_url": self.open_url,
			"tracking_url": self.tracking_url,
			"drip_link_of": self.link_of,
		}

	def tracking_url(self, name: str) -> str:
		"""Return the link of a named Tracking URL."""
		if name not in self._named:
			raise TemplateRuntimeError(
				f"Tracking URL “{name}” does not exist. Create it, or correct its name in the text."
			)
		key, url = self._named[name]
		return f"{self.click_url}/{key}" if self.click_url else url

	def link_of(self, filled: str, key: str) -> str:
		"""Return the counted link for a URL that differs by recipient; `filled` is HTML.

		The URL is signed with the email, so that the link leads only there.
		"""
		url = as_browser_reads(unescape(str(filled)))
		if not leads_to_the_web(url) or url.startswith(self._root):
			return url
		url = with_parameters(url, self._utm)
		if not (key and self.click_url):
			return url
		subject = f"{self._mail}~{urlsafe_b64encode(url.encode()).decode().rstrip('=')}"
		link = f"{self._sign(Purpose.CLICK, subject)}/{key}"
		self._signed[link] = url
		return link

	def without_tracking(self, html: str, targets: Mapping[str, str]) -> str:
		"""Return HTML with the targets in place of counted links, so that a colleague's click is not counted."""
		if not self.click_url:
			return html
		for link, url in self._signed.items():
			html = html.replace(link, escape(url))
		first, *others = html.split(f"{self.click_url}/")
		return first + "".join(
			_LEADING_KEY.sub(lambda m: self._find_target(m[0], targets), one) for one in others
		)

	def _find_target(self, key: str, targets: Mapping[str, str]) -> str:
		url = targets.get(key) or next((url for named, url in self._named.values() if named == key), "#")
		return escape(url)

	def _sign(self, purpose: Purpose, subject: str) -> str:
		return f"{self._root}{purpose.value}/{tokens.sign(purpose, subject, self._keys)}"


def read_click(subject: str, key: str) -> tuple[str, str]:
	"""Return the email and the own address that a click's token was made for; raise InvalidTokenError for an invalid key."""
	if not _KEY.fullmatch(key):
		raise tokens.InvalidTokenError
	mail, _tilde, encoded = subject.partition("~")
	return mail, urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
