"""In whose name a user may send: their own, and those that Drip Settings allow; a Drip Manager in any."""

import json

import frappe
import pytest
from frappe.desk.doctype.bulk_update.bulk_update import submit_cancel_or_update_docs

from drip_campaigns.api import desk
from drip_campaigns.rendering.sender_rights import may_send_as
from tests import factories
from tests.factories import DOMAIN

BOSS = f"boss@{DOMAIN}"


@pytest.fixture
def people(site) -> dict[str, str]:
	"""A Drip Manager, and three Drip Users; nobody is a System Manager."""
	return {
		"manager": factories.make_user("manager", "Drip Manager", "Sales User"),
		"owner": factories.make_user("owner", "Drip User", "Sales User"),
		"other": factories.make_user("other", "Drip User", "Sales User"),
		"boss": factories.make_user("boss", "Drip User", "Sales User"),
	}


@pytest.fixture
def as_user():
	"""Act as a user for the rest of the test."""
	yield frappe.set_user
	frappe.db.rollback()
	frappe.set_user("Administrator")


def allow(**row: str) -> None:
	"""Add a row to Allowed Senders, as Administrator."""
	user = frappe.session.user
	frappe.set_user("Administrator")
	settings = frappe.get_doc("Drip Settings")
	settings.append("allowed_senders", row)
	settings.save()
	frappe.db.commit()
	frappe.set_user(user)


def make_running(owner: str, clock, **fields):
	"""Make an active campaign of `owner`, with one enrollment that is due."""
	frappe.set_user(owner)
	campaign = factories.make_campaign(**fields)
	frappe.set_user("Administrator")
	desk.activate_campaign(campaign.name)
	frappe.set_user(owner)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	frappe.set_user("Administrator")
	return campaign.reload(), enrollment


@pytest.mark.parametrize(
	("user", "sender", "allowed"),
	[
		("owner", "owner", True),
		("owner", "", True),
		("owner", "boss", False),
		("owner", "Administrator", False),
		("manager", "boss", True),
		("manager", "Administrator", True),
	],
)
def test_everyone_sends_as_themselves_and_a_manager_as_anyone(people, user, sender, allowed):
	assert may_send_as(people[user], people.get(sender, sender)) is allowed


def test_settings_allow_a_user_for_everyone(people):
	allow(user=people["boss"])

	assert may_send_as(people["owner"], people["boss"])
	assert not may_send_as(people["owner"], people["other"])


def test_settings_allow_an_email_account_with_the_users_of_its_address(people):
	factories.make_user("sales", "Drip User")
	allow(email_account=factories.EMAIL_ACCOUNT)

	assert may_send_as(people["owner"], factories.SENDER)
	assert may_send_as(people["owner"], "Administrator"), "the default account"
	assert not may_send_as(people["owner"], people["boss"])


@pytest.mark.parametrize(
	"values",
	[{"sender": BOSS}, {"sender_rule": "Round Robin", "senders": [{"user": BOSS}]}],
	ids=["one person", "in turn"],
)
def test_user_saves_no_campaign_with_a_sender_who_is_not_allowed(people, as_user, values):
	as_user(people["owner"])

	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(**values)

	assert f"{people['owner']} may not send as {BOSS}." in str(caught.value)
	assert "Allowed Senders in Drip Settings" in str(caught.value)


def test_user_with_a_shared_campaign_of_a_manager_does_not_send_as_others(people, as_user):
	as_user(people["manager"])
	campaign = factories.make_campaign()
	frappe.share.add("Drip Campaign", campaign.name, people["owner"], read=1, write=1)
	as_user(people["owner"])

	with pytest.raises(frappe.ValidationError, match="may not send as"):
		campaign.reload().update({"sender": BOSS}).save()


def test_manager_names_no_sender_whom_the_owner_may_not_use(people, as_user):
	as_user(people["owner"])
	campaign = factories.make_campaign()
	as_user(people["manager"])

	with pytest.raises(frappe.ValidationError) as caught:
		campaign.reload().update({"sender": BOSS}).save()

	assert f"{people['owner']} may not send as {BOSS}." in str(caught.value)


