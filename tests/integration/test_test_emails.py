"""Send Test: to whom, in whose name, how often, and how it leaves."""

import frappe
import pytest
from frappe.utils.background_jobs import get_queues

from drip_campaigns.api import desk
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.jobs import send_test_email
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN, TEST_ADDRESS

STRANGER = f"nobody-we-know@{DOMAIN}"


@pytest.fixture
def owner(site) -> str:
	"""A Drip User, as whom the test runs."""
	user = factories.make_user("owner", "Drip User")
	frappe.set_user(user)
	yield user
	frappe.db.rollback()
	frappe.set_user("Administrator")


@pytest.fixture
def campaign(owner):
	"""A draft of the Drip User."""
	return factories.make_campaign(factories.step(0))


def send(campaign, address: str) -> None:
	"""Send the first step as a test."""
	desk.send_test(campaign.name, campaign.steps[0].name, address)


def receivers() -> list[str]:
	"""Return to whom the tests in the queue are."""
	names = frappe.get_all("Email Queue", filters={"reference_doctype": "Drip Campaign"}, pluck="name")
	return frappe.get_all("Email Queue Recipient", filters={"parent": ["in", names]}, pluck="recipient")


def test_test_goes_to_oneself_a_colleague_and_an_allowed_address(owner, campaign):
	frappe.set_user("Administrator")
	colleague = factories.make_user("colleague", "Sales User")
	frappe.set_user(owner)

	for address in (owner, colleague, TEST_ADDRESS.upper()):
		send(campaign, address)

	assert sorted(receivers()) == sorted([owner, colleague, TEST_ADDRESS.upper()])


def test_test_goes_to_no_stranger(campaign):
	with pytest.raises(frappe.ValidationError) as caught:
		send(campaign, STRANGER)

	assert "Tests go only to users of Desk and to Test Addresses." in str(caught.value)
	assert STRANGER in str(caught.value)
	assert receivers() == []


@pytest.mark.parametrize(
	"values", [{"enabled": 0}, {"user_type": "Website User"}], ids=["disabled", "portal"]
)
def test_test_goes_to_no_disabled_user_and_no_customer_of_the_portal(owner, campaign, values):
	frappe.set_user("Administrator")
	former = factories.make_user("former", "Sales User")
	frappe.db.set_value("User", former, values)
	frappe.set_user(owner)
	try:
		with pytest.raises(frappe.ValidationError, match="Tests go only to"):
			send(campaign, former)
	finally:
		frappe.db.rollback()
		frappe.db.set_value("User", former, {"enabled": 1, "user_type": "System User"})
		frappe.db.commit()


@pytest.mark.parametrize("address", [TEST_ADDRESS, f"owner@{DOMAIN}"])
@pytest.mark.parametrize("role", ["Drip User", "Drip Manager"])
def test_test_goes_to_no_suppressed_address(owner, campaign, address, role):
	frappe.set_user("Administrator")
	suppress(address, SuppressionReason.OPTED_OUT, utc_now(), source="test")
	factories.make_user("owner", role)
	frappe.set_user(owner)

	with pytest.raises(frappe.ValidationError) as caught:
		send(campaign, address)

	assert f"{address} has opted out of all marketing email, and gets no tests either." in str(caught.value)
	assert receivers() == []


def test_test_is_in_no_name_that_the_user_may_not_use(owner):
	frappe.set_user("Administrator")
	boss = factories.make_user("boss", "Drip User")
	campaign = factories.make_campaign(sender=boss)
	frappe.share.add("Drip Campaign", campaign.name, owner, read=1, write=1)
	frappe.set_user(owner)

	with pytest.raises(frappe.ValidationError) as caught:
		send(campaign, owner)

	assert f"{owner} may not send as {boss}." in str(caught.value)
	assert receivers() == []


def test_tests_are_limited_by_user_and_not_by_what_a_proxy_says(owner, campaign, monkeypatch):
	monkeypatch.setattr(desk, "TESTS_AN_HOUR", 2)
	for number in range(2):
		frappe.local.request_ip = f"192.0.2.{number}"
		send(campaign, owner)

	frappe.local.request_ip = "192.0.2.9"
	with pytest.raises(frappe.ValidationError, match="You sent 2 tests within an hour. Wait an hour"):
		send(campaign, owner)
	assert len(receivers()) == 2

	frappe.set_user("Administrator")
	send(campaign, owner)
	assert len(receivers()) == 3


def test_addresses_that_are_refused_count_as_well(owner, campaign, monkeypatch):
	monkeypatch.setattr(desk, "TESTS_AN_HOUR", 1)
	with pytest.raises(frappe.ValidationError, match="Tests go only to"):
		send(campaign, STRANGER)

	with pytest.raises(frappe.ValidationError, match="Wait an hour"):
		send(campaign, owner)


def test_test_of_a_drip_user_leaves_and_no_error_is_logged(owner, campaign, smtp):
	frappe.db.delete("Error Log")
	send(campaign, owner)
	frappe.db.commit()

	run_test_job()

	[received] = smtp.messages
	assert (received.recipient, received.message["Subject"]) == (owner, "[Test] Day 0")
	assert owner in received.message["From"]
	assert factories.count("Error Log") == 0


def test_test_that_cannot_be_sent_is_logged_without_the_values_of_variables(owner, campaign):
	send(campaign, owner)
	frappe.db.delete("Error Log")
	frappe.db.delete("Email Queue")

	send_test_email.send("gone")

	[log] = frappe.get_all("Error Log", fields=["method", "error"])
	assert log.method == "Drip Campaigns: a test email could not be sent"
	assert "DoesNotExistError" in log.error
	assert "Locals" not in log.error and "queue_name =" not in log.error


def run_test_job() -> None:
	"""Run the job that Send Test enqueued, as its worker does: with the rights of the user who asked."""
	for queue in get_queues():
		for job in queue.jobs:
			if job.kwargs.get("site") == frappe.local.site and "send_test_email" in str(job.kwargs["method"]):
				assert job.kwargs["user"] == frappe.session.user
				frappe.get_attr(job.kwargs["method"])(**job.kwargs["kwargs"])
				job.delete()
				return
	pytest.fail("no job was enqueued")
