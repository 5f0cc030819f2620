"""A welcome campaign through its week: people join, unsubscribe, and bounce, and the server is down; the records are right."""

from datetime import datetime

import frappe
import pytest

from drip_campaigns.jobs import daily
from drip_campaigns.jobs import deliver as delivery
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.processes import run_together
from tests.web import Browser


def run_a_day(clock) -> None:
	"""Run the daily job twice, once more in two processes in parallel, and then the dispatch every six hours."""
	for _ in range(2):
		daily.run(clock.now, enqueue_delivery=False)
	answers = run_together(_run_daily, [(clock.now,)] * 2)
	assert not [answer for answer in answers if isinstance(answer, Exception)], answers
	for _ in range(4):
		factories.run(clock)
		clock.advance(hours=6)


def _run_daily(now: datetime) -> None:
	daily.run(now, enqueue_delivery=False)
	delivery.deliver(lambda: now)


def link_to_leave(smtp, address: str) -> str:
	"""Return the unsubscribe link in the last email to an address."""
	return smtp.to(address)[-1].message["List-Unsubscribe"].strip("<>")


def leave_by_page(web: str, link: str) -> None:
	page = Browser(web)
	page.get(link)
	assert page.post(link, {}).status == 200


def leave_by_one_click(web: str, link: str) -> None:
	answer = Browser(web).post_raw(link, b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")
	assert answer.status == 200


def test_everybody_gets_what_is_due_and_nobody_anything_twice(campaign, web, smtp, clock):
	names = ("ada", "bob", "cleo", "dora", "refused", "late")
	address = {name: f"{name}@{DOMAIN}" for name in names}
	contacts = {name: factories.make_contact(name.title(), address[name]) for name in names}
	nobody = factories.make_contact("Nobody", None)
	smtp.answer(address["refused"], "550 5.1.1 no such user")
	enrollments = {name: factories.enroll(campaign, contacts[name], clock) for name in names[:5]}
	with pytest.raises(Exception) as refused:
		verbs.enroll(campaign.name, "Contact", nobody.name, clock.now)

	run_a_day(clock)  # day 0
	leave_by_page(web, link_to_leave(smtp, address["bob"]))
	run_a_day(clock)  # day 1
	enrollments["late"] = factories.enroll(campaign, contacts["late"], clock)
	run_a_day(clock)  # day 2
	leave_by_one_click(web, link_to_leave(smtp, address["cleo"]))
	run_a_day(clock)  # day 3
	clock.advance(days=1)  # day 4: the scheduler is down
	for _ in range(6):  # days 5 to 10
		run_a_day(clock)

	assert "has no email address" in str(refused.value)
	received = {name: [mail.message["Subject"] for mail in smtp.to(address[name])] for name in names}
	assert received == {
		"ada": ["Day 0", "Day 2", "Day 4"],
		"bob": ["Day 0"],
		"cleo": ["Day 0", "Day 2"],
		"dora": ["Day 0", "Day 2", "Day 4"],
		"refused": [],
		"late": ["Day 0", "Day 2", "Day 4"],
	}
	assert {name: (e.reload().status, e.exit_reason) for name, e in enrollments.items()} == {
		"ada": ("Completed", None),
		"bob": ("Unsubscribed", None),
		"cleo": ("Unsubscribed", None),
		"dora": ("Completed", None),
		"refused": ("Exited", "Hard Bounce"),
		"late": ("Completed", None),
	}
	assert_ledger_is_what_the_server_received(smtp)


def assert_ledger_is_what_the_server_received(smtp) -> None:
	"""Compare what the database records as sent with the messages that arrived, by Message-ID."""
	sent = frappe.get_all(
		"Drip Email", filters={"status": "Sent"}, fields=["message_id", "email_address", "subject"]
	)
	arrived = [
		(mail.message["Message-ID"].strip("<>"), mail.recipient, mail.message["Subject"])
		for mail in smtp.messages
	]

	assert sorted((row.message_id, row.email_address, row.subject) for row in sent) == sorted(arrived)
	assert len({message_id for message_id, *_rest in arrived}) == len(arrived)
	assert set(frappe.get_all("Drip Email", pluck="status")) == {"Sent", "Failed"}
	communications = frappe.get_all(
		"Communication", filters={"reference_doctype": "Drip Enrollment"}, pluck="message_id"
	)
	assert set(communications) >= {message_id for message_id, *_rest in arrived}
