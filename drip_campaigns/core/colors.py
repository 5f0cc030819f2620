"""Colours that can be read, whatever color a site calls its own: contrast as WCAG 2 measures it."""

from __future__ import annotations

import re
from dataclasses import dataclass

READABLE = 4.5  # the ratio that WCAG asks for in text of ordinary size
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_STEP = 0.04
_WHITE, _INK = "#ffffff", "#10202f"


@dataclass(frozen=True)
class Accent:
	"""The color of buttons and links on one ground, the same for a pointer above them, and the text on a button."""

	plain: str
	pointed: str
	text: str


def is_color(text: str) -> bool:
	"""Say whether `text` is a color as #rgb or #rrggbb."""
	return bool(_HEX.fullmatch(text.strip()))


def contrast(one: str, other: str) -> float:
	"""Return the contrast of two colors, from 1 (the same) to 21 (black on white)."""
	lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
	return (lighter + 0.05) / (darker + 0.05)


def make_accent(color: str, grounds: tuple[str, ...]) -> Accent:
	"""Return `color`, moved away from the grounds until it can be read on all of them, and what goes with it."""
	towards = "#000000" if _luminance(grounds[0]) > 0.5 else _WHITE
	plain = color.strip()
	while min(contrast(plain, ground) for ground in grounds) < READABLE:
		plain = _mix(plain, towards, _STEP)
	text = max((_WHITE, _INK), key=lambda candidate: contrast(candidate, plain))
	pointed = _mix(plain, "#000000" if text == _WHITE else _WHITE, 0.2)
	return Accent(_mix(plain, plain, 0), pointed, text)


def _luminance(color: str) -> float:
	red, green, blue = (_linear(part / 255) for part in _parts(color))
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
	return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _mix(color: str, other: str, share: float) -> str:
	# Away from zero steps, so that a color close to its goal still arrives.
	mixed = (one + (two - one) * share for one, two in zip(_parts(color), _parts(other), strict=True))
	moved = (
		round(value) if round(value) != one or share == 0 else one + (two > one) - (two < one)
		for value, one, two in zip(mixed, _parts(color), _parts(other), strict=True)
	)
	return "#" + "".join(f"{value:02x}" for value in moved)


def _parts(color: str) -> tuple[int, int, int]:
	digits = color.strip().lstrip("#")
	if len(digits) == 3:
		digits = "".join(digit * 2 for digit in digits)
	red, green, blue = (int(digits[start : start + 2], 16) for start in (0, 2, 4))
	return red, green, blue
