"""When something that failed is tried again."""

from datetime import timedelta

import pytest

from drip_campaigns.core.schedule.retry import GiveUp, RetryAt, decide_retry
from tests.core.builders import at

NOW = at("2026-05-04 10:00")


def test_the_delay_grows_and_then_stays():
	delays = [decide_retry(attempts, 10, NOW).at - NOW for attempts in range(1, 8)]

	assert delays == [timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 720, 720)]


@pytest.mark.parametrize(("attempts", "retries"), [(1, 0), (6, 5), (99, 5)])
def test_it_is_given_up_when_the_retries_are_used_up(attempts, retries):
	assert decide_retry(attempts, retries, NOW) == GiveUp()


def test_the_last_retry_is_not_given_up():
	assert decide_retry(5, 5, NOW) == RetryAt(NOW + timedelta(hours=12))
