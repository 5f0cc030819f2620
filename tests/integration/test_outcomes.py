"""What becomes of a queued email: what the mail server says, who else may send it, and what a dying worker leaves behind."""

import os
from datetime import datetime, timedelta, timezone

import frappe
import pytest

from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due, rescue
from drip_campaigns.outbox.delivery_state import ACCEPTED, ATTEMPTED, CLAIMED, DeliveryState
from tests import factories
from tests.factories import DOMAIN, step
from tests.processes import run_together

pytestmark = pytest.mark.campaign(step(0), step(2))


def enroll(campaign, clock, *names: str) -> list:
	"""Enroll a Contact for each name, at name@… ."""
	return [
		factories.enroll(campaign, factories.make_contact(name.title(), f"{name}@{DOMAIN}"), clock)
		for name in names
	]


def ledger_of(enrollment) -> list[tuple[str, str]]:
	"""Return subject and status of each email of an enrollment, in the order of the schedule."""
	return [
		(row.subject, row.status)
		for row in frappe.get_all(
			"Drip Email",
			filters={"enrollment": enrollment.name},
			fields=["subject", "status"],
			order_by="planned_at",
		)
	]


def mail_of(enrollment):
	"""Return the Drip Email of an enrollment that has one."""
	frappe.db.rollback()
	return frappe.get_last_doc("Drip Email", {"enrollment": enrollment.name})


def rows_of(mail) -> dict[str, str | None]:
	"""Return what the three records of an email say."""
	return {
		"Drip Email": mail.status,
		"Email Queue": frappe.db.get_value("Email Queue", mail.email_queue, "status"),
		"Communication": frappe.db.get_value("Communication", mail.communication, "delivery_status"),
	}


def test_accepted_e_mail_is_sent_in_all_its_records(campaign, smtp, clock):
	[ada] = enroll(campaign, clock, "ada")

	factories.run(clock)

	mail = mail_of(ada)
	assert rows_of(mail) == {"Drip Email": "Sent", "Email Queue": "Sent", "Communication": "Sent"}
	assert frappe.db.get_value("Email Queue Recipient", {"parent": mail.email_queue}, "status") == "Sent"
	assert mail.sent_at and mail.queued_at and mail.planned_at
	assert frappe.get_all(
		"Drip Event", filters={"drip_email": mail.name}, pluck="event_type", order_by="creation, event_type"
	) == [
		"Queued",
		"Sent",
	]


def test_address_refused_for_good_ends_its_enrollment_and_no_other(campaign, smtp, clock):
	smtp.answer(f"ada@{DOMAIN}", "550 5.1.1 no such user")
	ada, bob = enroll(campaign, clock, "ada", "bob")

	for _ in range(3):
		factories.run(clock)
		clock.advance(days=1)

	ada.reload()
	assert (ada.status, ada.exit_reason, ada.next_send_at) == ("Exited", "Hard Bounce", None)
	assert "550" in ada.last_error and "no such user" in ada.last_error
	assert rows_of(mail_of(ada)) == {
		"Drip Email": "Failed",
		"Email Queue": "Error",
		"Communication": "Bounced",
	}
	assert factories.count("Drip Event", enrollment=ada.name, event_type="Bounced") == 1
	assert [message.message["Subject"] for message in smtp.to(bob.email_address)] == ["Day 0", "Day 2"]


def test_address_put_off_by_the_server_is_tried_later_and_nobody_waits_for_it(campaign, smtp, clock):
	smtp.answer(f"ada@{DOMAIN}", "450 4.2.1 try later")
	ada, bob = enroll(campaign, clock, "ada", "bob")

	factories.run(clock)
	waiting = mail_of(ada)
	smtp.answer(f"ada@{DOMAIN}", "250 OK")
	factories.run(clock)
	too_soon = len(smtp.to(ada.email_address))
	clock.advance(minutes=15)
	factories.run(clock)

	assert (waiting.status, waiting.error) == ("Queued", "450 4.2.1 try later")
	assert too_soon == 0
	assert len(smtp.to(bob.email_address)) == 1
	assert len(smtp.to(ada.email_address)) == 1
	assert ada.reload().attempts == 0


