"""Who an enrollment's emails are from: the campaign's rule, chosen once and kept."""

from collections import Counter

import frappe
import pytest

from drip_campaigns.enrollment.enroll import enroll_many
from tests import factories
from tests.factories import DOMAIN


@pytest.fixture
def sellers(site):
	return [factories.make_user(name, "Drip User") for name in ("ann", "ben", "cem")]


def make(clock, rule: str, *users: str, **fields):
	return factories.make_active_campaign(
		clock, sender_rule=rule, senders=[{"user": user} for user in users], **fields
	)


def enroll_all(campaign, contacts, clock) -> list[str]:
	for _result in enroll_many(campaign.name, "Contact", [c.name for c in contacts], clock.now):
		frappe.db.commit()
	return frappe.get_all("Drip Enrollment", filters={"campaign": campaign.name}, pluck="sender")


def test_round_robin_spreads_evenly_over_batches_and_single_enrollments(site, clock, sellers):
	campaign = make(clock, "Round Robin", *sellers)
	contacts = [factories.make_contact() for _ in range(9)]

	for contact in contacts[:2]:
		factories.enroll(campaign, contact, clock)
	senders = enroll_all(campaign, contacts, clock)

	assert Counter(senders) == {seller: 3 for seller in sellers}


def test_sender_stays_when_the_round_goes_on(site, smtp, clock, sellers):
	campaign = make(clock, "Round Robin", *sellers)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	first = enrollment.sender
	factories.enroll(campaign, factories.make_contact(), clock)

	for _ in range(3):
		factories.run(clock)
		clock.advance(days=2)

	to_first = smtp.to(enrollment.email_address)
	assert len(to_first) == 3
	assert enrollment.reload().sender == first


def test_disabled_user_is_passed_over(site, clock, sellers):
	campaign = make(clock, "Round Robin", *sellers)
	frappe.db.set_value("User", sellers[1], "enabled", 0)

	try:
		senders = enroll_all(campaign, [factories.make_contact() for _ in range(4)], clock)
	finally:
		frappe.db.set_value("User", sellers[1], "enabled", 1)
		frappe.db.commit()

	assert Counter(senders) == {sellers[0]: 2, sellers[2]: 2}


def test_records_owner_sends_and_the_campaigns_sender_stands_in_where_there_is_none(site, clock, sellers):
	campaign = make(clock, "Record's Owner", sender=sellers[0])
	cared_for, own = factories.make_contact("Cared For"), factories.make_contact("Own")
	cared_for.db_set("owner", sellers[1])

	one = factories.enroll(campaign, cared_for, clock)
	other = factories.enroll(campaign, own, clock)

	assert (one.sender, other.sender) == (sellers[1], sellers[0])


def test_who_is_named_by_hand_goes_before_the_rule(site, clock, sellers):
	campaign = make(clock, "Round Robin", *sellers[:2])

	enrollment = factories.enroll(campaign, factories.make_contact(), clock, sender=sellers[2])

	assert enrollment.sender == sellers[2]


def test_round_robin_without_users_cannot_be_saved(site):
	with pytest.raises(frappe.ValidationError, match="Choose them under Take Turns"):
		factories.make_campaign(sender_rule="Round Robin")


def test_senders_that_are_disabled_are_named(site, sellers):
	frappe.db.set_value("User", sellers[0], "enabled", 0)

	try:
		with pytest.raises(frappe.ValidationError) as caught:
			factories.make_campaign(sender_rule="Round Robin", senders=[{"user": sellers[0]}])
	finally:
		frappe.db.set_value("User", sellers[0], "enabled", 1)
		frappe.db.commit()

	assert f"Sender ann@{DOMAIN} is disabled or does not exist. Choose another user." in str(caught.value)


@pytest.mark.parametrize(
	("rule", "expected"), [("Round Robin", "ben"), ("Record's Owner", "cem"), ("One Person", "cem")]
)
def test_sender_who_was_disabled_since_is_replaced_by_the_rule_and_said(
	site, smtp, clock, sellers, rule, expected
):
	users = sellers[:2] if rule == "Round Robin" else []
	campaign = make(clock, rule, *users, sender=sellers[2])
	contact = factories.make_contact()
	contact.db_set("owner", sellers[0])
	enrollment = factories.enroll(campaign, contact, clock, sender=sellers[0])
	frappe.db.set_value("User", sellers[0], "enabled", 0)
	frappe.cache.delete_value(f"drip_campaigns:gone_sender:{campaign.name}:{sellers[0]}")

	try:
		factories.run(clock)
		clock.advance(days=2)
		factories.run(clock)
	finally:
		frappe.db.set_value("User", sellers[0], "enabled", 1)
		frappe.db.commit()

	[first, second] = smtp.to(enrollment.email_address)
	assert enrollment.reload().sender == f"{expected}@{DOMAIN}"
	assert [mail.message["From"] for mail in (first, second)] == [
		f"{expected.title()} <{expected}@{DOMAIN}>"
	] * 2
	comments = frappe.get_all("Comment", filters={"reference_name": campaign.name}, pluck="content")
	assert [text for text in comments if sellers[0] in text] == [
		f"{sellers[0]}, a sender of campaign {campaign.name}, is disabled or deleted. "
		"The campaign's sender rule chose another sender."
	]
