"""How much may be recorded of one person, for every campaign, every answer and both settings."""

import itertools

import pytest

from drip_campaigns.core.tracking.tracking_mode import TrackingMode, effective_mode

NONE, ANONYMOUS, INDIVIDUAL = TrackingMode


@pytest.mark.parametrize(
	("consent", "needs_consent", "expected"),
	[
		(True, True, INDIVIDUAL),
		(True, False, INDIVIDUAL),
		(None, True, ANONYMOUS),
		(None, False, INDIVIDUAL),
		(False, True, ANONYMOUS),
		(False, False, ANONYMOUS),
	],
)
def test_person_is_tracked_as_a_person_only_when_that_is_allowed(consent, needs_consent, expected):
	assert effective_mode(INDIVIDUAL, consent, needs_consent=needs_consent) is expected


@pytest.mark.parametrize(
	("mode", "consent", "needs_consent"),
	list(itertools.product((NONE, ANONYMOUS), (True, False, None), (True, False))),
)
def test_consent_never_widens_what_the_campaign_records(mode, consent, needs_consent):
	assert effective_mode(mode, consent, needs_consent=needs_consent) is mode
