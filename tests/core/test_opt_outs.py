"""Opt-outs by reply: a clear request counts, and a question, a refusal, or another wish does not."""

from itertools import product

import pytest

from drip_campaigns.core.inbound.opt_outs import OptOut, read_opt_out
from drip_campaigns.core.inbound.own_words import cut_quotations
from tests.core.opt_out_phrases import OTHERS, REQUESTS

QUOTED = "On Mon, 2 Mar 2026 at 09:00, Sales <sales@example.com> wrote:\n> Our offer\n> Unsubscribe here"
FRAMES = [
	"{}",
	"Hello,\n\n{}\n\nBest regards,\nJohn Smith\nCEO, Acme Inc.",
	"{}\n\nSent from my iPhone",
	"{}\n\n" + QUOTED,
	QUOTED + "\n\n{}",
	"> Our offer\n> Unsubscribe here\n\n{}",
]


@pytest.mark.parametrize("phrase", REQUESTS)
def test_what_people_write_to_get_no_more_email_is_an_opt_out_in_every_frame(phrase):
	read = [read_opt_out(cut_quotations(frame.format(phrase))) for frame in FRAMES]

	assert set(read) <= {OptOut.SERIES, OptOut.EVERYTHING}, read


@pytest.mark.parametrize("phrase", OTHERS)
def test_a_question_a_refusal_or_another_wish_is_no_opt_out(phrase):
	read = [read_opt_out(cut_quotations(frame.format(phrase))) for frame in FRAMES]

	assert set(read) == {OptOut.NOTHING}, read


@pytest.mark.parametrize(
	("phrase", "scope"),
	[
		("Unsubscribe", OptOut.SERIES),
		("Please take me off this list", OptOut.SERIES),
		("Bitte tragen Sie mich aus.", OptOut.SERIES),
		("Remove me from all lists", OptOut.EVERYTHING),
		("Never contact me again.", OptOut.EVERYTHING),
		("Bitte löschen Sie meine E-Mail-Adresse aus Ihrer Datenbank.", OptOut.EVERYTHING),
		("Supprimez mon adresse de votre base de données", OptOut.EVERYTHING),
	],
)
def test_scope_is_what_the_sentence_names(phrase, scope):
	assert read_opt_out(phrase) is scope


@pytest.mark.parametrize(
	"text",
	[
		"Call me, please do not email.",
		"We talked about the unsubscribe thing last week.",
		"Yes, we want to order. " * 30 + "And take me off your mailing list.",
	],
)
def test_what_could_be_a_request_is_for_a_person_to_read(text):
	assert read_opt_out(text) is OptOut.UNSURE


def test_the_subject_counts_where_a_reply_has_no_words():
	assert read_opt_out("", "Unsubscribe") is OptOut.SERIES
	assert read_opt_out("Thanks, all good", "Unsubscribe") is OptOut.NOTHING
	assert read_opt_out("", "") is OptOut.NOTHING


def test_there_are_enough_phrases_in_eight_languages():
	assert (len(REQUESTS) >= 87, len(OTHERS) >= 80) == (True, True)
	assert all(a != b for a, b in product(REQUESTS, OTHERS))
