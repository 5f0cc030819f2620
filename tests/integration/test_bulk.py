"""Enrolling many at once: the same rules as one by one, in a handful of statements."""

import frappe

from drip_campaigns.enrollment.bulk import BulkResult, enroll_many
from tests import factories
from tests.factories import DOMAIN


def bulk(campaign, records, clock, **options) -> BulkResult:
	total = BulkResult()
	for result in enroll_many(campaign.name, "Contact", [r.name for r in records], clock.now, **options):
		total.add(result)
		frappe.db.commit()
	return total


def test_many_are_enrolled_and_get_their_first_step(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	contacts = [factories.make_contact() for _ in range(5)]

	result = bulk(campaign, contacts, clock, batch_size=2)
	factories.run(clock)

	assert result.enrolled == 5
	assert len(smtp.messages) == 5
	assert factories.count("Drip Event", event_type="Enrolled") == 5


def test_who_cannot_be_enrolled_is_counted_by_reason_and_stops_nobody(site, clock):
	campaign = factories.make_active_campaign(clock)
	fine, twin = (
		factories.make_contact("Fine", f"same@{DOMAIN}"),
		factories.make_contact("Twin", f"SAME@{DOMAIN}"),
	)
	nobody = factories.make_contact("Nobody", None)
	flagged = factories.make_contact("Flagged", unsubscribed=1)

	result = bulk(campaign, [fine, twin, nobody, flagged], clock)

	assert result.enrolled == 1
	assert dict(result.refused) == {
		"Another record with the same address is on the campaign": 1,
		"No valid e-mail address": 1,
		"Is marked as unsubscribed": 1,
	}


def test_running_it_again_enrolls_only_those_who_are_not_on_it_yet(site, clock):
	campaign = factories.make_active_campaign(clock)
	contacts = [factories.make_contact() for _ in range(3)]
	bulk(campaign, contacts[:2], clock)

	result = bulk(campaign, contacts, clock)

	assert result.enrolled == 1
	assert result.refused["Is on the campaign already"] == 2
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 3


def test_one_by_one_and_in_bulk_make_the_same_enrollment(site, clock):
	campaign = factories.make_active_campaign(clock)
	single = factories.enroll(campaign, factories.make_contact("Same Name", f"one@{DOMAIN}"), clock)
	other = factories.make_contact("Same Name", f"two@{DOMAIN}")

	bulk(campaign, [other], clock)

	[made] = frappe.get_all("Drip Enrollment", filters={"recipient": other.name}, pluck="name")
	left, right = single.as_dict(), frappe.get_doc("Drip Enrollment", made).as_dict()
	own = {"name", "recipient", "email_address", "live_recipient", "live_address"}
	stamps = {"creation", "modified"}
	assert {key: left.get(key) or None for key in left if key not in own | stamps} == {
		key: right.get(key) or None for key in left if key not in own | stamps
	}
