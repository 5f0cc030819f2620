"""Pausing at three levels, and moving people: nobody loses a step, and pressing twice is pressing once."""

from datetime import timedelta

import frappe
import pytest
from frappe.utils.background_jobs import get_queues

from drip_campaigns.api import desk, enrollments
from drip_campaigns.campaign import lifecycle, step_pauses
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError, VerbResult
from drip_campaigns.enrollment.verbs import EnrollmentVerb, VerbRequest, apply_verb, find_at_step
from drip_campaigns.jobs import bulk_verbs as verbs_job
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.site.clock import to_site
from tests import factories, verbs
from tests.factories import step


@pytest.fixture
def ada(campaign, clock):
	"""One person, who has been sent day 0."""
	return join(campaign, clock, "Ada")


def join(campaign, clock, first_name: str):
	enrollment = factories.enroll(campaign, factories.make_contact(first_name), clock)
	factories.run(clock)
	return enrollment


def pass_days(clock, days: int) -> None:
	for _ in range(days):
		clock.advance(days=1)
		factories.run(clock)


def got(smtp, enrollment) -> list[str]:
	return [message.message["Subject"] for message in smtp.to(enrollment.email_address)]


def do(verb: EnrollmentVerb, names, clock, **options) -> VerbResult:
	outcome = apply_verb([one.name for one in names], VerbRequest(verb, **options), clock.now)
	frappe.db.commit()
	return outcome


def test_who_reaches_a_paused_step_waits_and_the_steps_after_it_keep_their_distance(
	campaign, ada, smtp, clock
):
	held = campaign.steps[1].name
	step_pauses.pause_step(campaign.reload(), held, clock.now)
	frappe.db.commit()
	pass_days(clock, 6)
	waiting = ada.reload()
	assert (waiting.status, waiting.next_step, waiting.next_send_at) == ("In Progress", held, None)
	assert got(smtp, ada) == ["Day 0"]

	step_pauses.resume_step(campaign.reload(), held, clock.now)
	step_pauses.resume_step(campaign.reload(), held, clock.now)
	factories.run(clock)
	assert got(smtp, ada) == ["Day 0", "Day 2"]
	pass_days(clock, 1)
	assert got(smtp, ada) == ["Day 0", "Day 2"]
	pass_days(clock, 1)
	assert got(smtp, ada) == ["Day 0", "Day 2", "Day 4"]
	assert ada.reload().status == "Completed"


@pytest.mark.parametrize("if_late", ["Keep Intervals", "Keep Dates"])
def test_step_that_is_paused_until_a_day_goes_on_by_itself_and_is_not_skipped_as_late(
	site, smtp, clock, if_late
):
	campaign = factories.make_active_campaign(clock, step(0), step(2), if_late=if_late, grace_hours=1)
	ada = join(campaign, clock, "Ada")
	until = clock.now + timedelta(days=9)
	step_pauses.pause_step(campaign.reload(), campaign.steps[1].name, clock.now, until)
	frappe.db.commit()
	assert ada.reload().next_send_at == to_site(until)

	pass_days(clock, 8)
	assert got(smtp, ada) == ["Day 0"]
	pass_days(clock, 1)
	assert got(smtp, ada) == ["Day 0", "Day 2"]
	assert not frappe.db.get_value("Drip Campaign Step", campaign.steps[1].name, "is_paused")


def test_what_is_queued_of_a_paused_step_waits_even_when_the_campaign_is_paused_and_resumed(
	campaign, smtp, clock
):
	ada = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	step_pauses.pause_step(campaign.reload(), campaign.steps[0].name, clock.now)
	lifecycle.pause(campaign.reload(), clock.now)
	lifecycle.activate(campaign.reload(), clock.now)
	frappe.db.commit()
	delivery.deliver(clock)
	assert got(smtp, ada) == []

	step_pauses.resume_step(campaign.reload(), campaign.steps[0].name, clock.now)
	frappe.db.commit()
	factories.run(clock)
	assert got(smtp, ada) == ["Day 0"]


def test_campaign_that_is_paused_until_a_day_goes_on_by_itself_with_the_rest_of_the_delay(
	campaign, ada, smtp, clock
):
	clock.advance(days=1)
	lifecycle.pause(campaign.reload(), clock.now, clock.now + timedelta(days=10))
	frappe.db.commit()
	pass_days(clock, 9)
	assert campaign.reload().status == "Paused"

	pass_days(clock, 1)
	assert (campaign.reload().status, campaign.paused_until, got(smtp, ada)) == ("Active", None, ["Day 0"])
	pass_days(clock, 1)
	assert got(smtp, ada) == ["Day 0", "Day 2"]


