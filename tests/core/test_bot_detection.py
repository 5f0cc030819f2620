"""Visits of bots and of people: what separates them, and what must not."""

from datetime import datetime, timedelta, timezone

import pytest

from drip_campaigns.core.tracking.bot_detection import find_bots
from drip_campaigns.core.tracking.visits import Visit, VisitKind, read_visit, write_visit

SENT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


def visit(seconds: float = 3600, kind: VisitKind = VisitKind.CLICK, mail: str = "m", **more) -> Visit:
	"""Return a visit so many seconds after the email was sent."""
	facts = {"agent": FIREFOX, "network_address": "192.0.2.7", "key": "link", **more}
	name = f"{kind}-{mail}-{seconds}-{facts['key']}"
	return Visit(name, kind, mail, SENT + timedelta(seconds=seconds), **facts)


def find_bot_flags(*visits: Visit, **options) -> list[bool]:
	"""Return for each visit whether it is a bot's."""
	bots = find_bots(visits, {"m": SENT, "other": SENT}, **options)
	return [one.id in bots for one in visits]


@pytest.mark.parametrize(
	"agent", [FIREFOX, OUTLOOK, GMAIL, YAHOO, "Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/120"]
)
@pytest.mark.parametrize("kind", VisitKind)
def test_person_who_reads_an_hour_later_is_a_person(kind, agent):
	assert find_bot_flags(visit(kind=kind, agent=agent)) == [False]


@pytest.mark.parametrize(
	"facts",
	[
		{"agent": ""},
		{"agent": "Mozilla/5.0"},  # Apple's privacy proxy
		{"agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
		{"agent": "python-requests/2.32"},
		{"agent": "curl/8.5"},
		{"agent": "Barracuda Sentinel (EE)"},
		{"agent": f"{FIREFOX} BingPreview/1.0b"},
		{"agent": "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)"},
		{"agent": "WhatsApp/2.23"},
		{"agent": "Java/17.0.1"},
		{"network_address": "17.58.1.2"},
		{"network_address": "40.94.3.4", "agent": "HeadlessChrome"},
		{"network_address": "52.101.3.4"},
		{"network_address": "2a01:111:f400::1"},
		{"is_ahead": True},
	],
)
def test_visit_of_a_known_bot_is_a_bots(facts):
	assert find_bot_flags(visit(**facts)) == [True]


@pytest.mark.parametrize(
	("kind", "seconds", "is_bot"),
	[
		(VisitKind.CLICK, 9, True),
		(VisitKind.CLICK, -5, True),
		(VisitKind.CLICK, 10, False),
		(VisitKind.OPEN, 2, True),
		(VisitKind.OPEN, 3, False),
	],
)
def test_visit_before_the_email_can_have_arrived_is_a_bots(kind, seconds, is_bot):
	assert find_bot_flags(visit(seconds, kind)) == [is_bot]


def test_three_links_within_ten_seconds_are_a_bots_with_the_open_among_them():
	burst = [visit(100 + 4 * number, key=f"link{number}") for number in range(3)]

	assert find_bot_flags(*burst, visit(104, VisitKind.OPEN, key="")) == [True] * 4


def test_two_links_within_a_second_are_a_bots():
	assert find_bot_flags(visit(100, key="a"), visit(100.5, key="b")) == [True, True]


def test_person_who_follows_two_links_one_after_the_other_or_one_twice_is_a_person():
	assert find_bot_flags(visit(100, key="a"), visit(106, key="b")) == [False, False]
	assert find_bot_flags(visit(100), visit(100.4)) == [False, False]


def test_person_who_comes_back_after_a_scanner_is_a_person():
	burst = [visit(100 + number, key=f"link{number}") for number in range(4)]

	assert find_bot_flags(*burst, visit(900))[-1] is False


def test_links_of_different_emails_are_not_a_burst():
	assert (
		find_bot_flags(*(visit(100, mail=mail, key=mail) for mail in ("m", "other", "third"))) == [False] * 3
	)


def test_burst_is_seen_across_the_end_of_a_batch():
	assert find_bot_flags(visit(100, key="a"), around=[visit(103, key="b"), visit(106, key="c")]) == [True]


def test_site_can_add_networks_and_an_invalid_one_does_no_harm():
	assert find_bot_flags(visit(), networks=["192.0.2.0/24", "nonsense"]) == [True]
	assert find_bot_flags(visit(network_address="not an address")) == [False]


def test_visit_survives_the_buffer_and_a_damaged_line_is_none():
	one = visit(url="https://a.example/ü")

	assert read_visit(write_visit(one)) == one
	for line in (write_visit(one)[:-5], "", "[]", "null", '["a", "Other", "m", 1]', b"\xff", "[1,2,3,4]"):
		assert read_visit(line) is None