def test_text_refused_by_the_server_ends_the_enrollment(campaign, smtp, clock):
	smtp.answer_text(f"ada@{DOMAIN}", "554 5.7.1 refused")
	[ada] = enroll(campaign, clock, "ada")

	factories.run(clock)

	assert mail_of(ada).status == "Failed"
	assert smtp.messages == []


def test_connection_that_breaks_after_the_text_leaves_one_e_mail_in_doubt_and_the_others_go(
	campaign, smtp, clock
):
	smtp.answer_text(f"bob@{DOMAIN}", "")
	ada, bob, eve = enroll(campaign, clock, "ada", "bob", "eve")

	for _ in range(3):
		factories.run(clock)
		clock.advance(minutes=30)

	assert [ledger_of(enrollment) for enrollment in (ada, bob, eve)] == [
		[("Day 0", "Sent")],
		[("Day 0", "In Doubt")],
		[("Day 0", "Sent")],
	]
	assert smtp.to(bob.email_address) == []


def test_nothing_is_lost_while_the_mail_server_is_down(campaign, smtp, clock):
	people = enroll(campaign, clock, "ada", "bob")

	smtp.stop()
	try:
		for _ in range(12):
			factories.run(clock)
			clock.advance(minutes=5)
	finally:
		smtp.start()
	waiting = [mail_of(enrollment).status for enrollment in people]
	factories.run(clock)

	assert waiting == ["Queued", "Queued"]
	assert sorted(message.recipient for message in smtp.messages) == [
		person.email_address for person in people
	]
	assert {(person.reload().status, person.attempts) for person in people} == {("In Progress", 0)}