def test_campaign_that_cannot_go_on_after_its_pause_says_why_and_is_not_tried_for_ever(campaign, clock):
	lifecycle.pause(campaign.reload(), clock.now, clock.now + timedelta(days=1))
	frappe.db.set_single_value("Drip Settings", "postal_address", "")
	frappe.db.commit()

	pass_days(clock, 1)

	assert (campaign.reload().status, campaign.paused_until) == ("Paused", None)
	assert "Add your postal address" in campaign.pause_reason


def test_closed_campaign_lets_those_on_board_finish_and_ends(campaign, ada, smtp, clock):
	lifecycle.close(campaign.reload(), clock.now)
	frappe.db.commit()

	with pytest.raises(
		(EnrollmentRefusedError, frappe.ValidationError), match="is closed: people in it finish"
	):
		factories.enroll(campaign, factories.make_contact("Late"), clock)
	pass_days(clock, 3)
	assert campaign.reload().status == "Active"
	pass_days(clock, 2)

	assert got(smtp, ada) == ["Day 0", "Day 2", "Day 4"]
	assert (campaign.reload().status, ada.reload().status) == ("Ended", "Completed")


def test_enrollment_is_paused_until_a_day_by_a_user(ada, smtp, clock, monkeypatch):
	monkeypatch.setattr("drip_campaigns.api.desk.utc_now", lambda: clock.now)
	desk.pause_enrollment(ada.name, str(to_site(clock.now + timedelta(days=5))))
	frappe.db.commit()

	pass_days(clock, 6)
	assert got(smtp, ada) == ["Day 0"]
	pass_days(clock, 1)
	assert got(smtp, ada) == ["Day 0", "Day 2"]


def test_step_that_is_skipped_is_passed_over_and_the_others_keep_their_days(campaign, ada, smtp, clock):
	skipped = campaign.steps[1].name
	first = do(EnrollmentVerb.SKIP, [ada], clock, step=skipped)
	second = do(EnrollmentVerb.SKIP, [ada], clock, step=skipped)
	assert (first.done, second.done) == (1, 0)
	assert dict(second.refused) == {"Is no longer at step “Day 2”": 1}

	pass_days(clock, 3)
	assert got(smtp, ada) == ["Day 0"]
	pass_days(clock, 1)
	assert got(smtp, ada) == ["Day 0", "Day 4"]
	assert factories.count("Drip Event", event_type="Skipped", detail="By Administrator") == 1


def test_who_is_moved_to_a_step_gets_it_at_once_and_the_rest_from_then(campaign, ada, smtp, clock):
	assert do(EnrollmentVerb.MOVE, [ada], clock, step=campaign.steps[2].name).done == 1
	factories.run(clock)
	assert got(smtp, ada) == ["Day 0", "Day 4"]
	assert ada.reload().status == "Completed"
	assert factories.count("Drip Event", event_type="Moved") == 1

	bob = join(campaign, clock, "Bob")
	do(EnrollmentVerb.SKIP, [bob], clock, step=campaign.steps[1].name)
	do(EnrollmentVerb.MOVE, [bob], clock, step=campaign.steps[1].name)
	refused = do(EnrollmentVerb.MOVE, [bob], clock, step=campaign.steps[0].name)
	factories.run(clock)
	assert got(smtp, bob) == ["Day 0", "Day 2"]
	assert list(refused.refused) == ["Has had this step already"]
	pass_days(clock, 2)
	assert got(smtp, bob) == ["Day 0", "Day 2", "Day 4"]


def test_who_starts_over_gets_everything_again_in_a_new_enrollment_and_twice_is_once(
	campaign, ada, smtp, clock
):
	gone = join(campaign, clock, "Gone")
	frappe.db.set_value("Contact", gone.recipient, "unsubscribed", 1)
	pass_days(clock, 1)

	first = do(EnrollmentVerb.RESTART, [ada, gone], clock)
	second = do(EnrollmentVerb.RESTART, [ada], clock)
	factories.run(clock)

	assert (first.done, second.done) == (1, 0)
	assert second.refused.total() == 1
	assert got(smtp, ada) == ["Day 0", "Day 0"]
	assert (ada.reload().status, gone.reload().status) == ("Exited", "In Progress")
	assert factories.count("Drip Enrollment", recipient=ada.recipient) == 2


