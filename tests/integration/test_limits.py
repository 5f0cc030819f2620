"""Limits hold exactly, over all workers, and what they hold back is visible and not lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import frappe
import pytest
from frappe.utils.background_jobs import get_redis_conn

from drip_campaigns.outbox.sending_limits import SendingLimits
from drip_campaigns.site.clock import to_site
from tests import factories
from tests.factories import DOMAIN


@pytest.fixture(autouse=True)
def nothing_counted_yet(site):
	redis = get_redis_conn()
	for key in redis.scan_iter(f"drip_campaigns:{frappe.conf.db_name}:limit:*"):
		redis.delete(key)


def set_limits(*rows: dict) -> None:
	settings = frappe.get_doc("Drip Settings")
	settings.set("limits", rows)
	settings.save()
	frappe.db.commit()


def most_in_an_hour(moments: list) -> int:
	moments, first, most = sorted(moments), 0, 0
	for last, moment in enumerate(moments):
		while moment - moments[first] >= timedelta(hours=1):
			first += 1
		most = max(most, last - first + 1)
	return most


def test_600_an_hour_with_four_workers_is_never_exceeded_and_nearly_reached(site, clock):
	set_limits({"scope": "Site", "per_hour": 600})
	workers = [SendingLimits() for _ in range(4)]
	sent, begin = [], clock.now

	def work(limits: SendingLimits) -> int:
		count = 0
		while count < 300 and limits.reserve("account", DOMAIN, clock.now) is None:
			count += 1
		return count

	with ThreadPoolExecutor(4) as pool:
		while clock.now - begin < timedelta(hours=4):
			sent += [clock.now] * sum(pool.map(work, workers))
			clock.advance(minutes=1)

	assert most_in_an_hour(sent) <= 600
	assert len(sent) >= 0.95 * 600 * 4


def test_what_is_held_back_keeps_its_place_and_shows_reason_and_new_time(site, smtp, clock):
	set_limits({"scope": "Recipient Domain", "domain": DOMAIN, "per_hour": 12})
	campaign = factories.make_active_campaign(clock, factories.step(0))
	for _ in range(4):
		factories.enroll(campaign, factories.make_contact(), clock)

	factories.run(clock)

	waiting = frappe.get_all("Drip Email", filters={"status": "Queued"}, fields=["error", "deliver_at"])
	assert (len(smtp.messages), len(waiting)) == (1, 3)
	assert all(f"12 an hour, Recipient Domain {DOMAIN}" in row.error for row in waiting)
	assert len({row.deliver_at for row in waiting}) == 3
	# Frappe's flush counts nothing: it takes none of them, however long our own jobs have to wait.
	frappes = frappe.get_all("Email Queue", filters={"status": "Not Sent"}, pluck="send_after")
	assert min(frappes) > to_site(clock.now + timedelta(hours=23))
	for _ in range(4):
		clock.advance(minutes=5)
		factories.run(clock)
	assert len(smtp.messages) == 4


@pytest.mark.parametrize(("per_day", "expected"), [(0, 3), (1, 1), (None, 3)])
def test_zero_and_empty_mean_no_limit_and_one_means_one(site, smtp, clock, per_day, expected):
	set_limits({"scope": "Site", "per_day": per_day})
	campaign = factories.make_active_campaign(clock, factories.step(0))
	for _ in range(3):
		factories.enroll(campaign, factories.make_contact(), clock)

	factories.run(clock)

	assert len(smtp.messages) == expected
