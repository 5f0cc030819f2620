"""A pause that a recipient asks for: everything of the address rests, and goes on by itself where it stopped."""

from datetime import timedelta

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.model import UnsubscribeScope
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.pause import end_address_pause, pause_address
from drip_campaigns.enrollment.unsubscribe import find_link_holder, resubscribe, unsubscribe_holder
from drip_campaigns.enrollment.verbs import EnrollmentVerb, VerbRequest, apply_verb
from drip_campaigns.jobs import daily, dispatch_due
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.people.preferences import load_preference, save_preference
from drip_campaigns.site.clock import from_site, to_site
from tests import factories, verbs
from tests.factories import DOMAIN

ADA = f"ada@{DOMAIN}"
FIELDS = ["status", "paused_until", "next_send_at"]


@pytest.fixture
def enrollment(campaign, smtp, clock):
	"""Ada, one day after the first email."""
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	factories.run(clock)
	clock.advance(days=1)
	return enrollment


def rest(clock, days: int) -> None:
	"""Let Ada ask for a pause."""
	pause_address(ADA, clock.now + timedelta(days=days), clock.now)
	frappe.db.commit()


def pass_days(clock, days: int) -> None:
	"""Let so many days go by, with a dispatch on each."""
	for _ in range(days):
		clock.advance(days=1)
		factories.run(clock)


def subjects(smtp) -> list[str]:
	return [message.message["Subject"] for message in smtp.messages]


def status_of(enrollment) -> str:
	return frappe.db.get_value("Drip Enrollment", enrollment.name, "status")


def test_nothing_is_sent_during_the_pause_and_the_rest_of_the_delay_is_kept(enrollment, smtp, clock):
	rest(clock, 30)
	pass_days(clock, 29)
	assert (status_of(enrollment), subjects(smtp)) == ("Paused", ["Day 0"])

	pass_days(clock, 1)
	assert (status_of(enrollment), subjects(smtp)) == ("In Progress", ["Day 0"])
	pass_days(clock, 1)
	assert subjects(smtp) == ["Day 0", "Day 2"]
	pass_days(clock, 2)
	assert subjects(smtp) == ["Day 0", "Day 2", "Day 4"]
	assert status_of(enrollment) == "Completed"


def test_what_is_queued_waits_too_and_leaves_after_the_pause(enrollment, smtp, clock):
	clock.advance(days=1)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	rest(clock, 30)
	delivery.deliver(clock)
	assert subjects(smtp) == ["Day 0"]

	pass_days(clock, 31)

	assert subjects(smtp)[:2] == ["Day 0", "Day 2"]


def test_who_is_enrolled_during_the_pause_waits_one_by_one_and_in_bulk(enrollment, smtp, clock):
	rest(clock, 30)
	ada = frappe.get_doc("Contact", enrollment.recipient)
	single = factories.enroll(factories.make_active_campaign(clock), ada, clock)
	other = factories.make_active_campaign(clock)
	list(enroll_many(other.name, "Contact", [ada.name], clock.now))
	frappe.db.commit()

	pass_days(clock, 29)
	assert subjects(smtp) == ["Day 0"]
	assert single.status == "Paused"
	assert frappe.db.get_value("Drip Enrollment", {"campaign": other.name}, FIELDS[0]) == "Paused"

	pass_days(clock, 2)
	assert subjects(smtp).count("Day 0") == 3


def test_all_records_of_an_address_rest_and_nobody_else(enrollment, smtp, clock):
	twins = [factories.make_contact(f"Twin {n}", f"ADA@{DOMAIN}") for n in range(3)]
	others = [factories.enroll(factories.make_active_campaign(clock), twin, clock) for twin in twins]
	bob = factories.enroll(factories.make_active_campaign(clock), factories.make_contact("Bob"), clock)

	rest(clock, 90)

	assert {status_of(each) for each in (enrollment, *others)} == {"Paused"}
	assert status_of(bob) == "In Progress"


def test_recipient_ends_the_pause_before_its_time(enrollment, smtp, clock):
	rest(clock, 90)
	pass_days(clock, 10)

	end_address_pause(ADA, clock.now)
	frappe.db.commit()
	pass_days(clock, 1)

	assert subjects(smtp) == ["Day 0"]
	assert load_preference(ADA).paused_until is None
	pass_days(clock, 1)
	assert subjects(smtp) == ["Day 0", "Day 2"]


def test_asking_again_moves_the_day(enrollment, smtp, clock):
	rest(clock, 30)
	rest(clock, 90)

	pass_days(clock, 60)

	assert (status_of(enrollment), subjects(smtp)) == ("Paused", ["Day 0"])


