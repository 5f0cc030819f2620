"""Double opt-in: who must confirm, and that one question and one reminder are asked, never more."""

from datetime import timedelta

import pytest

from drip_campaigns.core.schedule.confirmation import (
	REMINDER,
	REQUEST,
	AskQuestion,
	ConfirmationTimes,
	Expire,
	KeepWaiting,
	OptIn,
	decide_question,
	must_confirm,
)
from tests.core.builders import at

NAMED = ("gmail.com", "yahoo.*", "xn--mller-kva.example")
ASKED_AT = at("2026-05-04 10:00")
PATIENCE = ConfirmationTimes(timedelta(days=2), timedelta(days=14))
NO_REMINDER = ConfirmationTimes(None, timedelta(days=14))


@pytest.mark.parametrize(
	("opt_in", "domain", "expected"),
	[
		(OptIn.NO, "gmail.com", False),
		(OptIn.ALWAYS, "example.com", True),
		(OptIn.LISTED_DOMAINS, "gmail.com", True),
		(OptIn.LISTED_DOMAINS, "yahoo.co.uk", True),
		(OptIn.LISTED_DOMAINS, "xn--mller-kva.example", True),
		(OptIn.LISTED_DOMAINS, "mail.gmail.com", False),
		(OptIn.LISTED_DOMAINS, "notgmail.com", False),
		(OptIn.LISTED_DOMAINS, "myyahoo.com", False),
		(OptIn.LISTED_DOMAINS, "", False),
	],
)
def test_campaign_and_mail_domain_say_who_must_confirm(opt_in, domain, expected):
	assert must_confirm(opt_in, domain, NAMED) is expected


def test_nobody_must_confirm_for_named_domains_when_none_is_named():
	assert not must_confirm(OptIn.LISTED_DOMAINS, "gmail.com", ())


@pytest.mark.parametrize(
	("days", "reminded", "patience", "expected"),
	[
		(0, False, PATIENCE, KeepWaiting(ASKED_AT + timedelta(days=2))),
		(1, False, PATIENCE, KeepWaiting(ASKED_AT + timedelta(days=2))),
		(2, False, PATIENCE, AskQuestion(REMINDER, ASKED_AT + timedelta(days=14))),
		(13, False, PATIENCE, AskQuestion(REMINDER, ASKED_AT + timedelta(days=14))),
		(3, True, PATIENCE, KeepWaiting(ASKED_AT + timedelta(days=14))),
		(14, True, PATIENCE, Expire()),
		(14, False, PATIENCE, Expire()),
		(3, False, NO_REMINDER, KeepWaiting(ASKED_AT + timedelta(days=14))),
		(14, False, NO_REMINDER, Expire()),
		(3, False, ConfirmationTimes(timedelta(days=3), timedelta(days=3)), Expire()),
		(
			1,
			False,
			ConfirmationTimes(timedelta(days=9), timedelta(days=3)),
			KeepWaiting(ASKED_AT + timedelta(days=3)),
		),
	],
)
def test_question_is_followed_by_one_reminder_and_then_by_the_end(days, reminded, patience, expected):
	assert decide_question(ASKED_AT, reminded, patience, ASKED_AT + timedelta(days=days)) == expected


@pytest.mark.parametrize(
	("patience", "days"),
	[(PATIENCE, 2), (NO_REMINDER, 14), (ConfirmationTimes(timedelta(days=14), timedelta(days=14)), 14)],
)
def test_whoever_was_not_asked_is_asked_first(patience, days):
	assert decide_question(None, False, patience, ASKED_AT) == AskQuestion(
		REQUEST, ASKED_AT + timedelta(days=days)
	)


def test_asking_whenever_it_is_time_asks_twice_and_ends():
	asked_at, reminded, now, asked = None, False, ASKED_AT, []
	while not isinstance(decision := decide_question(asked_at, reminded, PATIENCE, now), Expire):
		if isinstance(decision, AskQuestion):
			asked.append(decision.question)
			asked_at, reminded = asked_at or now, decision.question == REMINDER
			now = decision.then
		else:
			now = decision.until

	assert asked == [REQUEST, REMINDER]
	assert now == ASKED_AT + PATIENCE.expire_after
