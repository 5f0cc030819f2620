"""The frequency cap over all campaigns: never exceeded, nothing lost, the reason visible."""

from collections import Counter
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.dispatch.run_cache import RunCache
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.jobs.batches import run_batch
from drip_campaigns.outbox import frequency_cap
from drip_campaigns.outbox.frequency_cap import FrequencyCap
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.site.clock import to_site
from tests import factories
from tests.factories import step
from tests.fakes import Clock
from tests.processes import run_together


@pytest.fixture
def ada(site, smtp):
	return factories.make_contact("Ada")


def set_cap(**values) -> None:
	for field, value in values.items():
		frappe.db.set_single_value("Drip Settings", field, value)
	frappe.clear_document_cache("Drip Settings", "Drip Settings")
	frappe.db.commit()


def put_on(clock, record, *steps, **fields):
	return factories.enroll(factories.make_active_campaign(clock, *steps, **fields), record, clock)


def pass_days(clock, days: int) -> list[int]:
	sent = []
	for _ in range(days):
		clock.advance(days=1)
		sent.append(factories.run(clock))
	return sent


def test_second_e_mail_of_a_day_waits_for_the_next_and_says_why(ada, smtp, clock):
	set_cap(one_per_day=1)
	first = put_on(clock, ada, step(0, "First"))
	second = put_on(clock, ada, step(0, "Second"), step(2, "Second again"))

	assert factories.run(clock) == 1
	held = second.reload()
	assert (held.status, held.next_send_at) == ("In Progress", to_site(clock.now + timedelta(days=1)))
	assert (held.deferred_until, held.deferred_reason) == (
		held.next_send_at,
		"the frequency cap (1 a day)",
	)
	assert factories.count("Drip Event", event_type="Deferred", enrollment=second.name) == 1

	# Late is kept late: two days lie between the steps.
	assert pass_days(clock, 3) == [1, 0, 1]
	assert [message.message["Subject"] for message in smtp.messages] == ["First", "Second", "Second again"]
	assert (second.reload().status, second.deferred_reason, first.reload().status) == (
		"Completed",
		None,
		"Completed",
	)


@pytest.mark.parametrize("if_late", ["Keep Intervals", "Keep Dates"])
def test_no_more_than_the_cap_leave_in_its_days_and_none_is_lost(ada, smtp, clock, if_late):
	set_cap(cap_count=2, cap_days=3)
	for _ in range(5):
		put_on(clock, ada, step(0), if_late=if_late, grace_hours=1)

	sent = [factories.run(clock), *pass_days(clock, 7)]

	assert sent == [2, 0, 0, 2, 0, 0, 1, 0]
	assert factories.count("Drip Enrollment", status="Completed") == 5
	assert factories.count("Drip Email", status="Skipped") == 0


def test_campaign_with_the_higher_priority_goes_first(ada, smtp, clock):
	set_cap(one_per_day=1)
	put_on(clock, ada, step(0, "Newsletter"))
	put_on(clock, ada, step(0, "Renewal"), priority=5)

	factories.run(clock)
	pass_days(clock, 1)

	assert [message.message["Subject"] for message in smtp.messages] == ["Renewal", "Newsletter"]


def test_service_messages_are_neither_held_back_nor_counted(ada, smtp, clock):
	set_cap(one_per_day=1, quiet_from="00:00:00", quiet_to="23:00:00")
	put_on(clock, ada, step(0, "Your order"), is_transactional=1, time_zone="Europe/Berlin")
	put_on(clock, ada, step(0, "News"), time_zone="Europe/Berlin")

	assert factories.run(clock) == 1
	clock.advance(hours=13)
	assert factories.run(clock) == 1


def test_without_a_cap_nothing_is_asked(ada, smtp, clock, monkeypatch):
	monkeypatch.setattr(frequency_cap, "_load_history", None)  # whoever asks it fails
	put_on(clock, ada, step(0))

	assert factories.run(clock) == 1


def test_cap_costs_one_statement_a_batch(site, smtp, clock):
	counts = []
	for days in (0, 7):
		set_cap(cap_count=3 if days else 0, cap_days=days)
		campaign = factories.make_active_campaign(clock, step(0))
		for _ in range(20):
			factories.enroll(campaign, factories.make_contact(), clock)
		with factories.count_statements() as statements:
			dispatch_due.dispatch(clock.now, enqueue_delivery=False)
		counts.append(statements.count)

	assert counts[1] <= counts[0] + 1, counts


def test_e_mails_that_were_withdrawn_or_failed_make_room_again(ada, smtp, clock):
	set_cap(one_per_day=1)
	put_on(clock, ada, step(0, "First"))
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.db.set_value("Drip Email", {"subject": "First"}, "status", "Failed")
	frappe.db.commit()
	clock.advance(minutes=20)
	put_on(clock, ada, step(0, "Second"))

	assert factories.run(clock) == 1