def test_end_date_moves_with_the_pause_and_with_its_end(enrollment, campaign, smtp, clock):
	ends = [enrollment.end_date]
	for days in (30, 90):
		rest(clock, days)
		ends.append(enrollment.reload().end_date)
	clock.advance(days=10)
	daily.run(clock.now, enqueue_delivery=False)
	ends.append(enrollment.reload().end_date)
	end_address_pause(ADA, clock.now)
	ends.append(enrollment.reload().end_date)

	assert [str(end) for end in ends] == [
		"2026-03-06",
		"2026-04-05",
		"2026-06-04",
		"2026-06-04",
		"2026-03-16",
	]


def test_end_date_of_one_that_a_user_pauses_moves_on_day_by_day(enrollment, clock):
	verbs.pause(enrollment, clock.now)
	clock.advance(days=10)

	daily.run(clock.now, enqueue_delivery=False)

	assert str(enrollment.reload().end_date) == "2026-03-16"


def test_end_date_of_who_is_enrolled_during_the_pause_lies_after_it(enrollment, smtp, clock):
	rest(clock, 30)
	ada, campaigns = (
		frappe.get_doc("Contact", enrollment.recipient),
		[factories.make_active_campaign(clock) for _ in "ab"],
	)
	factories.enroll(campaigns[0], ada, clock)
	list(enroll_many(campaigns[1].name, "Contact", [ada.name], clock.now))

	filters = {"campaign": ["in", [campaign.name for campaign in campaigns]]}
	ends = frappe.get_all("Drip Enrollment", filters=filters, pluck="end_date")

	assert [str(end) for end in ends] == ["2026-04-06"] * 2


@pytest.mark.parametrize("by_user", [True, False], ids=["paused by a user", "by the recipient"])
def test_who_leaves_during_a_pause_and_comes_back_is_paused_as_before(enrollment, smtp, clock, by_user):
	if by_user:
		verbs.pause(enrollment, clock.now)
	else:
		rest(clock, 30)
	enrollment.reload()
	kept = ["status", "paused_at", "paused_until", "next_send_at", "live_address", "end_date"]
	before = [enrollment.get(field) for field in kept]
	leaver = find_link_holder(enrollment.name)

	for scope in UnsubscribeScope:
		unsubscribe_holder(leaver, scope, clock.now)
		assert status_of(enrollment) == "Unsubscribed"
		resubscribe(leaver, scope, clock.now)

		enrollment.reload()
		assert [enrollment.get(field) for field in kept] == before
	verbs.resume(enrollment, clock.now) if by_user else end_address_pause(ADA, clock.now)
	pass_days(clock, 5)
	assert subjects(smtp) == ["Day 0", "Day 2", "Day 4"]


def test_pause_of_a_user_is_not_ended_by_the_recipients(enrollment, smtp, clock):
	verbs.pause(enrollment, clock.now)
	frappe.db.commit()

	rest(clock, 30)
	pass_days(clock, 40)

	assert status_of(enrollment) == "Paused"


@pytest.mark.parametrize("first", ["user", "recipient"])
@pytest.mark.parametrize(("by_user", "by_recipient"), [(40, 30), (10, 30)])
@pytest.mark.parametrize("in_bulk", [False, True], ids=["one by one", "in bulk"])
def test_pause_of_a_user_and_one_of_the_recipient_stand_side_by_side(
	enrollment, smtp, clock, first, by_user, by_recipient, in_bulk
):
	day = {who: clock.now + timedelta(days=n) for who, n in (("user", by_user), ("recipient", by_recipient))}

	def pause_by_user() -> None:
		if in_bulk:
			assert (
				apply_verb(
					[enrollment.name], VerbRequest(EnrollmentVerb.PAUSE, until=day["user"]), clock.now
				).done
				== 1
			)
		else:
			verbs.pause(enrollment.reload(), clock.now, until=day["user"])

	turns = [pause_by_user, lambda: rest(clock, by_recipient)]
	for pause in turns if first == "user" else reversed(turns):
		pause()
	assert ends_on(enrollment) == max(day.values())

	end_address_pause(ADA, clock.now)
	assert ends_on(enrollment) == day["user"]
	rest(clock, by_recipient)
	verbs.resume(enrollment.reload(), clock.now)
	assert ends_on(enrollment) == day["recipient"]
	with pytest.raises(Exception, match="Ada has asked for no email until"):
		verbs.resume(enrollment.reload(), clock.now)
	pass_days(clock, by_recipient + 1)
	assert (status_of(enrollment), subjects(smtp)) == ("In Progress", ["Day 0", "Day 2"])


