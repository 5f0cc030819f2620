"""Reads the day of return from an out-of-office reply, in eight languages. A day that is not certain is not guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

LONGEST_ABSENCE = timedelta(days=200)  # a later day is something else, such as a deadline
LONGEST_TEXT = 8000
_NEAR = 60  # most characters between the words that announce a day and the day

_MONTHS = (
	"january|januar|jänner|enero|janvier|gennaio|janeiro|januari|يناير|كانون الثاني|jan|ene|janv|gen",
	"february|februar|febrero|février|fevrier|febbraio|fevereiro|februari|فبراير|شباط|feb|févr|fev",
	"march|märz|marz|maerz|marzo|mars|março|maart|مارس|آذار|mar|mär|mrt",
	"april|abril|avril|aprile|أبريل|ابريل|نيسان|apr|abr|avr",
	"may|mai|mayo|maggio|maio|mei|مايو|أيار|mag",
	"june|juni|junio|juin|giugno|junho|يونيو|حزيران|jun|giu",
	"july|juli|julio|juillet|luglio|julho|يوليو|تموز|jul|juil|lug",
	"august|agosto|août|aout|augustus|أغسطس|اغسطس|آب|aug|ago",
	"september|septiembre|septembre|settembre|setembro|سبتمبر|أيلول|sept|sep|set",
	"october|oktober|octubre|octobre|ottobre|outubro|أكتوبر|اكتوبر|تشرين الأول|oct|okt|ott|out",
	"november|noviembre|novembre|novembro|نوفمبر|تشرين الثاني|nov",
	"december|dezember|diciembre|décembre|decembre|dicembre|dezembro|ديسمبر|كانون الأول|dec|dez|dic|déc",
)
_WEEKDAYS = (
	"monday|montag|lunes|lundi|lunedì|lunedi|segunda(?:-feira)?|maandag|الاثنين|الإثنين",
	"tuesday|dienstag|martes|mardi|martedì|martedi|terça(?:-feira)?|dinsdag|الثلاثاء",
	"wednesday|mittwoch|miércoles|miercoles|mercredi|mercoledì|mercoledi|quarta(?:-feira)?|woensdag|الأربعاء|الاربعاء",
	"thursday|donnerstag|jueves|jeudi|giovedì|giovedi|quinta(?:-feira)?|donderdag|الخميس",
	"friday|freitag|viernes|vendredi|venerdì|venerdi|sexta(?:-feira)?|vrijdag|الجمعة",
	"saturday|samstag|sonnabend|sábado|sabado|samedi|sabato|zaterdag|السبت",
	"sunday|sonntag|domingo|dimanche|domenica|zondag|الأحد|الاحد",
)
_MONTH_OF = {word: number for number, words in enumerate(_MONTHS, 1) for word in words.split("|")}
_MONTH = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_WEEKDAY = tuple(re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for words in _WEEKDAYS)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º|°)?"
_YEAR = r"(?:,?\s*(?:de |del )?(?P<year>\d{4})(?!\d))?"
_TO = r"\s*(?:-|–|—|to|until|through|thru|till|and|bis(?: zum)?|al?|au|hasta(?: el)?|até|t/m|tot(?: en met)?|und|e|y|et|إلى|حتى)\s*"
_FORMS = tuple(
	re.compile(form, re.IGNORECASE)
	for form in (
		r"(?<![\d/.-])(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?!\d)",
		r"(?<![\d.])(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?:\s?(?P<year>\d{4}|\d{2})(?!\d))?",
		rf"(?<!\d){_DAY}\s*(?:of |de |d['’])?(?P<name>{_MONTH})(?!\w)\.?{_YEAR}",
		rf"(?<!\w)(?P<name>{_MONTH})\.?\s+(?:the )?{_DAY}(?!\d){_YEAR}",
		r"(?<![\d/.-])(?P<first>\d{1,2})(?P<slash>[/-])(?P<second>\d{1,2})(?:(?P=slash)(?P<year>\d{4}|\d{2}))?(?![\d/])",
	)
)
# "12.–16. Dezember", "12 to 16 December", "December 12-16": the first day has no month of its own
_SHORT_RANGES = (
	re.compile(
		rf"(?<!\d)\d{{1,2}}(?:st|nd|rd|th|\.|º|°)?(?=\s*(?:-|–|—|to|through|bis|al?|au|até|t/m|und|e|y|et)\s*\d{{1,2}}(?:st|nd|rd|th|\.|º|°)?\s*(?:of |de |d['’])?(?:{_MONTH})(?!\w))",
		re.IGNORECASE,
	),
)
_MONTH_FIRST_RANGE = re.compile(
	rf"(?<!\w)(?P<name>{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\s*(?:-|–|—|to|through|until)\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|\s*(?:{_MONTH})){_YEAR}",
	re.IGNORECASE,
)
# These name the last day of the absence; the person is back on the next. _BACK names the day of return itself.
_UNTIL = re.compile(
	r"(?<!\w)(?:until|till|through|thru|to|bis(?: einschließlich| zum| einschl\.?| inkl(?:usive|\.)?)?|hasta(?: el)?|jusqu['’]?(?:au|à|aux)?|fino al?|até(?: o)?(?: dia)?|tot(?: en met)?|t/m|au|al|a)(?!\w)|[-–—]|(?<!\w)(?:between|zwischen|entre|tra|fra|tussen)(?!\w).{1,40}(?<!\w)(?:and|und|et|y|e|en)(?!\w)|حتى|إلى|لغاية",
	re.IGNORECASE,
)
_BACK = re.compile(
	r"(?<!\w)(?:back|(?:not )?(?:be )?return(?:ing)?(?: to (?:the )?(?:office|work))?(?: (?:until|before|till))?|not (?:be )?(?:back|available|in)(?: in (?:the )?office)? (?:until|before|till)|available (?:again|from)|again (?:from|on)|resume|reachable again|in the office again|first day back"
	r"|wieder|ab(?: dem)?|zurück|zurueck|rückkehr|regres\w+|vuelv\w+|volver\w*|vuelta|reincorpor\w+|a partir del?|retour|reviens|reviendrai|de nouveau|dès le|à partir du|rientr\w+|torn\w+|ritorn\w+|dal|retorn\w+|volto|voltarei|regress\w+|a partir de|terug|weer (?:aanwezig|bereikbaar|op kantoor)|vanaf)(?!\w)|سأعود|أعود|عودتي|ابتداء|اعتبارا",
	re.IGNORECASE,
)
# "am 7. April wieder da": the word follows the day
_BACK_AFTER = re.compile(
	r"^\W{0,3}(?:\w+ ){0,2}(?:wieder|zurück|back|de retour|de vuelta|terug|di ritorno|de volta)(?!\w)",
	re.IGNORECASE,
)
_FROM = re.compile(
	r"(?<!\w)(?:from|starting|beginning|as of|since|between|vom?|von|seit|ab|desde|del|de|du|depuis|dal|dall|van|vanaf|من|منذ)(?:\s+(?:the|el|le|dem|on|am|dia|il|\w+(?:day|tag),?))*\W{0,3}$",
	re.IGNORECASE,
)
# Which part of 04/05/2026 is the day? People who write these languages put it first; in English both exist.
_DAY_FIRST = re.compile(
	r"\b(?:ich|und|bin|nicht|büro|urlaub|regreso|vuelvo|volveré|hasta|jusqu|bis|fino|até|tot|estoy|estaré|oficina|vacaciones|je|suis|serai|bureau|congés?|sono|ufficio|ferie|estou|escritório|férias|ik|ben|kantoor|vakantie|afwezig|absent|abwesend)\b|[\u0600-\u06ff]",
	re.IGNORECASE,
)
_ARABIC_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


@dataclass(frozen=True)
class _Place:
	start: int
	end: int
	day: date


def find_return_date(text: str, received_on: date) -> date | None:
	"""Return the first day on which the person is back, or None if the text states no certain day.

	A day without a year, and a weekday, is the next one after `received_on`. "Back on" has priority over "until"; of a
	range, the last day counts.
	"""
	text = " ".join(text[:LONGEST_TEXT].translate(_ARABIC_DIGITS).split())
	until: date | None = None
	for place in _find_days(text, received_on):
		before, after = text[max(0, place.start - _NEAR) : place.start], text[place.end : place.end + 30]
		before = re.split(r"[.!?;](?=\s)(?<!\d\.)", before)[-1]
		back, last = _last(_BACK, before), _last(_UNTIL, before)
		if last < back and back >= 0 and not _starts_range(text, place):
			return _plausible(place.day, received_on)
		if _BACK_AFTER.search(after) and last < 0:
			return _plausible(place.day, received_on)
		if last >= 0 and not _starts_range(text, place):
			until = max(until or place.day, place.day)
	return _plausible(until + timedelta(days=1), received_on) if until else None


def _starts_range(text: str, place: _Place) -> bool:
	"""Return whether a day begins a range: "from 3 March", and another day follows with "to"."""
	before, after = text[max(0, place.start - 30) : place.start], text[place.end : place.end + 30]
	follows = re.match(
		rf"^(?:\W*(?:\d{{4}}|\d{{1,2}}[:h]\d{{0,2}}))?{_TO}(?:\w+,? )?\d", after, re.IGNORECASE
	)
	return bool(follows) or bool(
		_FROM.search(before) and re.search(_UNTIL, after) and re.search(r"\d", after)
	)


def _last(words: re.Pattern, text: str) -> int:
	return max((match.end() for match in words.finditer(text)), default=-1)


def _plausible(day: date, received_on: date) -> date | None:
	return day if received_on < day <= received_on + LONGEST_ABSENCE else None


def _find_days(text: str, received_on: date) -> list[_Place]:
	for short in _SHORT_RANGES:
		text = short.sub(lambda match: " " * len(match[0]), text)
	day_first = _is_day_first(text)
	found = [*_find_month_ranges(text, received_on)]
	taken = [(place.start, place.end) for place in found]
	for form in _FORMS:
		for match in form.finditer(text):
			if any(start < match.end() and match.start() < end for start, end in taken):
				continue
			day = _read_day(match.groupdict(), received_on, day_first=day_first)
			if day:
				found.append(_Place(match.start(), match.end(), day))
				taken.append((match.start(), match.end()))
	found.extend(_find_weekdays(text, received_on, taken))
	return sorted(found, key=lambda place: place.start)


def _find_month_ranges(text: str, received_on: date) -> Iterator[_Place]:
	for match in _MONTH_FIRST_RANGE.finditer(text):
		if day := _read_day(match.groupdict(), received_on, day_first=True):
			yield _Place(match.start("day"), match.end(), day)


def _find_weekdays(text: str, received_on: date, taken: list[tuple[int, int]]) -> Iterator[_Place]:
	"""Yield weekdays that no date explains: "back on Monday"; "Monday, 14 December" is a date."""
	for number, words in enumerate(_WEEKDAY):
		for match in words.finditer(text):
			if any(
				start - 25 < match.end() <= start + 1 or start <= match.start() <= end + 3
				for start, end in taken
			):
				continue
			ahead = (number - received_on.weekday() - 1) % 7 + 1
			yield _Place(match.start(), match.end(), received_on + timedelta(days=ahead))


def _read_day(parts: dict[str, str | None], received_on: date, *, day_first: bool | None) -> date | None:
	if parts.get("first"):
		day, month = _read_slashes(int(parts["first"]), int(parts["second"]), day_first=day_first)
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


def _is_day_first(text: str) -> bool | None:
	"""Return the order of day and month in dates with slashes: as another date of the letter shows, or as its language has it."""
	for match in _FORMS[-1].finditer(text):
		first, second = int(match["first"]), int(match["second"])
		if first > 12 >= second:
			return True
		if second > 12 >= first:
			return False
	return True if _DAY_FIRST.search(text) else None


def _read_slashes(first: int, second: int, *, day_first: bool | None) -> tuple[int, int]:
	"""Return day and month of a date with slashes; (0, 0) if it is ambiguous, such as 12/03 in English."""
	if first > 12 or first == second:
		return first, second
	if second > 12:
		return second, first
	return {True: (first, second), False: (second, first), None: (0, 0)}[day_first]


def _year(text: str) -> int:
	return int(text) + (2000 if len(text) == 2 else 0)
