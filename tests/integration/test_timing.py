"""When steps leave a real site: starts, missed days, windows, holds, and changes of the schedule."""

from datetime import date, datetime, timedelta, timezone

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.model import UnsubscribeScope
from drip_campaigns.dispatch import retry
from drip_campaigns.enrollment import unsubscribe as leaving
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError
from drip_campaigns.jobs import daily, dispatch_due
from drip_campaigns.jobs import deliver as delivery
from tests import factories, verbs
from tests.factories import step


def subjects(smtp) -> list[str]:
	"""Return the subjects of what the server got, in order."""
	return [message.message["Subject"] for message in smtp.messages]


def sent_at(smtp, clock, *, days: int, hours: int = 6) -> dict[str, str]:
	"""Let `days` pass with a run every `hours`, and return when each subject left."""
	seen: dict[str, str] = {}
	for _ in range(days * 24 // hours):
		factories.run(clock)
		for subject in subjects(smtp):
			seen.setdefault(subject, f"{clock.now:%m-%d %H:%M}")
		clock.advance(hours=hours)
	return seen


def run_daily(clock) -> None:
	"""Run the daily job and a delivery."""
	daily.run(clock.now, enqueue_delivery=False)
	delivery.deliver(clock)


def test_daily_job_and_dispatch_send_a_step_once_however_often_they_run(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	for _ in range(3):
		factories.enroll(campaign, factories.make_contact(), clock)

	for _ in range(3):
		run_daily(clock)
		factories.run(clock)
		clock.advance(hours=1)

	assert subjects(smtp) == ["Day 0"] * 3


def test_enrollment_of_a_future_day_is_scheduled_and_starts_on_it(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock, start_date=date(2026, 3, 5))
	assert enrollment.status == "Scheduled"

	statuses = []
	for _ in range(4):
		run_daily(clock)
		statuses.append((enrollment.reload().status, len(smtp.messages)))
		clock.advance(days=1)

	assert statuses == [("Scheduled", 0)] * 3 + [("In Progress", 1)]
	assert enrollment.end_date == date(2026, 3, 9)


def test_missed_days_are_caught_up_and_the_distances_kept(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	clock.now = datetime(
		2026, 3, 6, 9, 0, tzinfo=timezone.utc
	)  # two days late for Day 2, and Day 4 is due by its date
	times = sent_at(smtp, clock, days=4)

	assert times == {"Day 0": "03-06 09:00", "Day 2": "03-06 09:00", "Day 4": "03-08 09:00"}
	assert subjects(smtp) == ["Day 0", "Day 2", "Day 4"]
	assert enrollment.reload().end_date == date(2026, 3, 8)


def test_with_keep_dates_an_overdue_step_is_skipped_with_an_event(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, if_late="Keep Dates", grace_hours=24)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	clock.now = datetime(2026, 3, 6, 10, 0, tzinfo=timezone.utc)
	factories.run(clock)

	assert subjects(smtp) == ["Day 0", "Day 4"]
	skipped = frappe.get_last_doc("Drip Email", {"enrollment": enrollment.name, "status": "Skipped"})
	assert (skipped.subject, skipped.reason) == ("Day 2", "Expired")
	assert (
		frappe.db.get_value("Drip Event", {"enrollment": enrollment.name, "event_type": "Skipped"}, "detail")
		== "Expired"
	)
	assert enrollment.reload().status == "Completed"


def test_disabled_step_is_passed_over_without_breaking_the_chain(site, smtp, clock):
	previous = {"counted_from": "Previous Step"}
	campaign = factories.make_active_campaign(
		clock, step(0, "first"), step(1, "off", enabled=0, **previous), step(2, "last", **previous)
	)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	times = sent_at(smtp, clock, days=5)

	assert times == {"first": "03-02 09:00", "last": "03-05 09:00"}
	assert enrollment.reload().status == "Completed"


def test_hours_count_beside_days(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0, "first"), step(0, "second", send_after_hours=5))
	factories.enroll(campaign, factories.make_contact(), clock)

	times = sent_at(smtp, clock, days=1, hours=1)

	assert times == {"first": "03-02 09:00", "second": "03-02 14:00"}


def test_window_holds_a_step_until_it_opens(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, window_from="13:00:00", window_to="15:00:00", time_zone="UTC"
	)
	factories.enroll(campaign, factories.make_contact(), clock)

	times = sent_at(smtp, clock, days=4, hours=1)

	assert times == {"Day 0": "03-02 13:00", "Day 2": "03-04 13:00"}


def test_step_that_missed_its_window_waits_for_the_next_and_keeps_no_dispatch_busy(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, step(0), window_from="08:00:00", window_to="10:00:00", time_zone="UTC"
	)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	clock.advance(hours=2)
	claimed = [dispatch_due.dispatch(clock.now, enqueue_delivery=False) for _ in range(2)]
	waits_until = enrollment.reload().next_send_at
	clock.now = datetime(2026, 3, 3, 8, 0, tzinfo=timezone.utc)
	factories.run(clock)

	assert claimed == [0, 0]
	assert waits_until == site_time(datetime(2026, 3, 3, 8, 0, tzinfo=timezone.utc))
	assert subjects(smtp) == ["Day 0"]


def site_time(moment: datetime) -> datetime:
	"""Return what a Datetime field says at `moment`."""
	from drip_campaigns.site.clock import to_site

	return to_site(moment)


def test_nothing_leaves_on_a_day_of_the_week_that_is_not_allowed(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, time_zone="UTC", wednesday=0, friday=0, saturday=0, sunday=0
	)
	factories.enroll(campaign, factories.make_contact(), clock)

	sent_at(smtp, clock, days=14)

	days = {message.message["Date"][:3] for message in smtp.messages}
	assert subjects(smtp) == ["Day 0", "Day 2", "Day 4"]
	assert days <= {"Mon", "Tue", "Thu"}


def test_nothing_leaves_before_the_start_date_of_the_campaign(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), start_date="2026-03-04", time_zone="UTC")
	factories.enroll(campaign, factories.make_contact(), clock)

	times = sent_at(smtp, clock, days=4)

	assert times == {"Day 0": "03-04 03:00"}


def test_nothing_leaves_after_the_end_date_of_the_campaign_and_everybody_is_finished(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, end_date="2026-03-04", time_zone="UTC")
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	sent_at(smtp, clock, days=6)

	assert subjects(smtp) == ["Day 0", "Day 2"]
	assert enrollment.reload().status == "Completed"
	assert frappe.get_all("Drip Email", filters={"status": "Skipped"}, pluck="reason") == ["Campaign Ended"]


def test_pause_of_an_enrollment_keeps_the_rest_of_the_delay(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	clock.advance(days=1)
	verbs.pause(enrollment.reload(), clock.now)
	clock.advance(days=6)
	factories.run(clock)
	run_daily(clock)
	verbs.resume(enrollment.reload(), clock.now)
	frappe.db.commit()
	times = sent_at(smtp, clock, days=5)

	assert (times["Day 2"], times["Day 4"]) == ("03-10 09:00", "03-12 09:00")
	assert enrollment.reload().status == "Completed"


def test_pause_of_the_campaign_keeps_the_rest_of_the_delay_for_everybody(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	clock.advance(days=1)
	lifecycle.pause(campaign.reload(), clock.now)
	frappe.db.commit()
	clock.advance(days=6)
	factories.run(clock)
	run_daily(clock)
	lifecycle.activate(campaign.reload(), clock.now)
	frappe.db.commit()
	times = sent_at(smtp, clock, days=5)

	assert (times["Day 2"], times["Day 4"]) == ("03-10 09:00", "03-12 09:00")


def hold_enrollment(campaign, enrollment, clock):
	verbs.pause(enrollment.reload(), clock.now)
	return lambda: verbs.resume(enrollment.reload(), clock.now)


def hold_campaign(campaign, enrollment, clock):
	lifecycle.pause(campaign.reload(), clock.now)
	return lambda: lifecycle.activate(campaign.reload(), clock.now)


def hold_all_sending(campaign, enrollment, clock):
	set_brake(1)
	return lambda: set_brake(0)


def set_brake(value: int) -> None:
	settings = frappe.get_doc("Drip Settings")
	settings.pause_sending = value
	settings.save()


@pytest.mark.parametrize("hold", [hold_enrollment, hold_campaign, hold_all_sending])
def test_hold_keeps_what_is_queued_from_leaving_in_any_way_and_loses_nothing(site, smtp, clock, hold):
	campaign = factories.make_active_campaign(clock, step(0))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	let_go = hold(campaign, enrollment, clock)
	frappe.db.commit()
	delivery.deliver(clock)
	factories.flush_email_queue()
	clock.advance(hours=3)
	factories.run(clock)
	held = len(smtp.messages)
	let_go()
	frappe.db.commit()
	if hold is hold_all_sending:
		clock.now = datetime.now(timezone.utc)  # the settings' form has read the clock itself
	factories.run(clock)
	factories.run(clock)

	assert (held, subjects(smtp)) == (0, ["Day 0"])
	assert frappe.get_all("Drip Email", pluck="status") == ["Sent"]
	assert enrollment.reload().status == "Completed"


def test_nothing_that_is_let_go_on_leaves_before_all_sending_is(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	let_go = hold_enrollment(campaign, enrollment, clock)
	set_brake(1)
	let_go()
	frappe.db.commit()

	factories.flush_email_queue()
	held = len(smtp.messages)
	set_brake(0)
	frappe.db.commit()
	clock.now = datetime.now(timezone.utc)  # the settings' form has read the clock itself
	factories.run(clock)

	assert (held, subjects(smtp)) == (0, ["Day 0"])


def mute():
	frappe.flags.mute_emails = True
	return lambda: frappe.flags.pop("mute_emails")


def suspend():
	frappe.db.set_default("suspend_email_queue", 1)
	return lambda: frappe.db.set_default("suspend_email_queue", 0)


@pytest.mark.parametrize("brake", [mute, suspend])
def test_frappes_own_brakes_are_honoured_and_what_is_due_stays_due(site, smtp, clock, brake):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)

	release = brake()
	try:
		queued = dispatch_due.dispatch(clock.now, enqueue_delivery=False)
		accepted = delivery.deliver(clock)
	finally:
		release()
	factories.run(clock)

	assert (queued, accepted) == (0, 0)
	assert subjects(smtp) == ["Day 0"]


def test_draft_enrolls_but_sends_nothing_until_it_is_activated(site, smtp, clock):
	campaign = factories.make_campaign()
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	assert (enrollment.status, smtp.messages) == ("Scheduled", [])

	clock.now = datetime.now(timezone.utc) + timedelta(days=3)
	lifecycle.activate(campaign, clock.now)
	frappe.db.commit()
	factories.run(clock)

	assert subjects(smtp) == ["Day 0"]
	assert enrollment.reload().status == "In Progress"


def test_activation_in_the_background_begins_anew_after_a_deadlock(site, clock, monkeypatch):
	campaign = factories.make_campaign()
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	replan, calls = lifecycle.replan, []

	def collide_once(*args, **options) -> None:
		calls.append(1)
		replan(*args, **options)
		if len(calls) == 1:
			raise frappe.QueryDeadlockError("1213 Deadlock found when trying to get lock")

	frappe.db.commit()
	monkeypatch.setattr(lifecycle, "replan", collide_once)
	lifecycle.start_in_background(campaign.name)

	assert (len(calls), campaign.reload().status) == (2, "Active")
	assert enrollment.reload().status == "In Progress"


def test_end_of_a_campaign_ends_everybody_and_withdraws_what_is_queued(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollments = [factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2)]
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	left = lifecycle.end(campaign, clock.now)
	frappe.db.commit()
	for _ in range(3):
		factories.run(clock)
		clock.advance(days=2)

	assert left == 2
	assert smtp.messages == []
	assert {(e.reload().status, e.exit_reason, e.next_send_at) for e in enrollments} == {
		("Exited", "Removed", None)
	}
	assert set(frappe.get_all("Drip Email", pluck="status")) == {"Skipped"}
	assert factories.count("Email Queue", reference_doctype="Drip Enrollment") == 0


def add_step(campaign, clock, **row) -> None:
	campaign.reload()
	campaign.append("steps", row)
	campaign.save()
	frappe.db.commit()


def test_step_added_in_the_middle_goes_to_those_who_have_not_passed_it(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	early = factories.enroll(campaign, factories.make_contact(), clock)
	sent_at(smtp, clock, days=4)  # Day 0 and Day 2 have been sent, Day 4 has not
	late = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	add_step(campaign, clock, **step(1, "Day 1"))
	sent_at(smtp, clock, days=6)

	by_person = {e.name: [m.message["Subject"] for m in smtp.to(e.email_address)] for e in (early, late)}
	assert by_person == {
		early.name: ["Day 0", "Day 2", "Day 4"],
		late.name: ["Day 0", "Day 1", "Day 2", "Day 4"],
	}


def test_ended_campaign_takes_nobody_up_again_in_any_way(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), re_enrollment="Resume")
	people = [factories.make_contact(name) for name in ("Done", "Failed", "Left")]
	done, failed, left = (factories.enroll(campaign, one, clock) for one in people)
	factories.run(clock)
	verbs.unsubscribe(left.reload(), clock.now)
	failed.db_set({"status": "Failed", "live_recipient": None, "live_address": None})
	lifecycle.end(campaign.reload(), clock.now)
	campaign.reload().append("steps", step(9))
	campaign.save()

	with pytest.raises(EnrollmentRefusedError, match="has ended"):
		retry.retry_failed(campaign, clock.now)
	for enrollment in (done, failed):
		with pytest.raises(EnrollmentRefusedError, match="has ended"):
			verbs.resume(enrollment.reload(), clock.now)
	with pytest.raises(frappe.ValidationError, match="has ended"):
		factories.enroll(campaign, people[0], clock)
	leaving.resubscribe(leaving.find_link_holder(left.name), UnsubscribeScope.CAMPAIGN, clock.now)

	assert [one.reload().status for one in (done, failed, left)] == ["Completed", "Failed", "Unsubscribed"]
	assert not frappe.db.exists("Email Unsubscribe", {"reference_name": campaign.name})


@pytest.mark.parametrize(("reopen", "said"), [(1, ["Day 0", "Day 9"]), (0, ["Day 0"])])
def test_step_added_at_the_end_reaches_those_who_completed_if_the_campaign_says_so(
	site, smtp, clock, reopen, said
):
	campaign = factories.make_active_campaign(clock, step(0), reopen_completed=reopen)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	assert enrollment.reload().status == "Completed"

	add_step(campaign, clock, **step(9))
	reopened = enrollment.reload().status
	sent_at(smtp, clock, days=11)

	assert subjects(smtp) == said
	assert reopened == ("In Progress" if reopen else "Completed")
	assert enrollment.reload().status == "Completed"


def test_end_date_follows_the_schedule(site, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	ends = [enrollment.end_date]

	add_step(campaign, clock, **step(10))
	ends.append(enrollment.reload().end_date)
	campaign.steps[-1].send_after_days = 20
	campaign.save()
	ends.append(enrollment.reload().end_date)
	campaign.remove(campaign.steps[-1])
	campaign.save()
	ends.append(enrollment.reload().end_date)

	assert [str(day)[5:] for day in ends] == ["03-06", "03-12", "03-22", "03-06"]


def test_changed_subject_reaches_the_next_e_mail_and_no_step_is_sent_again(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	campaign.reload()
	for row in campaign.steps:
		row.subject = f"New {row.subject}"
	campaign.save()
	frappe.db.commit()
	sent_at(smtp, clock, days=5)

	assert subjects(smtp) == ["Day 0", "New Day 2", "New Day 4"]


def test_removed_and_enrolled_again_goes_on_where_it_stopped(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Resume")
	contact = factories.make_contact()
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	clock.advance(days=1)
	verbs.remove(enrollment.reload(), clock.now)

	clock.advance(days=5)
	again = factories.enroll(campaign, contact, clock)
	times = sent_at(smtp, clock, days=4)

	assert again.name == enrollment.name
	assert subjects(smtp) == ["Day 0", "Day 2", "Day 4"]
	assert times["Day 2"] == "03-09 09:00"


def test_removed_while_paused_keeps_the_rest_of_the_delay_of_the_pause(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Resume")
	contact = factories.make_contact()
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	clock.advance(days=1)
	verbs.pause(enrollment.reload(), clock.now)
	clock.advance(days=5)
	verbs.remove(enrollment.reload(), clock.now)
	frappe.db.commit()

	factories.enroll(campaign, contact, clock)
	times = sent_at(smtp, clock, days=4)

	assert times["Day 2"] == "03-09 09:00"


@pytest.mark.parametrize(
	("rule", "days", "said"),
	[
		("Never", 1, "This campaign enrolls each recipient once."),
		("Restart", 1, "This campaign can restart on"),
		("Resume", 9, "The recipient completed this campaign, and no step was added since then."),
	],
)
def test_campaign_that_takes_nobody_back_says_why(site, smtp, clock, rule, days, said):
	campaign = factories.make_active_campaign(clock, step(0), re_enrollment=rule, restart_after_days=30)
	contact = factories.make_contact()
	factories.enroll(campaign, contact, clock)
	factories.run(clock)

	clock.advance(days=days)
	with pytest.raises(Exception) as caught:
		factories.enroll(campaign, contact, clock)

	assert said in str(caught.value)


def test_campaign_that_starts_over_sends_everything_anew(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Restart", restart_after_days=10)
	contact = factories.make_contact()
	factories.enroll(campaign, contact, clock)
	sent_at(smtp, clock, days=6)

	clock.advance(days=10)
	factories.enroll(campaign, contact, clock)
	sent_at(smtp, clock, days=6)
	campaign.reload().append("steps", step(9))
	campaign.save()
	frappe.db.commit()
	sent_at(smtp, clock, days=6)

	# Who has completed it twice is taken up again once, in the latest enrollment.
	assert subjects(smtp) == [*["Day 0", "Day 2", "Day 4"] * 2, "Day 9"]


def test_failure_is_tried_again_after_growing_delays_and_then_given_up(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, step(0, "broken", message="<p>{{ 1 // (doc.first_name | length - 3) }}</p>")
	)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada"), clock)

	delays = []
	while enrollment.reload().status == "In Progress":
		factories.run(clock)
		if enrollment.reload().next_send_at:
			delays.append(enrollment.next_send_at - site_time(clock.now))
			clock.now += delays[-1]

	assert [delay.total_seconds() / 60 for delay in delays] == [5, 15, 60, 240]
	assert (enrollment.status, enrollment.attempts, enrollment.next_send_at) == ("Failed", 5, None)
	assert "Step “broken”: ZeroDivisionError" in enrollment.last_error
	assert factories.count("Drip Event", enrollment=enrollment.name, event_type="Failed") == 1
	assert smtp.messages == []


def test_time_zone_of_a_user_decides_when_its_day_begins(site, smtp, clock):
	user = frappe.get_doc("User", factories.make_user("tokyo", "Drip User"))
	frappe.db.set_value("User", user.name, "time_zone", "Asia/Tokyo")
	campaign = factories.make_active_campaign(
		clock, step(0), window_from="08:00:00", window_to="09:00:00", time_zone="UTC"
	)
	factories.enroll(campaign, user, clock)

	times = sent_at(smtp, clock, days=2, hours=1)

	assert times == {"Day 0": "03-02 23:00"}  # 08:00 in Tokyo
