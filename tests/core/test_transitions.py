"""The life of an enrollment: what can happen, what it leads to, and that nothing else can."""

from datetime import timedelta

import pytest

from drip_campaigns.core.errors import InvalidTransitionError
from drip_campaigns.core.model import LIVE_STATUSES, EventType, Status
from drip_campaigns.core.transitions import NEWS, TRANSITIONS, can_happen, live_status, next_status
from tests.core.builders import at

FINAL = (Status.UNSUBSCRIBED, Status.EXITED, Status.FAILED)


@pytest.mark.parametrize(
	("status", "event", "expected"),
	[
		(Status.SCHEDULED, EventType.STARTED, Status.IN_PROGRESS),
		(Status.SCHEDULED, EventType.PAUSED, Status.PAUSED),
		(Status.IN_PROGRESS, EventType.QUEUED, Status.IN_PROGRESS),
		(Status.IN_PROGRESS, EventType.COMPLETED, Status.COMPLETED),
		(Status.PAUSED, EventType.RESUMED, Status.IN_PROGRESS),
		(Status.COMPLETED, EventType.REOPENED, Status.IN_PROGRESS),
		(Status.EXITED, EventType.ENROLLED, Status.IN_PROGRESS),
		(Status.FAILED, EventType.RESUMED, Status.IN_PROGRESS),
	],
)
def test_what_happens_leads_on(status, event, expected):
	assert next_status(status, event) is expected


@pytest.mark.parametrize("status", list(Status))
def test_unsubscribing_counts_in_every_status_and_twice_is_once(status):
	assert next_status(status, EventType.UNSUBSCRIBED) is Status.UNSUBSCRIBED


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("event", NEWS)
def test_news_of_an_email_changes_no_status(status, event):
	assert next_status(status, event) is status


@pytest.mark.parametrize(
	"event", [event for event in EventType if event not in (*NEWS, EventType.RESUBSCRIBED)]
)
def test_nothing_but_the_own_wish_brings_back_one_who_unsubscribed(event):
	assert TRANSITIONS.get((Status.UNSUBSCRIBED, event), Status.UNSUBSCRIBED) is Status.UNSUBSCRIBED


@pytest.mark.parametrize("status", sorted(LIVE_STATUSES))
@pytest.mark.parametrize("event", [EventType.EXITED, EventType.FAILED])
def test_every_live_enrollment_can_be_ended(status, event):
	assert next_status(status, event) in FINAL


@pytest.mark.parametrize(
	("status", "event"),
	[
		(Status.PAUSED, EventType.QUEUED),
		(Status.COMPLETED, EventType.PAUSED),
		(Status.COMPLETED, EventType.QUEUED),
		(Status.UNSUBSCRIBED, EventType.ENROLLED),
		(Status.EXITED, EventType.RESUMED),
	],
)
def test_what_cannot_happen_is_an_error_that_says_what_and_where(status, event):
	with pytest.raises(
		InvalidTransitionError, match=f"{event} cannot happen to an enrollment that is {status}"
	):
		next_status(status, event)

	assert not can_happen(status, event)


def test_an_enrollment_is_scheduled_until_its_start():
	start = at("2026-05-04 10:00")

	statuses = [live_status(start, start - timedelta(seconds=1)), live_status(start, start)]

	assert statuses == [Status.SCHEDULED, Status.IN_PROGRESS]