def test_campaigns_that_dispatch_at_the_same_moment_never_exceed_the_cap(site, smtp, clock):
	set_cap(cap_count=2, cap_days=7)
	people = [factories.make_contact() for _ in range(25)]
	campaigns = [factories.make_active_campaign(clock, step(0)) for _ in range(4)]
	for campaign in campaigns:
		for person in people:
			factories.enroll(campaign, person, clock)

	batches = [(campaign.name, clock.now) for campaign in campaigns]
	together = run_together(_dispatch_one, batches)
	later = [_dispatch_one(*batch) for batch in batches]  # marks what another batch held at that moment
	frappe.db.commit()

	queued = Counter(frappe.get_all("Drip Email", pluck="email_address"))
	assert sum(together) + sum(later) == 50, (together, later)
	assert set(queued.values()) == {2} and len(queued) == 25
	assert factories.count("Drip Enrollment", deferred_reason=("is", "set")) == 50


def _dispatch_one(campaign: str, now) -> int:
	return run_batch(dispatch_due.CampaignBatch(campaign, RunCache(), now)).count


def test_reservation_that_never_reached_the_database_is_forgotten_and_redis_may_lose_all(ada, smtp, clock):
	set_cap(one_per_day=1)
	settings = frequency_cap.find_caps(0, 0, one_per_day=True)
	address, zone = ada.email_id, "Europe/Berlin"

	def ask(name: str, now):
		return FrequencyCap(settings, [address], now).reserve(address, name, zone, now)

	assert ask("died", clock.now) is None
	assert ask("other", clock.now) is not None  # another worker's, at this moment
	assert ask("died", clock.now) is None  # tried again: the same email
	clock.advance(minutes=16)
	assert ask("other", clock.now) is None

	put_on(clock, ada, step(0))
	clock.advance(minutes=16)
	factories.run(clock)
	FrequencyCap(settings, [], clock.now)._redis.delete(
		f"drip_campaigns:{frappe.conf.db_name}:frequency:{hash_address(address)}"
	)
	assert ask("third", clock.now) is not None  # the database knows


@pytest.mark.parametrize(
	("values", "said"),
	[
		({"quiet_from": "22:00:00"}, "Quiet hours need both times"),
		({"quiet_from": "22:00:00", "quiet_to": "22:00:00"}, "a whole day"),
		({"cap_days": 61}, "Enter a number from 1 to 60"),
	],
)
def test_settings_that_make_no_sense_are_refused(site, values, said):
	settings = frappe.get_doc("Drip Settings")
	settings.update(values)

	with pytest.raises(frappe.ValidationError, match=said):
		settings.save()


def test_quiet_hours_hold_for_every_campaign_on_the_recipients_clock(site, smtp):
	clock = Clock()
	set_cap(quiet_from="08:00:00", quiet_to="12:00:00")
	enrollment = put_on(clock, factories.make_contact("Ada"), step(0), time_zone="Europe/Berlin")

	assert factories.run(clock) == 0  # 10:00 in Berlin
	clock.advance(hours=2)
	assert factories.run(clock) == 1
	assert enrollment.reload().status == "Completed"


@pytest.mark.parametrize(
	("fields", "subjects"),
	[
		({"priority": 5}, ["High", "Low"]),
		({"priority": 0}, ["Low", "High"]),
		({"priority": 5, "is_transactional": 1}, ["Low", "High"]),
		({"priority": 5, "status": "Paused"}, ["Low", "High"]),
	],
	ids=["higher", "the same", "no marketing", "paused"],
)
def test_e_mail_of_a_lower_priority_gives_way_to_one_that_is_planned(ada, smtp, clock, fields, subjects):
	set_cap(cap_count=1, cap_days=7)
	status = fields.pop("status", "Active")
	high = put_on(clock, ada, step(3, "High"), **fields)
	frappe.db.set_value("Drip Campaign", high.campaign, {"status": status, "campaign_name": "High " * 28})
	low = put_on(clock, ada, step(0, "Low"))

	factories.run(clock)
	because = low.reload().deferred_reason
	frappe.db.set_value("Drip Campaign", high.campaign, "status", "Active")
	frappe.db.commit()
	pass_days(clock, 11)

	assert [message.message["Subject"] for message in smtp.messages] == subjects
	name = frappe.db.get_value("Drip Campaign", high.campaign, "campaign_name")
	gave_way = f"the frequency cap (1 in 7 days), and room for {name}"
	assert because == (gave_way[:140] if subjects[0] == "High" else None)


def test_room_is_kept_for_no_more_than_is_planned(ada, smtp, clock):
	set_cap(cap_count=2, cap_days=7)
	put_on(clock, ada, step(3, "High"), priority=1)
	put_on(clock, ada, step(0, "Low"))
	put_on(clock, factories.make_contact("Bob"), step(0, "Low"))

	assert factories.run(clock) == 2
	assert pass_days(clock, 3) == [0, 0, 1]
