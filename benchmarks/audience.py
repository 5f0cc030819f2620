"""Enrolling an audience by list filters, as a Drip Bulk Enrollment does, and counting an audience of half a million records."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import frappe

from benchmarks import load, setup
from benchmarks.measure import seconds_of
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.people.audience import Audience
from drip_campaigns.triggers.backfill import count_existing

ROUNDS = 5
PREFIX = "drip-count-"
TAG = "Drip Bench Tag"


@dataclass(frozen=True)
class AudienceFigures:
	"""Seconds of a whole run, of one count, and of counting records that met three triggers before."""

	enroll_seconds: float
	count_seconds: float
	existing_seconds: float


def measure(people: int, total: int, now: datetime) -> AudienceFigures:
	"""Enroll `people` Contacts by a run with filters, and count an audience among `total` of them."""
	setup.clear()
	campaign = setup.make_campaign(load.steps(2)[1:], now).name
	setup.make_people(people)
	enroll_seconds = _run(campaign, people)
	try:
		_make_many(total)
		count_seconds = median(_count(total) for _round in range(ROUNDS))
		existing_seconds = _count_existing(total, now)
	finally:
		frappe.db.delete("Tag Link", {"tag": TAG})
		frappe.db.sql("DELETE FROM `tabContact` WHERE name LIKE %s", f"{PREFIX}%")
		frappe.db.commit()
	return AudienceFigures(enroll_seconds, count_seconds, existing_seconds)


def _run(campaign: str, people: int) -> float:
	filters = json.dumps([["Contact", "email_id", "like", "drip-bench-%"]])
	run = bulk_enrollment.insert_run(campaign, "Contact", recipient_filters=filters, confirmed_count=people)
	seconds = seconds_of(lambda: bulk_enrollment.run(run.name))
	run.reload()
	if run.enrolled != people:
		raise AssertionError(f"{run.enrolled} of {people} were enrolled: {run.reasons} {run.error}")
	return seconds


def _make_many(count: int) -> None:
	"""Make Contacts in one statement; half of them are open."""
	frappe.db.sql(
		f"""INSERT INTO `tabContact` (name, owner, creation, modified, modified_by, first_name, email_id, status)
		SELECT CONCAT('{PREFIX}', seq), 'Administrator', NOW(), NOW(), 'Administrator', CONCAT('Count', seq),
		CONCAT('count', seq, '@drip-test.example'), IF(seq % 2, 'Open', 'Passive') FROM seq_1_to_{int(count)}"""
	)
	frappe.db.commit()
	frappe.db.sql("ANALYZE TABLE `tabContact`")


def _count(total: int) -> float:
	filters = json.dumps([["Contact", "first_name", "like", "Count%"], ["Contact", "status", "=", "Open"]])
	begun = time.perf_counter()
	counted = Audience("Contact", filters).count()
	seconds = time.perf_counter() - begun
	if counted != total // 2:
		raise AssertionError(f"{counted} were counted instead of {total // 2}")
	return seconds


def _count_existing(total: int, now: datetime) -> float:
	"""Return the seconds in which Activate counts earlier matches of a tag, a value, and a creation, half of the records each."""
	frappe.get_doc(doctype="Tag", name=TAG).insert(ignore_if_duplicate=True)
	frappe.db.sql(
		f"""INSERT INTO `tabTag Link` (name, creation, modified, document_type, document_name, tag)
		SELECT CONCAT('{PREFIX}', name), NOW(), NOW(), 'Contact', name, %s
		FROM tabContact WHERE name LIKE %s AND status = 'Open'""",
		(TAG, f"{PREFIX}%"),
	)
	frappe.db.commit()
	filters = json.dumps([["Contact", "first_name", "like", "Count%"], ["Contact", "status", "=", "Open"]])
	rows = [
		{"kind": "Tag Added", "tag": TAG, "filters": filters},
		{"kind": "Field Reached Value", "field_name": "status", "field_value": "Open", "filters": filters},
		{"kind": "Record Created", "filters": filters},
	]
	triggers = [{"recipient_type": "Contact", **row} for row in rows]
	campaign = setup.make_campaign(load.steps(1), now, triggers=triggers)
	begun = time.perf_counter()
	counts = [found["count"] for found in count_existing(campaign, now)]
	seconds = time.perf_counter() - begun
	if counts != [total // 2] * len(rows):
		raise AssertionError(f"{counts} were counted instead of {total // 2} each")
	return seconds
