"""Unsubscribe as a recipient does: over HTTP, with only what the received email contains."""

from __future__ import annotations

import re
import urllib.request
from email.message import EmailMessage
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

TIMEOUT_SECONDS = 30
ONE_CLICK = {"List-Unsubscribe": "One-Click"}  # the body that RFC 8058 asks for


class Form(HTMLParser):
	"""The form of a page: its address and its fields."""

	def __init__(self, page: str) -> None:
		super().__init__()
		self.action, self.method = "", "get"
		self.fields: dict[str, str] = {}
		self.feed(page)

	def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
		values = dict(attrs)
		if tag == "form":
			self.action, self.method = values.get("action") or "", (values.get("method") or "get").lower()
		elif tag == "input" and values.get("name"):
			self.fields[values["name"]] = values.get("value") or ""


class Browser:
	"""A browser with its cookies, for the page that the link in the text of an email opens."""

	def __init__(self) -> None:
		self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

	def open(self, url: str) -> Form:
		"""Follow a link and return the form of the page."""
		with self._opener.open(url, timeout=TIMEOUT_SECONDS) as response:
			form = Form(response.read().decode())
		form.action = urljoin(url, form.action)
		return form

	def submit(self, form: Form) -> int:
		"""Press the form's button and return the status of the response."""
		if form.method != "post":
			raise RuntimeError("The page to unsubscribe has no form that posts.")
		with self._opener.open(
			form.action, urlencode(form.fields).encode(), timeout=TIMEOUT_SECONDS
		) as response:
			return response.status


def find_link(message: EmailMessage) -> str:
	"""Return the link to unsubscribe in the HTML of an email."""
	html = message.get_body(("html",)).get_content()
	return re.search(r'href="([^"]+/drip/leave/[^"]+)"', html).group(1)


def click_once(message: EmailMessage) -> int:
	"""Do what a mail program's own button does: POST to the address in the header, without cookies (RFC 8058)."""
	url = message["List-Unsubscribe"].strip("<>")
	request = urllib.request.Request(url, urlencode(ONE_CLICK).encode(), method="POST")
	with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
		return response.status
