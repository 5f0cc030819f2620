"""Clean the texts that visitors enter."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str, longest: int) -> str:
	"""Return `text` on one line of at most `longest` characters; control characters, NUL included, become spaces."""
	return " ".join(_CONTROL.sub(" ", text).split())[:longest]