def test_e_mail_that_the_server_puts_off_for_days_is_given_up_and_the_next_step_goes(campaign, smtp, clock):
	smtp.answer(f"ada@{DOMAIN}", "451 4.3.0 still not")
	[ada] = enroll(campaign, clock, "ada")

	for _ in range(3 * 24 * 60 // 24 + 3):
		factories.run(clock)
		clock.advance(
			minutes=24
		)  # a server that says "later" is asked again after 15, and Frappe takes over after 25
	smtp.answer(f"ada@{DOMAIN}", "250 OK")
	factories.run(clock)

	assert ledger_of(ada)[0] == ("Day 0", "Failed")
	assert [message.message["Subject"] for message in smtp.messages] == ["Day 2"]


def test_our_e_mail_is_frappes_to_send_once_its_time_has_passed(campaign, smtp):
	clock = factories.Clock(datetime.now(timezone.utc))
	[ada] = enroll(campaign, clock, "ada")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	mail = mail_of(ada)

	factories.flush_email_queue()
	before = len(smtp.messages)
	let_time_pass(mail)
	ours = delivery.deliver(clock)
	factories.flush_email_queue()
	rescue.rescue_strays(clock.now)

	[message] = smtp.messages
	assert (before, ours) == (0, 0)
	assert message.recipient == ada.email_address
	assert message.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
	assert message.message["Message-ID"] == f"<{mail.message_id}>"
	assert rows_of(mail_of(ada)) == {"Drip Email": "Sent", "Email Queue": "Sent", "Communication": "Sent"}


def test_refusal_that_frappe_has_met_is_a_hard_bounce_and_suppresses_the_address(campaign, smtp):
	clock = factories.Clock(datetime.now(timezone.utc))
	[ada] = enroll(campaign, clock, "ada")
	smtp.answer(ada.email_address, "550 5.1.1 no such user")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	let_time_pass(mail_of(ada))
	frappe.db.set_value("Email Queue", mail_of(ada).email_queue, "retry", 99)  # it has tried often enough

	factories.flush_email_queue()
	rescue.rescue_strays(clock.now)

	assert (mail_of(ada).status, mail_of(ada).bounce) == ("Failed", "Hard")
	assert (ada.reload().status, ada.exit_reason) == ("Exited", "Hard Bounce")
	assert frappe.db.get_value("Drip Suppression", {"email_address": ada.email_address}, "lifted") == 0


def let_time_pass(mail) -> None:
	"""Let the moment come from which on Frappe may send an email."""
	past = frappe.utils.now_datetime() - timedelta(minutes=1)
	frappe.db.set_value("Email Queue", mail.email_queue, "send_after", past, update_modified=False)
	frappe.db.commit()


def test_last_e_mail_that_frappe_has_sent_completes_the_enrollment(site, smtp):
	clock = factories.Clock(datetime.now(timezone.utc))
	campaign = factories.make_active_campaign(clock, step(0))
	[ada] = enroll(campaign, clock, "ada")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	let_time_pass(mail_of(ada))

	factories.flush_email_queue()
	under_way = ada.reload().status
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	assert (under_way, ada.reload().status) == ("In Progress", "Completed")


@pytest.mark.parametrize(
	("queue_row", "said"),
	[
		({"status": "Error", "error": "Traceback\n  lines\nSMTPDataError: 554 no"}, "SMTPDataError: 554 no"),
		({"status": "Error", "error": None}, "Frappe's Email Queue gave up."),
		(None, "The Email Queue row was deleted before the email was sent."),
	],
	ids=["error", "error without text", "deleted"],
)
def test_e_mail_that_frappe_gave_up_is_failed_with_the_reason_and_the_enrollment_goes_on(
	campaign, smtp, clock, queue_row, said
):
	[ada] = enroll(campaign, clock, "ada")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	mail = mail_of(ada)
	if queue_row:
		frappe.db.set_value("Email Queue", mail.email_queue, queue_row)
	else:
		frappe.delete_doc("Email Queue", mail.email_queue, force=True)
	frappe.db.commit()

	clock.advance(days=2)
	factories.run(clock)

	assert ledger_of(ada) == [("Day 0", "Failed"), ("Day 2", "Sent")]
	assert frappe.db.get_value("Drip Email", mail.name, "error") == said


def test_deleted_communication_stops_nothing(campaign, smtp, clock):
	[ada] = enroll(campaign, clock, "ada")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.delete_doc("Communication", mail_of(ada).communication, force=True)
	frappe.db.commit()

	factories.run(clock)

	assert mail_of(ada).status == "Sent"


def leave_behind(
	enrollment, clock, note: str | None, *, sent: bool = False, queue_status: str = "Sending"
) -> None:
	"""Leave an email as a worker does that is killed: claimed, with a note of how far it got."""
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	mail = mail_of(enrollment)
	if sent:
		delivery.deliver(clock)
	frappe.db.set_value("Drip Email", mail.name, "status", "Sending", update_modified=False)
	frappe.db.set_value("Email Queue", mail.email_queue, "status", queue_status, update_modified=False)
	frappe.db.commit()
	notes = DeliveryState()
	if note:
		notes.claim([mail.email_queue])
	if note in (ATTEMPTED, ACCEPTED):
		notes.attempt(mail.email_queue, None)
	if note == ACCEPTED:
		notes.finish(mail.email_queue, accepted=True)


def test_e_mail_of_a_worker_that_died_before_sending_goes_back_and_is_sent_once(campaign, smtp, clock):
	[ada] = enroll(campaign, clock, "ada")
	leave_behind(ada, clock, CLAIMED)

	clock.advance(minutes=9)
	for _ in range(2):
		factories.run(clock)

	assert mail_of(ada).status == "Sent"
	assert len(smtp.messages) == 1


def test_e_mail_of_a_worker_that_died_after_the_server_accepted_is_sent_and_not_sent_again(
	campaign, smtp, clock
):
	[ada] = enroll(campaign, clock, "ada")
	leave_behind(ada, clock, ACCEPTED, sent=True)

	clock.advance(minutes=9)
	for _ in range(2):
		factories.run(clock)

	assert rows_of(mail_of(ada)) == {"Drip Email": "Sent", "Email Queue": "Sent", "Communication": "Sent"}
	assert len(smtp.messages) == 1


@pytest.mark.parametrize("note", [ATTEMPTED, None], ids=["tried", "Redis was emptied"])
@pytest.mark.parametrize(
	"queue_status", ["Sending", "Not Sent"], ids=["still sending", "put back by Frappe 16"]
)
def test_e_mail_of_which_nobody_knows_is_in_doubt_shown_as_such_and_not_sent_again(
	campaign, smtp, clock, note, queue_status
):
	[ada] = enroll(campaign, clock, "ada")
	leave_behind(ada, clock, note, queue_status=queue_status)

	clock.advance(minutes=9)
	for _ in range(3):
		factories.run(clock)
		clock.advance(minutes=20)
	factories.flush_email_queue()

	mail = mail_of(ada)
	assert mail.status == "In Doubt"
	assert "The worker stopped while it was sending this email." in mail.error
	assert smtp.messages == []
	assert ada.reload().status == "In Progress"


def test_living_worker_is_left_alone(campaign, smtp, clock):
	[ada] = enroll(campaign, clock, "ada")
	leave_behind(ada, clock, ATTEMPTED)

	clock.advance(minutes=7)
	rescue.rescue_strays(clock.now)

	assert mail_of(ada).status == "Sending"


def test_run_that_is_killed_before_its_commit_leaves_everything_as_it_was(campaign, smtp, clock):
	[ada] = enroll(campaign, clock, "ada")

	run_together(_dispatch_and_die, [(clock.now,)], deadly=True)
	nothing = (
		factories.count("Drip Email"),
		factories.count("Email Queue", reference_doctype="Drip Enrollment"),
	)
	factories.run(clock)

	assert nothing == (0, 0)
	assert mail_of(ada).status == "Sent"
	assert len(smtp.messages) == 1


def _dispatch_and_die(now: datetime) -> None:
	dispatch_due.record_events = lambda *_args: os._exit(9)
	dispatch_due.dispatch(now, enqueue_delivery=False)


def test_worker_killed_right_after_the_server_accepted_sends_nothing_twice(campaign, smtp, clock):
	people = enroll(campaign, clock, "ada", "bob", "eve")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	run_together(_deliver_and_die, [(clock.now,)], deadly=True)
	arrived = len(smtp.messages)
	clock.advance(minutes=9)
	for _ in range(2):
		factories.run(clock)

	assert arrived == 3
	assert len(smtp.messages) == 3
	assert {mail_of(person).status for person in people} == {"Sent"}


def _deliver_and_die(now: datetime) -> None:
	delivery.settle = lambda *_args, **_options: os._exit(9)
	delivery.deliver(lambda: now)


def test_many_processes_at_once_send_each_step_once(campaign, smtp, clock):
	people = [factories.enroll(campaign, factories.make_contact(), clock) for _ in range(30)]

	answers = run_together(_run, [(clock.now,)] * 4)

	failures = [str(answer) for answer in answers if isinstance(answer, Exception)]
	assert not failures, "\n".join(failures)
	assert sorted(message.recipient for message in smtp.messages) == sorted(p.email_address for p in people)
	assert sum(queued for queued, _accepted in answers) == 30
	assert sum(accepted for _queued, accepted in answers) == 30
	assert frappe.get_all("Drip Email", pluck="status") == ["Sent"] * 30


def _run(now: datetime) -> tuple[int, int]:
	return dispatch_due.dispatch(now, enqueue_delivery=False), delivery.deliver(lambda: now)


def test_e_mail_of_ours_does_not_stand_before_other_mail_in_the_queue(campaign, smtp, clock):
	[ada] = enroll(campaign, clock, "ada")
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.sendmail(recipients=[f"bob@{DOMAIN}"], subject="Your password", message="x", delayed=True)
	frappe.db.commit()

	factories.flush_email_queue()

	assert [message.message["Subject"] for message in smtp.messages] == ["Your password", "Day 0"]
