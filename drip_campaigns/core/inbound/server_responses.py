"""Tells what a mail server's response says about an address: its severity and its category.

In doubt, the recipient keeps their place: only positive evidence about this address is hard. That is a status of RFC 3463
that says so and that neither the words nor the reply code contradict, or words that say that the mailbox does not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drip_campaigns.core.inbound.response_words import (
	ABOUT_SENDER,
	CONTRADICTION,
	DEAD,
	FOR_NOW,
	RECIPIENT_REFUSED,
	VAGUE,
	Category,
	Severity,
	Words,
)

LONGEST_RESPONSE = 4000
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_REPLY_CODE = re.compile(r"(?<![\d.-])([45]\d\d)(?=[ \-#]|$)")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
# What Amazon SES and IronPort put in front of the words of the other server
_WRAPPER = re.compile(
	r"\b(?:unknown address error|other mail system problem|bad destination host) (?=[45]\d\d)", re.I
)
_ADDRESS = re.compile(r"[\w.+%=-]{1,80}@[\w.-]{1,120}")
_HOST = re.compile(r"\b[\w-]{1,63}(?:\.[\w-]{1,63})+\b")
_WITH_DIGIT = re.compile(r"[\w/+=-]*\d[\w/+=-]*")
# RFC 3463 and its registry at IANA; Microsoft's from 100 on
_DEAD_CODES = {
	**dict.fromkeys(("1.1", "1.3", "1.10", "1.351", "2.1"), Category.USER_UNKNOWN),
	**dict.fromkeys(("1.2", "4.310", "4.312"), Category.HOST_UNKNOWN),
	**dict.fromkeys(("1.6", "7.17"), Category.MOVED),
}
_FULL_OR_LARGE = {
	"2.2": Category.MAILBOX_FULL,
	"3.1": Category.MAILBOX_FULL,
	"2.3": Category.SIZE,
	"3.4": Category.SIZE,
}
_SENDER_CODES = {
	**dict.fromkeys(("1.7", "1.8"), Category.SENDER_REJECTED),
	**dict.fromkeys(
		("7.8", "7.9", "7.20", "7.21", "7.22", "7.23", "7.24", "7.26", "7.30", "7.57"),
		Category.AUTHENTICATION,
	),
	**dict.fromkeys(("7.25", "7.27", "7.606", "7.511"), Category.BLOCKED_IP),
	"7.28": Category.RATE,
}
# Codes x.7 about one recipient, one list or one message
_ONE_RECIPIENTS_POLICY = {
	*("7.2", "7.15", "7.16", "7.18", "7.19", "7.124", "7.129", "7.133", "7.134", "7.135", "7.136"),
}


@dataclass(frozen=True)
class Finding:
	"""What a response means; `code` is an enhanced status such as 5.1.1, or empty."""

	severity: Severity
	category: Category
	code: str = ""
	is_temporary: bool = False


def classify_response(status: str, text: str) -> Finding:
	"""Return the meaning of a status of RFC 3463 and a server's words; either can be empty. Never raises."""
	text = f"{status} {text}".strip()[:LONGEST_RESPONSE]
	codes = [match.groups() for match in _ENHANCED.finditer(text)]
	klass, subject, detail = next(
		(code for code in codes if code[1] != "0"), codes[0] if codes else ("", "0", "0")
	)
	reply = next((match[1] for match in _REPLY_CODE.finditer(text)), "")
	code = f"{klass}.{subject}.{detail}" if klass else ""
	is_temporary = "4" in (klass, reply[:1])
	severity, category = _judge(f"{subject}.{detail}", reply, _plain(text))
	if is_temporary and severity is Severity.HARD:
		severity = Severity.SOFT
	return Finding(severity, category, code, is_temporary)


def make_alike(text: str, address: str) -> str:
	"""Return a response without what differs by recipient and moment: the address, hosts, numbers, and queue ids."""
	text, name = text[:LONGEST_RESPONSE].casefold(), address.casefold().rpartition("@")[0]
	text = _ADDRESS.sub("@", _URL.sub(_host_of, text))
	if name:
		text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "@", text)
	text = _WITH_DIGIT.sub("#", _HOST.sub("@", text))
	return " ".join(text.split())


def _plain(text: str) -> str:
	"""Return the words without what can hold any word by chance: links to explanations, and addresses."""
	text = " ".join(_URL.sub(_host_of, text).split())
	return _WRAPPER.sub("", _ADDRESS.sub("@", text))


def _host_of(url: re.Match) -> str:
	return re.sub(r"^https?://([^/:?\s]*).*", r"\1", url[0], flags=re.IGNORECASE)


def _judge(detail: str, reply: str, text: str) -> tuple[Severity, Category]:
	if said := _find(ABOUT_SENDER, text):
		return said
	if detail in _SENDER_CODES and not _find(DEAD, text):
		return Severity.SENDER, _SENDER_CODES[detail]
	if detail in _ONE_RECIPIENTS_POLICY:
		return Severity.SOFT, Category.POLICY
	said = _find(FOR_NOW, text) or _find(DEAD, text)
	if said:
		return said
	return _judge_by_code(detail, reply, text)


def _judge_by_code(detail: str, reply: str, text: str) -> tuple[Severity, Category]:
	subject, vague = detail.partition(".")[0], _find(VAGUE, text)
	if detail in _FULL_OR_LARGE:
		return Severity.SOFT, _FULL_OR_LARGE[detail]
	if CONTRADICTION.search(text):
		return Severity.SOFT, Category.SYSTEM
	if detail in _DEAD_CODES:
		return vague if vague and vague[1] is not Category.SYSTEM else (Severity.HARD, _DEAD_CODES[detail])
	if (
		reply in ("550", "551", "553", "554", "")
		and subject in ("0", "1", "5")
		and RECIPIENT_REFUSED.search(text)
	):
		return (
			vague
			if vague and vague[1] in (Category.SPAM, Category.POLICY)
			else (Severity.HARD, Category.USER_UNKNOWN)
		)
	if vague:
		return vague
	if subject == "7":
		return Severity.SENDER, Category.POLICY
	if reply == "552":
		return Severity.SOFT, Category.MAILBOX_FULL
	by_subject = {
		"2": Category.MAILBOX_FULL,
		"3": Category.SYSTEM,
		"4": Category.EXPIRED,
		"5": Category.SYSTEM,
		"6": Category.POLICY,
	}
	return Severity.SOFT, by_subject.get(subject, Category.NOT_UNDERSTOOD)


def _find(table: tuple[Words, ...], text: str) -> tuple[Severity, Category] | None:
	return next(((severity, category) for severity, category, words in table if words.search(text)), None)
