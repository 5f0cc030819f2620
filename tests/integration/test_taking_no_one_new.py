"""A campaign that is paused and takes no one new: every way in refuses, and resuming enrolls those who came, or leaves them out."""

import frappe
import pytest

from drip_campaigns.api import desk
from drip_campaigns.campaign import lifecycle
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.site.clock import utc_now
from drip_campaigns.triggers import why_not
from tests import factories, verbs
from tests.fakes import Clock
from tests.trigger_steps import enrolled, make_campaign, outcomes, trigger, work_off

REASON = "is paused and takes no one new"


@pytest.fixture
def clock() -> Clock:
	"""Events happen now, so the tests' time is now, too."""
	return Clock(utc_now())


@pytest.fixture
def shut(site, clock):
	"""A campaign with a trigger and a list that is paused and takes no one new, with one person in it."""
	target_list = factories.make_list()
	campaign = make_campaign(
		clock,
		trigger("Record Created"),
		target_lists=[{"target_list": target_list.name, "enroll_joining": 1}],
	)
	factories.make_contact("Early")
	work_off(clock)
	clock.advance(minutes=1)
	desk.pause_campaign(campaign.name, take_no_one_new=True)
	frappe.db.commit()
	return campaign.reload()


def test_every_way_in_refuses_with_the_reason(shut, clock):
	contact = factories.make_contact("Late")
	factories.add_to_list(frappe.get_doc("Drip Target List", shut.target_lists[0].target_list), contact)
	work_off(clock)

	with pytest.raises(frappe.ValidationError, match=REASON):
		verbs.enroll(shut.name, "Contact", contact.name, clock.now)
	with pytest.raises(EnrollmentRefusedError, match=REASON):
		list(enroll_many(shut.name, "Contact", [contact.name], clock.now))
	said = why_not.explain(shut.name, "Contact", contact.name, clock.now)

	assert len(enrolled(shut)) == 1
	assert sorted(outcomes(shut)) == ["Enrolled", *["The campaign is paused and takes no one new"] * 2]
	assert [REASON in check["finding"] for check in said["checks"] if not check["is_met"]] == [True]
	assert any("takes no one new" in one["latest"] for one in said["triggers"])


def test_people_in_it_are_not_new(shut, clock):
	[name] = frappe.get_all("Drip Enrollment", {"campaign": shut.name}, pluck="name")
	enrollment = frappe.get_doc("Drip Enrollment", name)
	verbs.pause(enrollment, clock.now)

	assert resume_enrollments([name], clock.now).done == 1


@pytest.mark.parametrize(("enroll", "people"), [(True, 2), (False, 1)])
def test_resuming_says_how_many_came_and_enrolls_them_or_leaves_them_out(shut, clock, enroll, people):
	factories.make_contact("Late")
	work_off(clock)
	document = frappe.get_doc("Drip Campaign", shut.name)
	document.run_method("onload")

	desk.resume_campaign(shut.name, enroll_refused=enroll)
	work_off(clock)
	factories.make_contact("After")
	work_off(clock)

	assert document.get_onload("refused_meanwhile") == 1
	assert len(enrolled(shut)) == people + 1
	assert shut.reload().take_no_one_new == 0
	assert factories.count("Drip Trigger Firing", status="Refused") == 0


def test_pause_without_the_choice_goes_on_enrolling(site, clock):
	campaign = make_campaign(clock, trigger("Record Created"))
	lifecycle.pause(campaign, clock.now)
	frappe.db.commit()
	contact = factories.make_contact()

	work_off(clock)

	assert enrolled(campaign) == [contact.name]
