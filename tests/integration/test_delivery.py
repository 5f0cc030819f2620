"""A delivery job that is killed, sleeps or is overtaken: nothing leaves twice, and no more is in doubt than must be."""

from datetime import timedelta
from email import message_from_string, policy
from unittest import mock

import frappe
import frappe.email.queue
import pytest

from drip_campaigns.db import bulk_writes
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due, rescue
from drip_campaigns.outbox import emails
from drip_campaigns.outbox.delivery_state import DeliveryState
from drip_campaigns.site.clock import to_site
from tests import factories
from tests.factories import DOMAIN
from tests.web import Browser


class Killed(BaseException):
	"""What stands for kill -9: nothing of ours may catch it."""


@pytest.fixture
def queued(site, smtp, clock) -> list[str]:
	"""Five emails that wait for a delivery job; the addresses in the order of their turn."""
	campaign = factories.make_active_campaign(clock, factories.step(0))
	contacts = [factories.make_contact(name, f"{name}@{DOMAIN}") for name in "abcde"]
	for contact in contacts:
		factories.enroll(campaign, contact, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	return [contact.email_id for contact in contacts]


def _deliver_until(clock, function: str, turn: int, act) -> None:
	"""Run a delivery job in which `act` happens after the `turn`th call of one of its functions."""
	real, calls = getattr(delivery, function), []

	def wrapped(*args, **options):
		result = real(*args, **options)
		calls.append(function)
		if len(calls) == turn:
			act()
		return result

	with mock.patch.object(delivery, function, wrapped):
		delivery.deliver(clock)


def _kill() -> None:
	raise Killed


def _statuses() -> dict[str, int]:
	frappe.db.commit()
	names = frappe.get_all("Drip Email", pluck="status")
	return {status: names.count(status) for status in sorted(set(names))}


def test_job_that_slept_while_its_mail_was_taken_back_sends_nothing_twice(queued, smtp, clock):
	def sleep_for_an_hour() -> None:
		clock.advance(hours=1)
		rescue.rescue_strays(clock.now)
		delivery.deliver(clock)

	_deliver_until(clock, "send_text", 2, sleep_for_an_hour)

	assert sorted(message.recipient for message in smtp.messages) == sorted(queued)
	assert _statuses() == {"Sent": 5}


def test_what_a_sleeping_job_knows_after_all_ends_the_doubt(queued, smtp, clock):
	def sleep_for_an_hour() -> None:
		clock.advance(hours=1)
		rescue.rescue_strays(clock.now)

	_deliver_until(clock, "send_text", 1, sleep_for_an_hour)
	delivery.deliver(clock)

	assert len(smtp.messages) == 5
	assert _statuses() == {"Sent": 5}


def test_only_the_email_of_the_moment_is_in_doubt_after_a_kill(queued, smtp, clock):
	with pytest.raises(Killed):
		_deliver_until(clock, "send_text", 3, _kill)
	frappe.db.rollback()

	clock.advance(minutes=9)
	rescue.rescue_strays(clock.now)
	assert _statuses() == {"In Doubt": 1, "Queued": 2, "Sent": 2}
	delivery.deliver(clock)

	assert len(smtp.messages) == 5


def test_refused_email_is_not_in_doubt_after_a_kill(queued, smtp, clock):
	for address in queued[:2]:
		smtp.answer(address, "450 4.2.1 try again")
	with pytest.raises(Killed):
		_deliver_until(clock, "settle", 1, _kill)
	frappe.db.rollback()

	clock.advance(minutes=9)
	rescue.rescue_strays(clock.now)

	assert _statuses() == {"Queued": 2, "Sent": 3}


def test_frappe_that_puts_back_what_stays_sending_does_not_send_it_again(queued, smtp, clock):
	with pytest.raises(Killed):
		_deliver_until(clock, "settle", 1, _kill)
	frappe.db.rollback()
	later = to_site(clock.advance(minutes=20))

	with mock.patch.object(frappe.email.queue, "now_datetime", lambda: later):
		frappe.db.set_value(
			"Email Queue",
			{"status": "Sending"},
			"modified",
			later - timedelta(minutes=20),
			update_modified=False,
		)
		frappe.email.queue.retry_sending_emails()
		assert frappe.db.count("Email Queue", {"status": "Not Sent"}) == 5
		factories.flush_email_queue()
	factories.run(clock)

	assert len(smtp.messages) == 5
	assert _statuses() == {"Sent": 5}


def test_emptied_redis_costs_a_group_nothing_but_another_turn(queued, smtp, clock):
	_deliver_until(clock, "send_text", 2, lambda: DeliveryState()._redis.flushdb())

	assert sorted(message.recipient for message in smtp.messages) == sorted(queued)
	assert _statuses() == {"Sent": 5}


@pytest.mark.parametrize(("module", "function"), [(emails, "lock_own"), (bulk_writes, "set_values")])
def test_deadlock_after_sending_forgets_no_answer(queued, smtp, clock, module, function):
	real, calls = getattr(module, function), []

	def rolled_back_once(*args, **options):
		calls.append(function)
		if len(calls) == 1:
			frappe.db.rollback()
			raise frappe.QueryDeadlockError("1213 Deadlock found when trying to get lock")
		return real(*args, **options)

	with mock.patch.object(module, function, rolled_back_once):
		delivery.deliver(clock)
	DeliveryState().forget(frappe.get_all("Email Queue", pluck="name"))  # Redis was emptied
	clock.advance(minutes=20)
	rescue.rescue_strays(clock.now)

	assert len(calls) > 1
	assert len(smtp.messages) == 5
	assert _statuses() == {"Sent": 5}


def test_hold_all_sending_stops_a_slow_group_within_a_second(queued, smtp, clock, monkeypatch):
	monkeypatch.setattr(delivery, "RECHECK_SECONDS", 0)

	def hold() -> None:
		frappe.db.set_single_value("Drip Settings", "pause_sending", 1)
		frappe.db.commit()

	_deliver_until(clock, "send_text", 2, hold)

	factories.flush_email_queue()  # Frappe's own, long after they would have been its own
	assert len(smtp.messages) == 2
	assert _statuses() == {"Queued": 3, "Sent": 2}


def test_last_e_mail_of_a_group_that_takes_long_ends_the_job_in_order(queued, smtp, clock, monkeypatch):
	monkeypatch.setattr(delivery, "RECHECK_SECONDS", 0)  # every email takes longer than that

	accepted = delivery.deliver(clock)

	assert accepted == len(smtp.messages) == factories.count("Drip Email", status="Sent") > 0


def test_who_leaves_while_the_server_is_slow_gets_nothing_though_a_job_has_the_e_mail_in_hand(
	web, queued, smtp, clock
):
	ours = {"reference_doctype": "Drip Enrollment"}
	links = [_one_click(name) for name in frappe.get_all("Email Queue", filters=ours, pluck="name")]
	frappe.db.commit()
	browser = Browser(web)

	def leave_all() -> None:
		assert {browser.post(link, {"List-Unsubscribe": "One-Click"}).status for link in links} == {200}

	smtp.meanwhile(leave_all)
	delivery.deliver(clock)

	assert len(smtp.messages) == 1  # whose text the server was taking
	assert _statuses() == {"Sent": 1, "Skipped": 4}
	assert set(frappe.get_all("Drip Enrollment", pluck="status")) == {"Unsubscribed"}
	assert set(frappe.get_all("Drip Email", {"status": "Skipped"}, pluck="reason")) == {"Unsubscribed"}


def _one_click(queue: str) -> str:
	message = message_from_string(frappe.db.get_value("Email Queue", queue, "message"), policy=policy.default)
	return message["List-Unsubscribe"].split(",")[0].strip(" <>")


def test_address_that_smtp_cannot_say_fails_its_own_e_mail_and_stops_no_other(queued, smtp, clock):
	unspeakable = f"sel\u0131m@{DOMAIN}"
	name = frappe.db.get_value("Drip Email", {"email_address": queued[2]})
	frappe.db.set_value("Drip Email", name, "email_address", unspeakable)
	frappe.db.commit()

	delivery.deliver(clock)

	assert sorted(message.recipient for message in smtp.messages) == [*queued[:2], *queued[3:]]
	status, error = frappe.db.get_value("Drip Email", name, ["status", "error"])
	assert status == "Failed" and f"a character in sales@drip-test.example or in {unspeakable}" in error
