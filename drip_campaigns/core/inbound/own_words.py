"""Finds a sender's own words: without quotations above or below, greetings, closings, and signatures."""

from __future__ import annotations

import re
from email.message import Message
from itertools import zip_longest

from quotequail import quote

from drip_campaigns.core.inbound.parts import decode_part, own_parts, read_text, strip_html

LONGEST_READ = 4000
_QUOTED_HTML = re.compile(
	r"<blockquote\b|<div[^<>]{0,300}(?:gmail_quote|divRplyFwdMsg|yahoo_quoted|moz-cite-prefix|protonmail_quote)",
	re.IGNORECASE,
)
# What begins a quotation or a signature, in one line or two, and is unknown to quotequail: the headers that Outlook
# quotes, a separator, introductions in other languages, and what mail programs sign with
_ENDS = re.compile(
	r"^(?:--|_{10,}|-{2,} ?(?:original message|original-nachricht|message d['’]origine|message original|mensagem original|messaggio originale|oorspronkelijk bericht|الرسالة الأصلية).*"
	r"|le .{6,120} a écrit\s?:|في .{4,120} (?:كتب|تمت كتابة).{0,80}:|(?:from|von|de|da|van|من) ?: .{1,200}@.{1,200}"
	r"|(?:op|il|em|on) .{6,160}(?:schreef|ha scritto|escreveu|wrote).{0,100}:"
	r"|\*?(?:from|von|de|da|van|من) ?:\*? .{1,200} \*?(?:sent|date|gesendet|datum|enviado(?: el)?|enviada(?: em)?|fecha|envoyé|inviato|data|verzonden|تم الإرسال) ?:\*? .{1,200}"
	r"|(?:sent from|sent with|get) (?:my|outlook|mail|yahoo|gmail|samsung|the|a|proton).{0,100}|von meinem .{0,60} gesendet.{0,40}|gesendet (?:von (?:meinem|meiner|outlook|mail)|mit).{0,100}"
	r"|(?:enviado (?:desde|do|a partir do)|obtener outlook|enviado con) .{0,100}|envoyé (?:de mon|à partir de|depuis) .{0,100}|inviato da.{0,100}|verzonden (?:vanaf|met) .{0,100}|أُرسلت من .*|sent via .{0,60})$",
	re.IGNORECASE,
)
# The line that closes a letter: only names follow
_CLOSING = re.compile(
	r"^(?:(?:with |my |many |kind |best |warm |kindest |warmest |all the )*(?:best|regards|wishes|sincerely|cheers|yours(?: \w+)?|thanks|thank you|thx|tia|br|rgds)(?: (?:again|in advance|and (?:kind |best )?regards|so much|very much|you))*"
	r"|(?:mit )?(?:freundlichen?|besten?|herzlichen?|viele[nr]?|liebe|schöne) (?:gr(?:ü|ue)(?:ß|ss)e?n?|dank)|mfg|vg|lg|(?:viele )?grüße|gruß|danke(?: schön| sehr| im voraus)?|vielen dank(?: im voraus)?|besten dank"
	r"|(?:un |cordiales? |muchos )*(?:saludos?|cordialmente|atentamente|atte|(?:muchas )?gracias)(?: cordiales?| de antemano)?"
	r"|(?:bien )?(?:cordialement|à vous)|(?:avec mes |mes )?salutations.{0,30}|cdlt|(?:merci|merci d'avance|merci beaucoup)|bonne journée"
	r"|(?:cordiali |distinti )?saluti|grazie(?: mille)?|cordialmente|(?:muito )?obrigad[oa]|atenciosamente|abraços?|att|cumprimentos"
	r"|met vriendelijke groet(?:en)?|vriendelijke groet(?:en)?|groet(?:en|jes)?|mvg|(?:alvast )?bedankt|dank u(?: wel)?|(?:مع )?(?:خالص )?(?:التحية|تحياتي|الشكر)|شكرا(?: جزيلا)?|شكراً)[\s,.!;:)-]*$",
	re.IGNORECASE,
)
_GREETING = re.compile(
	r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|day|evening)|greetings|to whom it may concern|sirs?|hallo|guten (?:tag|morgen|abend)|sehr geehrte\w*|liebe[rs]?|moin|servus|grüß gott"
	r"|hola|buenos d[ií]as|buenas(?: tardes)?|estimad[oa]s?(?:/a)?|bonjour|bonsoir|madame|monsieur|cher|chère|salut|ciao|buongiorno|salve|gentile?|egregi\w*|olá|oi|bom dia|boa (?:tarde|noite)|prezad[oa]s?"
	r"|beste|geachte|goedemorgen|goedendag|goedemiddag|dag|مرحبا|السلام عليكم|السادة|تحية طيبة|عزيزي)\b[^.!?\n]{0,60}?[,!.:–-]?$",
	re.IGNORECASE,
)


def own_words(message: Message) -> str:
	"""Return the sender's own words, without quotations and what mail programs sign with."""
	return cut_quotations(_read(message)[: 4 * LONGEST_READ])[:LONGEST_READ].strip()


def cut_quotations(text: str) -> str:
	"""Return a text without what it quotes: below the answer, or above it."""
	visible = text.replace("\u200e", "").replace("\u200f", "").replace("\xa0", " ").replace("\r\n", "\n")
	lines = [line.strip() for line in visible.split("\n")]
	above = _before_end([line for line in lines if not line.startswith(">")])
	if above.strip():
		return above
	# Nothing stands above the quotation: the answer is below it.
	quoted = [at for at, line in enumerate(lines) if line.startswith(">")]
	return _before_end(lines[quoted[-1] + 1 :]) if quoted else ""


def body_of(words: str) -> str:
	"""Return a letter's own words without its greeting, its closing, and the names after that."""
	lines = [line.strip() for line in words.split("\n")]
	while lines and (not lines[0] or _GREETING.match(lines[0])):
		lines.pop(0)
	for at, line in enumerate(lines):
		if at and _CLOSING.match(line) and len(lines) - at <= 8:
			return "\n".join(lines[:at])
	return "\n".join(lines)


def _before_end(lines: list[str]) -> str:
	own = quote("\n".join(lines), limit=len(lines) + 1, quote_intro_line=True)
	first = next((block for is_shown, block in own if is_shown), "") if own else ""
	own_lines = first.split("\n")
	# A mail program can break the line that introduces a quotation into two.
	pairs = zip_longest(own_lines, own_lines[1:], fillvalue="")
	ends = (at for at, pair in enumerate(pairs) if any(map(_ENDS.match, (pair[0], " ".join(pair)))))
	return "\n".join(own_lines[: next(ends, len(own_lines))])


def _read(message: Message) -> str:
	"""Return the text of a message; of HTML, only what stands before its quotation."""
	for part in own_parts(message):
		if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment":
			return decode_part(part)
	for part in own_parts(message):
		if part.get_content_type() == "text/html" and part.get_content_disposition() != "attachment":
			return strip_html(_QUOTED_HTML.split(decode_part(part), maxsplit=1)[0])
	return read_text(message)
