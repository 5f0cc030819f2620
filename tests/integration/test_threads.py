"""Steps in the same thread as the email before: what mail programs read of it, in the bytes that a mail server received."""

import frappe

from drip_campaigns.api import desk
from drip_campaigns.dispatch import retry
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.rendering.threads import Threads
from tests import factories
from tests.factories import DOMAIN, step

ADA = f"ada@{DOMAIN}"
THREAD = {"in_thread": 1}


def ids(message) -> list[str]:
	"""Return the Message-IDs that a received message refers to."""
	return (message.message["References"] or "").split()


def test_answers_bear_the_first_subject_as_it_was_sent_and_name_the_whole_thread(site, clock, smtp):
	campaign = factories.make_active_campaign(
		clock,
		step(0, "Über {{ recipient.first_name }}"),
		step(1, "Unused", **THREAD),
		step(2, "Unused", **THREAD),
		step(3, "Something else"),
		step(4, "Unused", **THREAD),
	)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	for _day in range(5):
		factories.run(clock)
		campaign.reload().steps[0].db_set("subject", "Changed since")
		clock.advance(days=1)

	first, second, third, fourth, fifth = smtp.messages
	subjects = [str(message.message["Subject"]) for message in smtp.messages]
	assert subjects == ["Über Ada", "Re: Über Ada", "Re: Über Ada", "Something else", "Re: Something else"]
	sent = [message.message["Message-ID"] for message in smtp.messages]
	assert len(set(sent)) == 5
	assert (first.message["In-Reply-To"], ids(first)) == (None, [])
	assert (second.message["In-Reply-To"], ids(second)) == (sent[0], sent[:1])
	assert (third.message["In-Reply-To"], ids(third)) == (sent[1], sent[:2])
	assert (fourth.message["In-Reply-To"], ids(fourth)) == (None, [])
	assert (fifth.message["In-Reply-To"], ids(fifth)) == (sent[3], sent[3:4])
	assert all(len(line) < 998 for line in third.raw.split(b"\r\n"))
	kept = frappe.get_all("Communication", {"reference_name": enrollment.name}, pluck="subject")
	assert sorted(kept) == sorted(subjects)


def test_thread_begins_anew_for_whom_the_e_mail_before_was_skipped_or_has_failed(site, clock, smtp):
	campaign = factories.make_active_campaign(
		clock,
		step(
			0,
			"First",
			conditions='{"tests": [{"kind": "field", "field": "first_name", "operator": "=", "value": "Ada"}]}',
		),
		step(1, "Second", **THREAD),
	)
	ada, bob, cid = (
		factories.make_contact(name, f"{name.lower()}@{DOMAIN}") for name in ("Ada", "Bob", "Cid")
	)
	for person in (ada, bob, cid):
		factories.enroll(campaign, person, clock)
	factories.run(clock)
	frappe.db.set_value("Drip Email", {"email_address": ADA}, "status", "Failed")
	frappe.db.commit()

	clock.advance(days=1)
	factories.run(clock)

	of = {message.recipient: message.message for message in smtp.messages}
	assert {str(message["Subject"]) for message in of.values()} == {"Second"}
	assert all(message["In-Reply-To"] is None for message in of.values())


def test_threads_of_a_batch_are_read_at_once_and_not_at_all_without_the_option(
	site, clock, smtp, monkeypatch
):
	campaign = factories.make_active_campaign(clock, step(0), step(1), step(2, **THREAD))
	for number in range(6):
		factories.enroll(campaign, factories.make_contact("", f"p{number}@{DOMAIN}"), clock)
	readings, read = [], Threads._load
	monkeypatch.setattr(Threads, "_load", lambda threads: readings.append(clock.now) or read(threads))

	for _day in range(3):
		factories.run(clock)
		clock.advance(days=1)

	assert len(smtp.messages) == 18
	assert len(readings) == 1


def test_variants_of_the_first_e_mail_are_each_answered_under_their_own_subject(site, clock, smtp):
	campaign = factories.make_active_campaign(
		clock,
		step(0, "Red", label="First", control_weight=1),
		step(1, "Unused", **THREAD),
		variants=[{"step_label": "First", "weight": 1, "subject": "Blue", "message": "<p>Blue</p>"}],
	)
	for number in range(12):
		factories.enroll(campaign, factories.make_contact("", f"v{number}@{DOMAIN}"), clock)
	for _day in range(2):
		factories.run(clock)
		clock.advance(days=1)

	for number in range(12):
		first, second = (str(message.message["Subject"]) for message in smtp.to(f"v{number}@{DOMAIN}"))
		assert first in ("Red", "Blue") and second == f"Re: {first}"


def test_two_steps_of_one_moment_answer_each_other_in_their_order(site, clock, smtp):
	campaign = factories.make_active_campaign(
		clock, step(0, "One"), step(0, "x", **THREAD), step(0, "y", **THREAD)
	)
	factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)

	factories.run(clock)
	clock.advance(days=1)
	factories.run(clock)

	first, second, third = sorted(smtp.messages, key=lambda message: len(ids(message)))
	assert ids(first) == []
	assert ids(second) == [first.message["Message-ID"]]
	assert ids(third) == [first.message["Message-ID"], second.message["Message-ID"]]


def test_missed_step_that_is_sent_by_hand_is_in_its_thread(site, clock, smtp):
	campaign = factories.make_active_campaign(
		clock, step(0, "First"), step(1, "x", **THREAD), step(9, "Last"), if_late="Keep Dates", grace_hours=1
	)
	factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	factories.run(clock)
	clock.advance(days=3)
	factories.run(clock)

	assert retry.send_missed(campaign.reload(), clock.now) == 1
	frappe.db.commit()
	delivery.deliver(clock)

	assert smtp.messages[-1].message["In-Reply-To"] == smtp.messages[0].message["Message-ID"]
	assert str(smtp.messages[-1].message["Subject"]) == "Re: First"


def test_preview_and_test_e_mail_show_the_subject_of_the_answer(site, clock, smtp):
	campaign = factories.make_campaign(
		step(0, "Hello {{ recipient.first_name }}"), step(1, "Unused", **THREAD), step(2, "Unused", **THREAD)
	)

	shown = [desk.preview_step(campaign.name, row.name)["subject"] for row in campaign.steps]

	desk.send_test(campaign.name, campaign.steps[2].name, f"me@{DOMAIN}")
	factories.flush_email_queue()

	assert shown == ["Hello Maria", "Re: Hello Maria", "Re: Hello Maria"]
	assert str(smtp.messages[-1].message["Subject"]) == "[Test] Re: Hello Maria"
