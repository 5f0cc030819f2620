"""Replies by people, by machines, and those that only unsubscribe, in five languages."""

import time
from collections import Counter
from datetime import date
from email.message import EmailMessage

import pytest

from drip_campaigns.core.inbound.out_of_office import find_return_date
from drip_campaigns.core.inbound.own_words import own_words
from drip_campaigns.core.inbound.read_message import Kind, read_message
from tests.core.letters import LETTERS

TODAY = date(2026, 3, 2)


def letter(headers: dict[str, str], subject: str, text: str, subtype: str = "plain") -> EmailMessage:
	"""Return a reply as a mail program sends it."""
	message = EmailMessage()
	message["From"], message["To"], message["Subject"] = "ada@example.org", "sales@example.com", subject
	for name, value in headers.items():
		message[name] = value
	message.set_content(text, subtype=subtype)
	return message


def test_no_absence_is_read_as_a_reply_or_an_opt_out_in_any_language():
	confusion = Counter(
		(language, kind, read_message(letter(headers, subject, text), TODAY).kind.value)
		for language, kind, _back_on, headers, subject, text in LETTERS
	)

	print_matrix(confusion)
	assert {language for language, _said, _read in confusion} == {"en", "de", "es", "fr", "ar"}
	assert [key for key in confusion if key[1] != key[2]] == []


@pytest.mark.parametrize(
	"junk", ["<", "<div ", "<div gmail_quot ", "<style>", "<style ", "</style>", "<br ", "&", ">"]
)
def test_hostile_html_is_read_in_time_proportional_to_its_length(junk):
	html = f"<style>p {{ color: red }}</style><p>Yes, please<br>call me</p>{junk * 60_000}"
	began = time.process_time()

	words = own_words(letter({}, "Re: Hello", html, "html"))

	assert words.startswith("Yes, please\ncall me")
	assert time.process_time() - began < 5  # an hour, if it took the square of its length


def print_matrix(confusion: Counter) -> None:
	"""Show what was read as what: `pytest -s`."""
	kinds = [kind.value for kind in Kind]
	print("\n" + "is / read as".ljust(14) + "".join(kind.rjust(11) for kind in kinds))
	for said in kinds:
		row = [sum(n for (_l, s, r), n in confusion.items() if (s, r) == (said, read)) for read in kinds]
		print(said.ljust(14) + "".join(str(number).rjust(11) for number in row))


QUOTATIONS = [
	"On Mon, Mar 2, 2026 at 9:00 AM Sales Department <sales@example.com>\nwrote:",
	"-----Original Message-----\nFrom: Sales <sales@example.com>",
	"________________________________\nFrom: Sales <sales@example.com>",
	"From: Sales <sales@example.com>\nSent: Monday, March 2, 2026 9:00 AM",
	"From: Sales Team\nSent: Monday, March 2, 2026 9:00 AM",
	"*From:* Sales Team\n*Sent:* Monday, March 2, 2026 9:00 AM",
	"---------- Forwarded message ---------\nFrom: Sales <sales@example.com>",
	"Sent from my iPhone\n\nOn Mar 2, 2026, at 09:00, Sales <sales@example.com> wrote:",
	"Get Outlook for iOS<https://aka.ms/o0ukef>",
	"--\nJane Roe",
	"Am Mo., 2. März 2026 um 09:00 Uhr schrieb Vertrieb <\nsales@example.com>:",
	"-----Ursprüngliche Nachricht-----\nVon: Vertrieb",
	"Von: Vertrieb\nGesendet: Montag, 2. März 2026 09:00",
	"Von meinem iPhone gesendet",
	"El lun, 2 mar 2026 a las 9:00, Ventas (<sales@example.com>) escribió:",
	"De: Ventas\nEnviado el: lunes, 2 de marzo de 2026 9:00",
	"-----Mensaje original-----\nDe: Ventas",
	"Le lun. 2 mars 2026 à 09:00, Ventes <sales@example.com> a\nécrit :",
	"De : Ventes\nEnvoyé : lundi 2 mars 2026 09:00",
	"-----Message d’origine-----\nDe : Ventes",
	"في الإثنين ٢ مارس ٢٠٢٦ كتب المبيعات <sales@example.com>:",
	"من: المبيعات\nتم الإرسال: الاثنين 2 مارس 2026",
	"-----الرسالة الأصلية-----\nمن: المبيعات",
]


