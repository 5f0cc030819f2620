"""Hide Jinja from tools that read HTML, so that CSS is inlined once per step and not once per email.

An HTML parser moves, escapes or drops `{{ … }}` and `{% … %}`. `protect_jinja` puts a token in the place of each;
`restore` puts them back.
"""

import re
from dataclasses import dataclass

from jinja2 import Environment

_IN_TAG = re.compile(r"<[^<>]*\Z")
_IN_STYLE = re.compile(r"<style\b(?:(?!</style).)*\Z", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(r"<!--dripj(\d+)x-->|dripj(\d+)x", re.IGNORECASE)
_BEGINS = ("variable_begin", "block_begin", "comment_begin", "raw_begin")
_ENDS = ("variable_end", "block_end", "comment_end", "raw_end")


@dataclass(frozen=True)
class ProtectedHtml:
	"""HTML with tokens where Jinja was, and what each token stands for."""

	html: str
	pieces: tuple[str, ...]

	def restore(self, html: str) -> str:
		"""Return `html` with every token replaced by the Jinja it stands for; a token may occur twice."""
		return _TOKEN.sub(lambda match: self.pieces[int(match.group(1) or match.group(2))], html)


def protect_jinja(source: str, environment: Environment, *, visible: bool = False) -> ProtectedHtml:
	"""Replace all Jinja of `source` by tokens; raises TemplateSyntaxError as the lexer does.

	A statement between tags becomes an HTML comment, which is allowed anywhere, in a table too. With `visible`
	it becomes a word instead, because a converter to plain text drops comments.
	"""
	html, pieces = "", []
	for is_jinja, text in _split(source, environment):
		if not is_jinja:
			html += text
			continue
		word = f"dripj{len(pieces)}x"
		pieces.append(text)
		as_word = visible or text.startswith("{{") or _IN_TAG.search(html) or _IN_STYLE.search(html)
		html += word if as_word else f"<!--{word}-->"
	return ProtectedHtml(html, tuple(pieces))


def _split(source: str, environment: Environment) -> list[tuple[bool, str]]:
	"""Cut `source` into (is Jinja, text) pieces with Jinja's own lexer, so that strings and raw blocks are read right."""
	parts: list[tuple[bool, str]] = []
	inside, buffer = False, ""
	for _line, kind, text in environment.lex(source):
		if kind in _BEGINS and not inside:
			inside, buffer = True, text
		elif inside:
			buffer += text
			if kind in _ENDS:
				inside = False
				parts.append((True, buffer))
		else:
			parts.append((False, text))
	return parts
