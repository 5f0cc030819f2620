"""Answers by people, by machines, and those that only want to be left alone, in five languages."""

import time
from collections import Counter
from datetime import date
from email.message import EmailMessage

import pytest

from drip_campaigns.core.inbound.out_of_office import find_return_date
from drip_campaigns.core.inbound.replies import ReplyKind, own_words, read_reply
from tests.core.letters import LETTERS

TODAY = date(2026, 3, 2)


def letter(headers: dict[str, str], subject: str, text: str, subtype: str = "plain") -> EmailMessage:
	"""Return an answer as a mail program sends it."""
	message = EmailMessage()
	message["From"], message["To"], message["Subject"] = "ada@example.org", "sales@example.com", subject
	for name, value in headers.items():
		message[name] = value
	message.set_content(text, subtype=subtype)
	return message


def test_no_absence_is_taken_for_an_answer_or_an_opt_out_in_any_language():
	confusion = Counter(
		(language, kind, read_reply(letter(headers, subject, text), TODAY).kind.value)
		for language, kind, _back_on, headers, subject, text in LETTERS
	)

	print_matrix(confusion)
	assert {language for language, _said, _read in confusion} == {"en", "de", "es", "fr", "ar"}
	assert [key for key in confusion if key[1] != key[2]] == []


@pytest.mark.parametrize(
	"junk", ["<", "<div ", "<div gmail_quot ", "<style>", "<style ", "</style>", "<br ", "&", ">"]
)
def test_html_that_is_made_to_take_long_is_read_at_once(junk):
	html = f"<style>p {{ color: red }}</style><p>Yes, please<br>call me</p>{junk * 60_000}"
	began = time.process_time()

	words = own_words(letter({}, "Re: Hello", html, "html"))

	assert words.startswith("Yes, please\ncall me")
	assert time.process_time() - began < 5  # an hour, if it took the square of its length


def print_matrix(confusion: Counter) -> None:
	"""Show what was read as what: `pytest -s`."""
	kinds = [kind.value for kind in ReplyKind]
	print("\n" + "is / read as".ljust(14) + "".join(kind.rjust(11) for kind in kinds))
	for said in kinds:
		row = [sum(n for (_l, s, r), n in confusion.items() if (s, r) == (said, read)) for read in kinds]
		print(said.ljust(14) + "".join(str(number).rjust(11) for number in row))


@pytest.mark.parametrize("sample", LETTERS, ids=lambda sample: f"{sample[0]}-{sample[4]}")
def test_day_of_return_is_the_one_that_is_stated(sample):
	_language, _kind, back_on, headers, subject, text = sample

	assert read_reply(letter(headers, subject, text), TODAY).back_on == back_on


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


def test_words_of_an_html_answer_are_read_without_what_it_quotes():
	html = "<style>p{}</style><div>Unsubscribe&nbsp;<br></div><blockquote>Buy now &amp; save</blockquote>"
	message = letter({}, "Re: Hi", html, subtype="html")

	assert own_words(message) == "Unsubscribe"
	assert read_reply(message, TODAY).kind is ReplyKind.LEAVE


def test_answer_in_a_charset_that_nobody_knows_is_read():
	message = letter({}, "=?x-unknown-8?B?/w==?=", "Unsubscribe")
	message.replace_header("Content-Type", 'text/plain; charset="x-unknown-8"')

	assert read_reply(message, TODAY).kind is ReplyKind.LEAVE


@pytest.mark.parametrize(
	("headers", "kind"),
	[
		({"List-Unsubscribe": "<https://example.org/leave>"}, ReplyKind.AUTOMATIC),
		({"List-Id": "News <news.example.org>"}, ReplyKind.AUTOMATIC),
		# Sales programs put it into what a person answers as well.
		(
			{"List-Unsubscribe": "<https://example.org/leave>", "In-Reply-To": "<a@example.com>"},
			ReplyKind.HUMAN,
		),
		({}, ReplyKind.HUMAN),
	],
)
def test_newsletter_of_somebody_we_write_to_is_no_answer(headers, kind):
	assert read_reply(letter(headers, "Our spring offers", "Buy now"), TODAY).kind is kind