@pytest.mark.parametrize("quotation", QUOTATIONS)
def test_quotation_and_signature_are_not_the_senders_own_words(quotation):
	text = f"Yes, please call me.\n> Shall I?\n\n{quotation}\n\nHello Jane, unsubscribe here"

	assert own_words(letter({}, "Re: Offer", text)) == "Yes, please call me."


@pytest.mark.parametrize(
	"text",
	[
		"- first a price\n- then a date",
		"Hello\n\nThanks, but please call me tomorrow instead.",
		"I am away.\nFrom: 3 March 2026\nTo: 14 March 2026",
		"Am liebsten Montag.\nGrüße auch an Herrn Maier.",
	],
)
def test_words_like_those_of_a_quotation_or_signature_stay(text):
	assert own_words(letter({}, "Re: Offer", text)) == text


@pytest.mark.parametrize("junk", ["On \n", "From: a\n", ">\na\n", "-\n", "Am x schrieb ", "a:\n", "\n"])
def test_hostile_text_is_read_in_time(junk):
	began = time.process_time()

	own_words(letter({}, "Re: Hello", junk * 60_000))

	assert time.process_time() - began < 5


@pytest.mark.parametrize("sample", LETTERS, ids=lambda sample: f"{sample[0]}-{sample[4]}")
def test_day_of_return_is_the_one_that_is_stated(sample):
	_language, _kind, back_on, headers, subject, text = sample

	assert read_message(letter(headers, subject, text), TODAY).back_on == back_on


@pytest.mark.parametrize(
	("text", "back_on"),
	[
		("back on 30 February 2026", None),
		("back on 1 March 2026", None),  # it has passed
		("back on 3 January", None),  # next year: too far to be an absence
		("until 3 June", date(2026, 6, 4)),
		("The fair is on 12 May 2026.", None),
		("away from 5 March until 12 March 2026, back on 13 March 2026", date(2026, 3, 13)),
		("back on 04/05/2026", None),  # April or May
		("until 99.99.2026", None),
		("", None),
	],
)
def test_day_that_is_not_stated_clearly_is_not_guessed(text, back_on):
	assert find_return_date(text, TODAY) == back_on


def test_words_of_an_html_reply_are_read_without_its_quotation():
	html = "<style>p{}</style><div>Unsubscribe&nbsp;<br></div><blockquote>Buy now &amp; save</blockquote>"
	message = letter({}, "Re: Hi", html, subtype="html")

	assert own_words(message) == "Unsubscribe"
	assert read_message(message, TODAY).kind is Kind.OPT_OUT


def test_reply_in_an_unknown_charset_is_read():
	message = letter({}, "=?x-unknown-8?B?/w==?=", "Unsubscribe")
	message.replace_header("Content-Type", 'text/plain; charset="x-unknown-8"')

	assert read_message(message, TODAY).kind is Kind.OPT_OUT


@pytest.mark.parametrize(
	("headers", "kind"),
	[
		({"List-Unsubscribe": "<https://example.org/leave>"}, Kind.NOTHING),
		({"List-Id": "News <news.example.org>"}, Kind.NOTHING),
		# Sales programs put it into what a person answers as well.
		(
			{"List-Unsubscribe": "<https://example.org/leave>", "In-Reply-To": "<a@example.com>"},
			Kind.HUMAN,
		),
		({}, Kind.HUMAN),
	],
)
def test_newsletter_of_a_recipient_is_not_a_reply(headers, kind):
	assert read_message(letter(headers, "Our spring offers", "Buy now"), TODAY).kind is kind
