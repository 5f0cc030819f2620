"""Colors that people can read: contrast as WCAG 2 measures it."""

from __future__ import annotations

import re

READABLE = 4.5  # the ratio that WCAG requires for text of ordinary size
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def is_color(text: str) -> bool:
	"""Return whether `text` is a color written as #rgb or #rrggbb."""
	return bool(_HEX.fullmatch(text.strip()))


def contrast(one: str, other: str) -> float:
	"""Return the contrast of two colors, from 1 (the same color) to 21 (black on white)."""
	lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
	return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
	digits = color.strip().lstrip("#")
	if len(digits) == 3:
		digits = "".join(digit * 2 for digit in digits)
	red, green, blue = (_linear(int(digits[start : start + 2], 16) / 255) for start in (0, 2, 4))
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
	return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
