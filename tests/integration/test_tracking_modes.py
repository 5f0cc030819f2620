"""The mode under which each e-mail is sent, asked when it is made: the campaign's, narrowed by what the person has said."""

import frappe
import pytest

from drip_campaigns.site_clock import to_site
from drip_campaigns.tracking.preferences import keep_preference
from tests import factories
from tests.factories import DOMAIN

PEOPLE = {"agreed": 1, "refused": 0, "silent": None}


def modes_of_a_run(clock, mode: str) -> dict[str, str]:
	"""Send one e-mail to each of the three, and return the mode of each."""
	campaign = factories.make_active_campaign(clock, factories.step(0), tracking_mode=mode)
	for name, answer in PEOPLE.items():
		address = f"{name}@{DOMAIN}"
		if answer is not None:
			said_at = to_site(clock.now)
			keep_preference(address, tracking_consent=answer, tracking_consent_at=said_at)
		factories.enroll(campaign, factories.make_contact(name, address), clock)
	factories.run(clock)
	rows = frappe.get_all("Drip Email", fields=["email_address", "tracking_mode"])
	return {row.email_address.partition("@")[0]: row.tracking_mode for row in rows}


@pytest.mark.parametrize("mode", ["None", "Anonymous Totals"])
def test_mode_of_the_campaign_is_kept_on_each_e_mail(site, smtp, clock, mode):
	assert modes_of_a_run(clock, mode) == dict.fromkeys(PEOPLE, mode)


def test_only_who_agreed_is_tracked_as_a_person(site, smtp, clock):
	assert modes_of_a_run(clock, "Individual") == {
		"agreed": "Individual",
		"refused": "Anonymous Totals",
		"silent": "Anonymous Totals",
	}


def test_settings_can_do_without_an_answer_but_not_against_one(site, smtp, clock):
	frappe.db.set_single_value("Drip Settings", "tracking_needs_consent", 0)

	assert modes_of_a_run(clock, "Individual") == {
		"agreed": "Individual",
		"refused": "Anonymous Totals",
		"silent": "Individual",
	}


def test_campaign_is_anonymous_unless_it_says_otherwise(site):
	assert factories.make_campaign().tracking_mode == "Anonymous Totals"
