"""Campaigns whose owner may not run campaigns any more: held, said, taken over, and resumed."""

import frappe
import pytest

from drip_campaigns.api import desk
from drip_campaigns.jobs import daily
from tests import factories


@pytest.fixture
def manager(site):
	return factories.make_user("manager", "Drip Manager")


@pytest.fixture
def seller(site):
	user = factories.make_user("leaver", "Drip Manager")
	yield user
	frappe.db.rollback()
	frappe.set_user("Administrator")
	frappe.db.set_value("User", user, "enabled", 1)
	frappe.db.commit()


@pytest.fixture
def campaign(seller, clock):
	"""An active campaign of `seller` with one enrollment that is due."""
	document = factories.make_active_campaign(clock, sender="Administrator")
	factories.enroll(document, factories.make_contact(), clock)
	document.db_set("owner", seller)
	frappe.db.commit()
	return document


def lose_role(user: str) -> None:
	factories.make_user(user.partition("@")[0])


def disable(user: str) -> None:
	frappe.db.set_value("User", user, "enabled", 0)
	frappe.db.commit()


@pytest.mark.parametrize(
	("lose", "said"),
	[(lose_role, "may no longer run campaigns"), (disable, "is disabled")],
	ids=["role", "disabled"],
)
def test_dispatch_holds_a_campaign_whose_owner_lost_the_right(campaign, seller, smtp, clock, lose, said):
	lose(seller)

	factories.run(clock)

	assert smtp.messages == []
	assert campaign.reload().status == "Paused"
	assert campaign.pause_reason == (
		f"Its owner {seller} {said}. A Drip Manager can choose Take Over in the menu, and then Resume."
	)
	assert factories.count("Drip Enrollment", campaign=campaign.name, status="In Progress") == 1


def test_daily_job_holds_one_that_has_nothing_due(campaign, seller, clock):
	disable(seller)
	clock.advance(hours=-1)

	daily.run(clock.now, enqueue_delivery=False)

	assert campaign.reload().status == "Paused"


def test_managers_are_told(campaign, seller, manager, clock):
	frappe.db.delete("Notification Log", {"for_user": manager})
	disable(seller)

	factories.run(clock)
	for job in [job for queue in factories.get_queues() for job in queue.jobs]:
		if job.kwargs.get("site") == frappe.local.site and "notification" in str(job.kwargs.get("method")):
			frappe.call(job.kwargs["method"], **job.kwargs["kwargs"])

	subjects = frappe.get_all("Notification Log", filters={"for_user": manager}, pluck="subject")
	assert any(campaign.name in subject and "is disabled" in subject for subject in subjects)


def test_campaign_of_an_owner_in_order_goes_on(campaign, smtp, clock):
	factories.run(clock)

	assert len(smtp.messages) == 1
	assert campaign.reload().status == "Active"


def test_held_campaign_is_not_resumed_before_it_is_taken_over(campaign, seller, manager, smtp, clock):
	disable(seller)
	factories.run(clock)
	frappe.set_user(manager)

	with pytest.raises(frappe.ValidationError, match="is disabled. A Drip Manager can choose Take Over"):
		desk.resume_campaign(campaign.name)
	frappe.db.rollback()
	desk.take_over_campaign(campaign.name)
	desk.resume_campaign(campaign.name)
	frappe.set_user("Administrator")
	frappe.db.commit()

	assert (campaign.reload().status, campaign.owner) == ("Active", manager)


def test_only_managers_take_over(campaign):
	frappe.set_user(factories.make_user("user", "Drip User"))

	with pytest.raises(frappe.PermissionError):
		desk.take_over_campaign(campaign.name)