def test_pause_of_a_user_without_a_day_leaves_the_recipients_when_it_is_ended(enrollment, smtp, clock):
	verbs.pause(enrollment, clock.now)
	rest(clock, 30)

	verbs.resume(enrollment.reload(), clock.now)

	assert (status_of(enrollment), ends_on(enrollment)) == ("Paused", clock.now + timedelta(days=30))
	pass_days(clock, 31)
	assert subjects(smtp) == ["Day 0", "Day 2"]


def ends_on(enrollment):
	"""Return when the pause of an enrollment ends."""
	return from_site(frappe.db.get_value("Drip Enrollment", enrollment.name, "paused_until"))


def test_user_does_not_end_the_recipients_pause(enrollment, clock):
	rest(clock, 30)
	enrollment.reload()

	with pytest.raises(Exception) as caught:
		verbs.resume(enrollment, clock.now)

	assert "Ada has asked for no email until" in str(caught.value)


def test_who_comes_back_to_a_campaign_during_the_pause_waits(enrollment, smtp, clock):
	verbs.remove(enrollment, clock.now)
	rest(clock, 30)

	again = factories.enroll(
		frappe.get_doc("Drip Campaign", enrollment.campaign),
		frappe.get_doc("Contact", enrollment.recipient),
		clock,
	)
	assert (again.name, again.status) == (enrollment.name, "Paused")

	pass_days(clock, 32)
	assert subjects(smtp) == ["Day 0", "Day 2"]


def test_address_that_a_record_has_taken_over_rests_when_its_next_step_is_due(enrollment, smtp, clock):
	save_preference(f"lovelace@{DOMAIN}", paused_until=to_site(clock.now + timedelta(days=30)))
	contact = frappe.get_doc("Contact", enrollment.recipient)
	contact.email_ids[0].email_id = f"lovelace@{DOMAIN}"
	contact.save()
	frappe.db.commit()

	pass_days(clock, 3)
	assert (status_of(enrollment), subjects(smtp)) == ("Paused", ["Day 0"])

	pass_days(clock, 30)
	assert subjects(smtp)[:2] == ["Day 0", "Day 2"]


def test_pause_that_ends_while_the_campaign_stands_still_counts_once(enrollment, campaign, smtp, clock):
	rest(clock, 30)
	clock.advance(days=20)
	lifecycle.pause(campaign.reload(), clock.now)
	frappe.db.commit()
	pass_days(clock, 20)
	assert status_of(enrollment) == "Paused"

	lifecycle.activate(campaign.reload(), clock.now)
	frappe.db.commit()
	factories.run(clock)
	assert subjects(smtp) == ["Day 0"]
	pass_days(clock, 1)

	assert subjects(smtp) == ["Day 0", "Day 2"]


def test_enrollment_that_cannot_be_reckoned_stays_paused_and_stops_nobody_else(campaign, smtp, clock):
	bad, good = (
		factories.enroll(campaign, factories.make_contact(name, address), clock)
		for name, address in (("Ada", ADA), ("Bob", f"bob@{DOMAIN}"))
	)
	for address in (ADA, f"bob@{DOMAIN}"):
		pause_address(address, clock.now + timedelta(days=1), clock.now)
	bad.db_set("time_zone", "Nowhere/At All")
	frappe.db.commit()

	pass_days(clock, 2)

	assert status_of(bad) == "Paused"
	assert "Nowhere/At All" in frappe.db.get_value("Drip Enrollment", bad.name, "last_error")
	assert [message.recipient for message in smtp.messages] == [f"bob@{DOMAIN}"]


def test_language_and_time_zone_that_a_person_asked_for_go_before_the_records(site, clock):
	save_preference(ADA, time_zone="America/New_York", preferred_language="de")
	campaign = factories.make_active_campaign(clock)

	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)

	assert enrollment.time_zone == "America/New_York"


def test_who_asks_for_a_pause_has_said_nothing_of_the_language(enrollment, clock):
	"""Frappe fills a Link field of a new record with the site's default of the same name: `language` is one."""
	rest(clock, 30)

	assert load_preference(ADA).language == ""


def test_unknown_time_zone_is_refused(site):
	with pytest.raises(frappe.ValidationError) as caught:
		frappe.get_doc(
			doctype="Drip Recipient Preference", email_address=ADA, time_zone="Nowhere/At All"
		).insert()

	assert "Choose one from the list" in str(caught.value)


def test_preferences_of_one_address_are_one_record_however_it_is_spelled(site):
	save_preference(ADA, preferred_language="de")
	save_preference(f"ADA@{DOMAIN}", preferred_language="fr")

	assert factories.count("Drip Recipient Preference") == 1
	assert load_preference(ADA).language == "fr"
