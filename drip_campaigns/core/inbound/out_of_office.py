"""Read the day of return from an out-of-office reply, in five languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

LONGEST_ABSENCE = timedelta(days=200)  # a later day is something else, such as a deadline
_NEAR = 60  # most characters between the words that announce a day and the day

_MONTHS = (
	"january|januar|jänner|enero|janvier|يناير|كانون الثاني|jan|ene|janv",
	"february|februar|febrero|février|fevrier|فبراير|شباط|feb|févr",
	"march|märz|marz|marzo|mars|مارس|آذار|mar|mär",
	"april|abril|avril|أبريل|ابريل|نيسان|apr|abr|avr",
	"may|mai|mayo|مايو|أيار",
	"june|juni|junio|juin|يونيو|حزيران|jun",
	"july|juli|julio|juillet|يوليو|تموز|jul|juil",
	"august|agosto|août|aout|أغسطس|اغسطس|آب|aug|ago",
	"september|septiembre|septembre|سبتمبر|أيلول|sept|sep",
	"october|oktober|octubre|octobre|أكتوبر|اكتوبر|تشرين الأول|oct|okt",
	"november|noviembre|novembre|نوفمبر|تشرين الثاني|nov",
	"december|dezember|diciembre|décembre|decembre|ديسمبر|كانون الأول|dec|dez|dic|déc",
)
_MONTH_OF = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split("|")}
_MONTH = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?"
_FORMS = tuple(
	re.compile(form, re.IGNORECASE)
	for form in (
		r"(?<!\d)(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)",
		r"(?<!\d)(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?:\s?(?P<year>\d{4}|\d{2})(?!\d))?",
		rf"(?<!\d){_DAY}\s*(?:of |de |d['’])?(?P<name>{_MONTH})\b\.?(?:,?\s*(?:de |del )?(?P<year>\d{{4}}))?",
		rf"\b(?P<name>{_MONTH})\.?\s+{_DAY}(?!\d)(?:,?\s*(?P<year>\d{{4}}))?",
		r"(?<!\d)(?P<first>\d{1,2})/(?P<second>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?(?![\d/])",
	)
)
# These name the last day of the absence; the person is back on the next. _BACK names the day of return itself.
_UNTIL = re.compile(
	r"\b(?:until|till|through|thru|to|bis(?: einschließlich| zum| einschl\.?)?|hasta(?: el)?|jusqu['’]?(?:au|à|aux)?)\b|حتى|إلى|لغاية",
	re.IGNORECASE,
)
_BACK = re.compile(
	r"\b(?:back|return(?:ing)?|available again|again from|wieder|ab(?: dem)?|zurück|regres\w+|vuelv\w+|vuelta|a partir del?|retour|de nouveau|dès le"
	r"|à partir du)\b|سأعود|أعود|عودتي|ابتداء|اعتبارا",
	re.IGNORECASE,
)
_ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


def find_return_date(text: str, received_on: date) -> date | None:
	"""Return the first day on which the person is back, or None if the text states no clear day.

	A day without a year is the next one after `received_on`. "Back on" has priority over "until".
	"""
	text = text.translate(_ARABIC_DIGITS)
	until: date | None = None
	for start, end, day in _find_days(text, received_on):
		before, after = text[max(0, start - _NEAR) : start], text[end : end + 20]
		announced = _last(_BACK, before), _last(_UNTIL, before)
		if announced[0] > announced[1] or (max(announced) < 0 and _BACK.search(after)):
			return _plausible(day, received_on)
		if announced[1] >= 0:
			until = until or day + timedelta(days=1)
	return _plausible(until, received_on) if until else None


def _last(words: re.Pattern, text: str) -> int:
	return max((match.end() for match in words.finditer(text)), default=-1)


def _plausible(day: date, received_on: date) -> date | None:
	return day if received_on < day <= received_on + LONGEST_ABSENCE else None


def _find_days(text: str, received_on: date) -> Iterator[tuple[int, int, date]]:
	found = (
		(match.start(), match.end(), day)
		for form in _FORMS
		for match in form.finditer(text)
		if (day := _read_day(match.groupdict(), received_on))
	)
	yield from sorted(found, key=lambda place: place[0])


def _read_day(parts: dict[str, str | None], received_on: date) -> date | None:
	if parts.get("first"):
		day, month = _read_slashes(int(parts["first"]), int(parts["second"]))
	else:
		day = int(parts["day"])
		month = _MONTH_OF[parts["name"].lower()] if parts.get("name") else int(parts["month"])
	years = (_year(parts["year"]),) if parts.get("year") else (received_on.year, received_on.year + 1)
	for year in years:
		try:
			found = date(year, month, day)
		except ValueError:
			continue
		if parts.get("year") or found >= received_on:
			return found
	return None


def _read_slashes(first: int, second: int) -> tuple[int, int]:
	"""Return day and month of a date with slashes; (0, 0) if it is ambiguous, such as 12/03."""
	if first > 12 or first == second:
		return first, second
	return (second, first) if second > 12 else (0, 0)


def _year(text: str) -> int:
	return int(text) + (2000 if len(text) == 2 else 0)