def test_everybody_at_a_step_is_paused_and_resumed_in_a_handful_of_statements(campaign, smtp, clock):
	people = [factories.enroll(campaign, factories.make_contact(), clock) for _ in range(30)]
	factories.run(clock)
	names = find_at_step(campaign.name, campaign.steps[1].name)
	assert len(names) == 30

	with factories.count_statements() as statements:
		outcome = do(EnrollmentVerb.PAUSE, people, clock)
	assert (outcome.done, statements.count < 20) == (30, True), statements.count
	assert do(EnrollmentVerb.PAUSE, people, clock).refused == {"Is Paused": 30}
	pass_days(clock, 3)
	assert do(EnrollmentVerb.RESUME, people, clock).done == 30
	assert do(EnrollmentVerb.REMOVE, people, clock).done == 30
	assert do(EnrollmentVerb.REMOVE, people, clock).refused == {"Is Exited": 30}
	assert len(smtp.messages) == 30


def test_methods_for_those_on_board_ask_for_the_right_to_write(campaign, ada, clock):
	names, first = frappe.as_json([ada.name]), campaign.steps[0].name
	of_the_campaign = (
		lambda: enrollments.pause_step(campaign.name, first),
		lambda: enrollments.resume_step(campaign.name, first),
		lambda: enrollments.close_campaign(campaign.name),
		lambda: enrollments.reopen_campaign(campaign.name),
		lambda: enrollments.change_enrollments_at_step(campaign.name, first, "Pause"),
	)
	frappe.set_user(factories.make_user("other", "Drip User"))
	for call in of_the_campaign:
		with pytest.raises(frappe.PermissionError):
			call()
	frappe.set_user("Administrator")
	frappe.set_user(factories.make_user("stranger", "Sales User"))
	for call in (
		*of_the_campaign,
		lambda: enrollments.change_enrollments("Pause", names),
		lambda: enrollments.count_at_step(campaign.name, first),
	):
		with pytest.raises(frappe.PermissionError):
			call()

	frappe.set_user("Administrator")
	for call in of_the_campaign:
		call()
	assert enrollments.count_at_step(campaign.name, campaign.steps[1].name) == 1
	assert enrollments.change_enrollments("Pause", names) == {"done": 1, "refused": {}, "left": 0}
	with pytest.raises(frappe.ValidationError, match="isn't a verb"):
		enrollments.change_enrollments("Delete", names)
	with pytest.raises(frappe.ValidationError, match="JSON list"):
		enrollments.change_enrollments("Pause", '{"a": 1}')


def test_more_than_can_be_done_at_once_go_on_in_the_background_and_the_user_is_told(
	campaign, smtp, clock, monkeypatch
):
	everybody = [join(campaign, clock, f"P{number}") for number in range(7)]
	verbs.pause(everybody[6].reload(), clock.now)
	user = factories.make_user("mover", "Drip Manager", "Sales Manager", "Sales User")
	frappe.db.delete("Notification Log", {"for_user": user})
	frappe.db.commit()
	monkeypatch.setattr(enrollments, "MOST_AT_ONCE", 3)
	monkeypatch.setattr(verbs_job, "BATCH_SIZE", 2)
	names = sorted(one.name for one in everybody)
	factories.drop_jobs()
	frappe.set_user(user)

	said = enrollments.change_enrollments("Remove", frappe.as_json(names))
	frappe.db.commit()
	(job,) = [job for queue in get_queues() for job in queue.jobs if verbs_job.JOB in str(job.kwargs)]
	frappe.get_attr(verbs_job.JOB)(**job.kwargs["kwargs"])
	again = enrollments.change_enrollments("Remove", frappe.as_json(names))
	frappe.set_user("Administrator")

	assert (said["done"], said["left"], job.kwargs["user"]) == (3, 4, user)
	assert {one.reload().status for one in everybody} == {"Exited"}
	assert (again["done"], again["refused"]) == (0, {"Is Exited": 3})
	told = frappe.get_all("Notification Log", {"for_user": user}, pluck="subject")
	assert told == ["Remove enrollments: 7 done."]


def test_job_asks_for_the_right_anew_and_counts_whom_it_leaves_alone(campaign, ada, clock):
	values = {"verb": "Skip", "step": "gone", "until": None, "done": 4, "refused": {"Is Exited.": 1}}
	frappe.set_user(factories.make_user("stranger", "Sales User"))
	with pytest.raises(frappe.PermissionError):
		verbs_job.run([ada.name], **values)
	frappe.set_user("Administrator")

	verbs_job.run([ada.name], **values)

	told = frappe.get_last_doc("Notification Log", {"for_user": "Administrator"}).subject
	assert told.startswith("Skip enrollments: 4 done. The others were not changed:")
	assert "1 × Is Exited." in told and "1 × Is no longer at step" in told
