"""The first refresh of a live list on a running campaign: many people are enrolled only after a user confirms the number."""

import frappe
import pytest

from drip_campaigns.api import lists as api
from drip_campaigns.jobs import first_refresh, refresh_lists, run_triggers
from drip_campaigns.jobs.batches import run_batch
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN


@pytest.fixture(autouse=True)
def three_are_many(site, monkeypatch):
	monkeypatch.setattr(first_refresh, "ASK_FROM", 3)


@pytest.fixture
def crowd(site):
	return [factories.make_contact(name, f"{name.lower()}@{DOMAIN}") for name in ("Ada", "Bob", "Cem")]


@pytest.fixture
def live_list(crowd):
	return factories.make_list("Drip Test Live", sources=[factories.source()])


@pytest.fixture
def campaign(live_list, clock):
	return factories.make_active_campaign(clock, target_lists=[{"target_list": live_list.name}])


def refresh_and_work(target_list):
	run = factories.refresh(target_list)
	assert run.status == "Completed", run.error
	run_triggers.run(utc_now())
	return run


def test_first_refresh_asks_with_the_number_and_enrolls_after_the_answer(live_list, campaign):
	owner = factories.make_user("owner", "Drip User", "Sales User")
	live_list.db_set("owner", owner)
	run = refresh_and_work(live_list)
	before = factories.count("Drip Enrollment", campaign=campaign.name)
	question = api.get_list_state(live_list.name)["question"]
	told = factories.notifications_of(owner)

	answered = api.confirm_first_refresh(question["run"], True)
	frappe.db.commit()
	first_refresh.fire_job(run.name)
	run_triggers.run(utc_now())

	assert (before, run.awaiting_decision) == (0, 3)
	assert question == {"run": run.name, "count": 3, "campaigns": [campaign.name]}
	assert any("3 people joined list" in subject for subject in told)
	assert answered == {"count": 3}
	assert factories.count("Drip Enrollment", campaign=campaign.name, target_list=live_list.name) == 3
	assert api.get_list_state(live_list.name)["question"] is None


def test_answer_is_given_once_and_no_means_no(live_list, campaign):
	run = refresh_and_work(live_list)

	api.confirm_first_refresh(run.name, False)
	with pytest.raises(frappe.ValidationError, match="The question was answered already"):
		api.confirm_first_refresh(run.name, True)
	refresh_and_work(live_list)

	assert factories.count("Drip Enrollment", campaign=campaign.name) == 0


def test_who_joins_later_and_the_few_of_a_small_list_are_enrolled_without_a_question(
	live_list, campaign, monkeypatch
):
	refresh_and_work(live_list)
	factories.make_contact("Eve", f"eve@{DOMAIN}")
	monkeypatch.setattr(first_refresh, "ASK_FROM", 100)
	small = factories.make_list("Drip Test Small", sources=[factories.source()])
	other = factories.make_active_campaign(
		_clock_now(), target_lists=[{"target_list": small.name}], name="Drip Test Small One"
	)

	refresh_and_work(live_list)
	refresh_and_work(small)

	enrolled = frappe.get_all("Drip Enrollment", filters={"campaign": campaign.name}, pluck="recipient_name")
	assert enrolled == ["Eve"]
	assert factories.count("Drip Enrollment", campaign=other.name) == 4


def _clock_now():
	from tests.fakes import Clock

	return Clock(utc_now())


def test_changed_source_is_asked_about_again_and_a_refresh_that_was_cut_short_counts(live_list, campaign):
	api.confirm_first_refresh(refresh_and_work(live_list).name, False)
	for name in ("Eve", "Fay", "Gil"):
		factories.make_contact(name, f"{name.lower()}.other@{DOMAIN}")
	live_list.reload().append(
		"sources", factories.source(filters=[["email_id", "like", f"%.other@{DOMAIN}"]])
	)
	live_list.save()
	cut_short = refresh_lists.start(live_list.name, utc_now())
	frappe.db.commit()
	halfway = refresh_lists._Run(cut_short)
	halfway._begin()
	while halfway.document.source_row < 2 and halfway.document.joined < 3:
		run_batch(halfway)
	api.cancel_refresh(live_list.name)
	frappe.db.commit()

	run = refresh_and_work(live_list)

	assert (run.is_first, run.joined, run.awaiting_decision) == (1, 0, 3)
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 0
