"""What only claims to come from a recipient: shown to the owner, and it ends nothing."""

import json

import frappe
import pytest

from drip_campaigns.rendering.links import Links
from tests import factories
from tests.factories import EMAIL_ACCOUNT, SENDER, step
from tests.integration.test_feedback import (  # noqa: F401
	THEIRS,
	answer,
	bounce,
	clock,
	complaint,
	events_of,
	mail_of,
	make_communication,
	no_strangers,
	receive,
	send_to,
	suppression_of,
)
from tests.trigger_steps import make_campaign, trigger
from tests.web import Browser

PASSWORD = "an old horse battery"

pytestmark = [pytest.mark.campaign(step(0), step(2)), pytest.mark.usefixtures("no_strangers")]


@pytest.fixture
def asked(campaign):
	"""A function that returns what the owner of the campaign was notified about."""
	frappe.cache.delete_keys("drip_campaigns:unproven:")
	owner = factories.make_user("asked", "Drip Manager", "System Manager")
	frappe.db.set_value("Drip Campaign", campaign.name, "owner", owner)
	frappe.db.commit()
	yield lambda: [line for line in factories.notifications_of(owner) if campaign.name in line]
	frappe.db.delete("Notification Log", {"for_user": owner})
	frappe.db.commit()
	frappe.cache.delete_keys("drip_campaigns:unproven:")


@pytest.fixture
def portal_user(site):
	"""A user of the website, without a role, who can sign in."""
	user = factories.make_user("portal")
	doc = frappe.get_doc("User", user)
	doc.user_type = "Website User"
	doc.new_password = PASSWORD
	doc.save()
	frappe.db.commit()
	return user


def test_answer_by_address_alone_is_shown_to_the_owner_and_ends_nothing(campaign, clock, asked):  # noqa: F811
	ada = send_to(campaign, clock)

	for _twice in range(2):
		received = receive(answer(mail_of(ada), "Yes, please", In_Reply_To="", Subject="A question"))

	assert ada.reload().status == "In Progress"
	assert events_of(ada, "Replied", "Exited") == []
	assert [text for _kind, text in events_of(ada, "Feedback")] == ["By address alone: A question"] * 2
	assert frappe.db.get_value("Communication", received.name, "reference_name") == ada.name
	[notice] = asked()
	assert "anyone can have sent it" in notice


def test_wish_to_leave_by_address_alone_pauses_and_asks_the_owner(campaign, clock, asked, smtp):  # noqa: F811
	ada = send_to(campaign, clock)

	receive(answer(mail_of(ada), "unsubscribe", In_Reply_To=""))
	clock.advance(days=9)
	factories.run(clock)

	assert ada.reload().status == "Paused"
	assert suppression_of(ada.email_address) is None
	assert not frappe.db.exists("Email Unsubscribe", {"email": ada.email_address})
	assert len(smtp.to(ada.email_address)) == 1
	[notice] = asked()
	assert "asks to unsubscribe" in notice


def test_absence_by_address_alone_pauses_nothing(campaign, clock, asked):  # noqa: F811
	ada = send_to(campaign, clock)
	text = "I am out of the office and will be back on 2099-01-05."

	receive(answer(mail_of(ada), text, In_Reply_To="", Auto_Submitted="auto-replied"))

	assert ada.reload().status == "In Progress"
	assert asked() == []


@pytest.mark.parametrize("raw", ["answer", "bounce", "complaint"])
def test_communication_that_nobody_received_changes_nothing_whatever_it_carries(campaign, clock, raw):  # noqa: F811
	ada = send_to(campaign, clock)
	mail = mail_of(ada)
	text = {
		"answer": answer(mail, "unsubscribe"),
		"bounce": bounce((ada.email_address, "failed", "5.1.1"), original=mail.message_id),
		"complaint": complaint(mail, ada.email_address),
	}[raw]

	make_communication(ada, drip_raw_message=text, flags={"in_receive": 1}).insert()
	make_communication(ada, drip_raw_message=text.decode("latin-1")).insert()

	assert ada.reload().status == "In Progress"
	assert suppression_of(ada.email_address) is None
	assert events_of(ada, "Replied", "Bounced", "Complained", "Unsubscribed", "Feedback") == []


def test_portal_user_ends_no_enrollment_and_fires_no_trigger(campaign, clock, portal_user, web):  # noqa: F811
	ada = send_to(campaign, clock)
	target = make_campaign(clock, trigger("Email Received", email_account=EMAIL_ACCOUNT))
	browser = Browser(web).sign_in(portal_user, PASSWORD)
	claims = {
		"sender": ada.email_address,
		"recipients": SENDER,
		"subject": "Re: Day 0",
		"content": "unsubscribe",
		"sent_or_received": "Received",
		"communication_medium": "Email",
		"in_reply_to": mail_of(ada).communication,
	}
	document = {
		**claims,
		"doctype": "Communication",
		"email_account": EMAIL_ACCOUNT,
		"flags": {"in_receive": 1},
		"drip_raw_message": answer(mail_of(ada), "unsubscribe").decode(),
	}

	statuses = [
		browser.post("/api/method/frappe.core.doctype.communication.email.make", claims).status,
		browser.post("/api/method/frappe.client.insert", {"doc": json.dumps(document)}).status,
		browser.post("/api/resource/Communication", document, as_json=True).status,
	]

	frappe.db.rollback()
	assert 200 in statuses or set(statuses) <= {403}, statuses
	assert ada.reload().status == "In Progress"
	assert events_of(ada, "Replied", "Unsubscribed", "Feedback", "Paused") == []
	assert factories.count("Drip Trigger Firing", campaign=target.name) == 0


def test_token_of_a_link_unsubscribes_however_it_arrives(campaign, clock):  # noqa: F811
	ada = send_to(campaign, clock)
	token = Links().unsubscribe(ada.name).rpartition("/")[2]

	make_communication(ada).update({"subject": f"unsubscribe {token}"}).insert()

	assert ada.reload().status == "Unsubscribed"
