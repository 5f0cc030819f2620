"""The mode under which each email is sent, read when it is made: the campaign's mode, limited by the person's consent."""

import frappe
import pytest

from drip_campaigns.people.preferences import load_preference, save_preference
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import to_site
from drip_campaigns.triggers import why_not
from tests import factories
from tests.factories import DOMAIN
from tests.trigger_steps import make_campaign, trigger
from tests.web import Browser

ADA = f"ada@{DOMAIN}"
PEOPLE = {"agreed": 1, "refused": 0, "silent": None}


def modes_of_a_run(clock, mode: str) -> dict[str, str]:
	"""Send one email to each of the three, and return the mode of each."""
	campaign = factories.make_active_campaign(clock, factories.step(0), tracking_mode=mode)
	for name, answer in PEOPLE.items():
		address = f"{name}@{DOMAIN}"
		if answer is not None:
			said_at = to_site(clock.now)
			save_preference(address, tracking_consent=answer, tracking_consent_at=said_at)
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


@pytest.fixture
def link(web, clock, smtp):
	"""The preferences page of Ada, who is on a campaign that tracks persons."""
	campaign = factories.make_active_campaign(clock, factories.step(0), tracking_mode="Individual")
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	return Links().preferences(enrollment.name, ADA)


def answer_and_proofs() -> tuple:
	"""Return what is kept of Ada's answer, and of the proofs whether each still counts."""
	frappe.db.rollback()
	proofs = frappe.get_all("Drip Consent", filters={"consent_to": "Individual Tracking"}, fields=["*"])
	return load_preference(ADA).tracking_consent, [proof.withdrawn_at is None for proof in proofs]


def test_person_agrees_and_takes_it_back_on_the_preferences_page(link, web):
	browser = Browser(web)
	asked = browser.get(link)

	browser.post(link, {"action": "tracking", "agrees": "1"})
	browser.post(link, {"action": "tracking", "agrees": "1"})
	agreed = answer_and_proofs()
	shown = browser.get(link)
	browser.post(link, {"action": "tracking"})

	assert 'name="agrees"' in asked.text
	assert agreed == (True, [True])
	assert " checked" in shown.text.partition('id="agrees"')[2].partition(">")[0]
	assert answer_and_proofs() == (False, [False])


def test_answer_says_nothing_of_a_language(link, web):
	Browser(web).post(link, {"action": "tracking", "agrees": "1"})

	frappe.db.rollback()
	preference = load_preference(ADA)
	assert (preference.language, preference.time_zone) == ("", None)


def test_looking_at_the_page_is_no_answer(link, web):
	for method in ("GET", "HEAD"):
		Browser(web).get(link, method=method)

	assert answer_and_proofs() == (None, [])


def test_nobody_is_asked_when_no_campaign_tracks_persons(link, web):
	frappe.db.set_value("Drip Campaign", {"tracking_mode": "Individual"}, "tracking_mode", "None")
	frappe.db.commit()

	assert 'name="agrees"' not in Browser(web).get(link).text


def warnings_of(*triggers, steps=(), **fields) -> str:
	"""Save a campaign with triggers, and return what the user is told."""
	frappe.clear_messages()
	factories.make_campaign(*steps, triggers=list(triggers), **fields)
	return " ".join(str(message) for message in frappe.get_message_log())


@pytest.mark.parametrize("kind", ["Link Clicked", "Email Opened"])
def test_trigger_on_any_campaign_says_when_no_campaign_records_persons(site, kind):
	assert "No campaign records who opens and clicks" in warnings_of(trigger(kind))

	factories.make_campaign(tracking_mode="Individual")

	told = warnings_of(trigger(kind))
	assert "No campaign records" not in told and "people who agreed to tracking" in told
	frappe.db.set_single_value("Drip Settings", "tracking_needs_consent", 0)
	assert "agreed" not in warnings_of(trigger(kind))


def test_condition_on_opens_says_that_only_who_agreed_is_recorded(site):
	condition = {"conditions": '{"tests": [{"kind": "event", "event": "opened"}]}'}
	steps = (factories.step(0), factories.step(1, **condition))

	assert "people who agreed to tracking" in warnings_of(steps=steps, tracking_mode="Individual")
	assert "does not record who opens" in warnings_of(steps=steps)


def test_why_not_and_the_form_say_why_a_click_is_not_recorded(site, clock):
	campaign = make_campaign(clock, trigger("Link Clicked"))
	contact = factories.make_contact("Ada", ADA)

	def finding() -> str:
		[answer] = why_not.explain(campaign.name, "Contact", contact.name, clock.now)["triggers"]
		[check] = [check for check in answer["checks"] if check["question"] == "Opens and clicks recorded?"]
		return check["finding"]

	assert "No campaign records who opens" in finding()
	campaign.run_method("onload")
	assert "No campaign" in campaign.get_onload("tracking_gaps")[campaign.triggers[0].name]
	factories.make_campaign(tracking_mode="Individual")
	assert "has not agreed to tracking" in finding()
	save_preference(ADA, tracking_consent=0, tracking_consent_at=to_site(clock.now))
	assert "refused tracking" in finding()
	save_preference(ADA, tracking_consent=1, tracking_consent_at=to_site(clock.now))
	assert finding() == ""