def test_campaign_is_paused_when_its_owner_loses_the_right(people, clock, smtp):
	campaign, _enrollment = make_running(people["manager"], clock, sender=BOSS)
	factories.make_user("manager", "Drip User", "Sales User")

	factories.run(clock)

	assert smtp.messages == []
	assert campaign.reload().status == "Paused"
	assert campaign.pause_reason.startswith(f"{people['manager']} may not send as {BOSS}.")


def test_campaign_that_sends_in_turn_is_paused_as_well(people, clock, smtp):
	rule = {"sender_rule": "Round Robin", "senders": [{"user": people["manager"]}, {"user": BOSS}]}
	campaign, _enrollment = make_running(people["manager"], clock, **rule)
	factories.make_user("manager", "Drip User", "Sales User")

	factories.run(clock)

	assert (smtp.messages, campaign.reload().status) == ([], "Paused")


def test_enrollment_keeps_no_sender_whom_nobody_may_use_any_longer(people, clock, smtp):
	campaign, enrollment = make_running(people["manager"], clock)
	enrollment.db_set("sender", BOSS)
	factories.make_user("manager", "Drip User", "Sales User")

	factories.run(clock)

	[mail] = smtp.messages
	assert people["manager"] in mail.message["From"]
	assert enrollment.reload().sender == people["manager"]
	assert campaign.reload().status == "Active"


def test_owner_of_a_record_sends_only_if_the_campaigns_owner_may_send_as_them(people, clock, as_user):
	as_user(people["owner"])
	campaign = factories.make_campaign(sender_rule="Record's Owner")
	as_user("Administrator")
	desk.activate_campaign(campaign.name)
	contact, later = factories.make_contact(owner=BOSS), factories.make_contact(owner=BOSS)
	for record in (contact, later):
		record.db_set("owner", BOSS)
	as_user(people["owner"])

	first = factories.enroll(campaign, contact, clock)
	allow(user=BOSS)
	second = factories.enroll(campaign, later, clock)

	assert (first.sender, second.sender) == (people["owner"], BOSS)


def test_user_enrolls_nobody_in_the_name_of_another(people, clock, as_user):
	campaign, _enrollment = make_running(people["owner"], clock)
	contact = factories.make_contact()
	frappe.db.commit()
	as_user(people["other"])

	with pytest.raises(frappe.ValidationError, match="may not send as"):
		frappe.get_doc(
			doctype="Drip Enrollment",
			campaign=campaign.name,
			recipient_type="Contact",
			recipient=contact.name,
			sender=BOSS,
		).insert()
	with pytest.raises(frappe.ValidationError, match="may not send as"):
		frappe.get_doc(
			doctype="Drip Bulk Enrollment",
			campaign=campaign.name,
			recipient_type="Contact",
			recipient_filters=json.dumps([["name", "=", contact.name]]),
			sender=BOSS,
		).insert()

	assert factories.count("Drip Enrollment", recipient=contact.name) == 0


def test_sender_of_an_enrollment_needs_the_right_on_its_campaign(people, clock, as_user):
	_campaign, enrollment = make_running(people["owner"], clock)
	as_user(people["other"])

	with pytest.raises(frappe.PermissionError):
		enrollment.reload().update({"sender": people["other"]}).save()
	submit_cancel_or_update_docs(
		"Drip Enrollment", [enrollment.name], "update", json.dumps({"sender": people["other"]})
	)

	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "sender") == people["owner"]


def test_owner_of_the_campaign_names_no_sender_they_may_not_use(people, clock, as_user):
	_campaign, enrollment = make_running(people["owner"], clock)
	as_user(people["owner"])

	with pytest.raises(frappe.ValidationError, match="may not send as"):
		enrollment.reload().update({"sender": BOSS}).save()

	allow(user=BOSS)
	enrollment.reload().update({"sender": BOSS}).save()
	assert enrollment.reload().sender == BOSS


def test_manager_moves_enrollments_to_a_sender_of_their_own_campaign(people, clock, as_user):
	_campaign, enrollment = make_running(people["manager"], clock)
	as_user(people["manager"])

	enrollment.reload().update({"sender": BOSS}).save()

	assert enrollment.reload().sender == BOSS
