"""The circuit breaker: a campaign of which too much comes back stops by itself."""

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.inbound.bounces import exceeds_rate
from tests import factories
from tests.factories import DOMAIN, step


def send_to_many(smtp, clock, bad: int, **settings):
	"""Send the first email of a campaign to twenty people, of whom `bad` do not exist; return the campaign."""
	document = frappe.get_doc("Drip Settings")
	document.update({"breaker_sample": 20, "breaker_bounce_rate": 10, **settings})
	document.save()
	campaign = factories.make_active_campaign(clock, step(0), step(1), name="Drip Test Breaker")
	for number in range(20):
		address = f"p{number}@{DOMAIN}"
		if number < bad:
			smtp.answer(address, "550 5.1.1 no such user")
		factories.enroll(campaign, factories.make_contact(address=address), clock)
	factories.run(clock)
	return campaign


def test_campaign_of_which_too_much_bounces_is_paused_and_its_people_are_told(site, smtp, clock):
	campaign = send_to_many(smtp, clock, bad=4)

	clock.advance(days=1, minutes=-5)
	factories.run(clock)

	campaign.reload()
	assert campaign.status == "Paused"
	assert "4 of 20" in campaign.pause_reason
	assert len(smtp.messages) == 16
	assert factories.count("Drip Enrollment", campaign=campaign.name, status="In Progress") == 16


def test_campaign_that_somebody_lets_go_on_is_not_paused_for_the_same_again(site, smtp, clock):
	campaign = send_to_many(smtp, clock, bad=4)
	clock.advance(minutes=5)
	factories.run(clock)

	campaign.reload()
	lifecycle.activate(campaign, clock.now)
	frappe.db.commit()
	clock.advance(days=1)
	factories.run(clock)

	assert campaign.reload().status == "Active"
	assert len(smtp.messages) == 32


def test_few_bounces_and_a_rate_of_nothing_pause_no_campaign(site, smtp, clock):
	campaign = send_to_many(smtp, clock, bad=4, breaker_bounce_rate=0)
	clock.advance(minutes=5)
	factories.run(clock)

	assert campaign.reload().status == "Active"


@pytest.mark.parametrize(
	("events", "sent", "percent", "sample", "expected"),
	[
		(6, 100, 5, 100, True),
		(5, 100, 5, 100, False),  # at the rate, not above it
		(50, 99, 5, 100, False),
		(2, 100, 0.3, 100, False),  # two are no trend
		(3, 900, 0.3, 100, True),
		(100, 100, 0, 100, False),
	],
)
def test_rate_counts_above_it_and_of_enough_e_mails(events, sent, percent, sample, expected):
	assert exceeds_rate(events, sent, percent, sample) is expected
