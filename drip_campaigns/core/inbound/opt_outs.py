"""Recognizes a person's wish to get no more email, in what they wrote themselves (`own_words.py`).

A clear request counts, a question or a refusal does not. What could be a request is in doubt: the owner is asked, and the
enrollment waits.
"""

from __future__ import annotations

import re
import unicodedata

from drip_campaigns.core.inbound.opt_out_words import LANGUAGES, POLITE
from drip_campaigns.core.inbound.own_words import body_of
from drip_campaigns.core.label import Label

LONGEST_REQUEST = 120  # words: a longer letter says more than that
_NO_LETTER = re.compile(r"[^\w\s'’-]+")
_SENTENCE = re.compile(r"[^.!?\n;؟]+[.!?؟]*")
_MENTION = re.compile(
	r"un-?subscri|opt[- ]?out|mailing list|abmeld|abbestell|austrag|d[ée]sabonn|d[ée]sinscri|dar(?:me|se)? de baja|desuscri|descadastr|disiscri|uitschrijv|afmeld|إلغاء الاشتراك|الغاء الاشتراك|اشتراكي|remove (?:me|us)",
	re.IGNORECASE,
)
_ASKS_FOR_A_CALL = re.compile(
	r"\b(?:call|phone|ring) (?:me|us)\b|\bby phone\b|\bruf\w* .{0,20}an\b|\bllám\w+|\bappelez", re.IGNORECASE
)
_POLITE_QUESTION = re.compile(
	r"^\W*(?:(?:please|and|also|so|but|hi|hello)\W+)*(?:can|could|would|will) (?:you|u|someone|somebody)\b|^\W*(?:can|could|may) (?:i|we) (?:please )?be (?:removed|taken|unsubscribed)|^\W*(?:können|könnten|würden) sie (?:mich|uns|bitte)|^\W*(?:pueden?|podr[ií]an?) (?:dar|elimin|quit|borr)|^\W*(?:pouvez|pourriez)[- ]vous|^\W*(?:podem?|poderiam?) (?:me )?(?:remov|retir|descad)|^\W*(?:potete|può|potreste) (?:cancell|rimuov|togli|disiscriv)|^\W*(?:kunt|wilt|kun|zou) (?:u|je) (?:mij|me|ons)|هل يمكن(?:كم|ك) (?:إلغاء|الغاء|حذف|إزالة)",
	re.IGNORECASE,
)


class OptOut(Label):
	"""What a person asks to be left out of."""

	NOTHING = "Nothing"
	SERIES = "Series"  # this campaign or list
	EVERYTHING = "Everything"
	UNSURE = "Unsure"  # a person must read it


def read_opt_out(words: str, subject: str = "") -> OptOut:
	"""Return what the own words of a letter ask for; without words, the subject counts."""
	text = body_of(words.replace("’", "'").replace("‘", "'")).strip() or subject.strip()
	if not text:
		return OptOut.NOTHING
	if _is_alone(text):
		return OptOut.EVERYTHING if _asks_for_everything(text) else OptOut.SERIES
	found = [_read_sentence(sentence.group().strip()) for sentence in _SENTENCE.finditer(text)]
	if (
		OptOut.UNSURE in found
		or len(text.split()) > LONGEST_REQUEST
		and any(one is not OptOut.NOTHING for one in found)
	):
		return OptOut.UNSURE
	if OptOut.EVERYTHING in found:
		return OptOut.EVERYTHING
	return OptOut.SERIES if OptOut.SERIES in found else OptOut.NOTHING


def _read_sentence(sentence: str) -> OptOut:
	said = " ".join(sentence.split())
	is_contrary = any(language.contrary.search(said) for language in LANGUAGES)
	asks = _asks(said) or _is_alone(said)
	if said.endswith(("?", "؟")):
		if asks and _POLITE_QUESTION.search(said) and not is_contrary:
			return OptOut.EVERYTHING if _asks_for_everything(said) else OptOut.SERIES
		return OptOut.NOTHING
	if is_contrary:
		return OptOut.NOTHING
	if asks and _ASKS_FOR_A_CALL.search(said):
		return OptOut.UNSURE
	if asks:
		return OptOut.EVERYTHING if _asks_for_everything(said) else OptOut.SERIES
	return OptOut.UNSURE if _MENTION.search(said) and len(said.split()) <= 25 else OptOut.NOTHING


def _asks(said: str) -> bool:
	readings = (said, _without_politeness(said), _without_accents(said))
	return any(language.asks.search(one) for one in readings for language in LANGUAGES)


def _without_accents(text: str) -> str:
	letters = unicodedata.normalize("NFKD", text)
	return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _is_alone(text: str) -> bool:
	said = _without_politeness(text).strip("'-")
	return any(said in language.alone for language in LANGUAGES) if said else False


def _without_politeness(text: str) -> str:
	said = " ".join(_NO_LETTER.sub(" ", text.casefold()).split())
	return " ".join(POLITE.sub(" ", said).split())


def _asks_for_everything(text: str) -> bool:
	readings = (text, _without_politeness(text), _without_accents(text))
	return any(
		language.everything.search(text)
		for language in LANGUAGES
		if any(language.asks.search(one) for one in readings)
	)
