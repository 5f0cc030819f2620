"""The languages of the texts that recipients see: on the pages, and in the footer of emails.

Texts that a user writes are not translated. The translations are in `translations/`, which Frappe 15 and 16 both read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import frappe

LANGUAGES = ("en", "de", "es", "fr", "ar")
RTL_LANGUAGES = ("ar", "fa", "he", "ps", "ur")


@lru_cache(maxsize=256)
def find_language(tag: str | None) -> str | None:
	"""Return the language in LANGUAGES for a tag such as `de-AT` or `pt_BR`, or None."""
	language = (tag or "").replace("_", "-").split("-")[0].lower()
	return language if language in LANGUAGES else None


def direction(language: str | None) -> str:
	"""Return the writing direction of a language, as HTML names it."""
	return "rtl" if (language or "en").split("-")[0] in RTL_LANGUAGES else "ltr"


@contextmanager
def use_language(language: str) -> Iterator[None]:
	"""Make `_()` translate to `language` in a `with` block."""
	before = frappe.local.lang
	frappe.local.lang = language
	try:
		yield
	finally:
		frappe.local.lang = before
