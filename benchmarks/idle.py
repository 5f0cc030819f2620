"""The cost of an idle site: a dispatch with nothing due, with 100,000 and 1,000,000 waiting enrollments."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import frappe

from benchmarks import load, setup
from benchmarks.measure import reading, seconds_of
from drip_campaigns.jobs import dispatch_due

ROUNDS = 15
ROWS_A_STATEMENT = 100_000
OWN_COLUMNS = ("name", "live_recipient", "live_address")


@dataclass(frozen=True)
class Idle:
	"""Figures of an idle site."""

	enroll_seconds: float
	ms_few: float
	ms_many: float
	statements_many: int


def measure(few: int, many: int, now: datetime) -> Idle:
	"""Enroll `few` as the app does, then make it `many` in raw SQL, and dispatch with both."""
	setup.clear()
	campaign = setup.make_campaign(load.steps(2)[1:], now).name
	people = setup.make_people(few)
	enroll_seconds = seconds_of(lambda: setup.enroll_all(campaign, people, now))
	ms_few, _statements = _dispatch(now)
	for start in range(few, many, ROWS_A_STATEMENT):
		_multiply(campaign, start, min(ROWS_A_STATEMENT, many - start))
	frappe.db.sql("ANALYZE TABLE `tabDrip Enrollment`")
	ms_many, statements = _dispatch(now)
	return Idle(enroll_seconds, ms_few, ms_many, statements)


def _multiply(campaign: str, start: int, count: int) -> None:
	"""Copy one enrollment `count` times under new names and keys, in one statement."""
	known = frappe.get_meta("Drip Enrollment").get_valid_columns()
	columns = ", ".join(f"`{column}`" for column in known if column not in OWN_COLUMNS)
	frappe.db.sql(
		f"""INSERT INTO `tabDrip Enrollment` (name, live_recipient, live_address, {columns})
		SELECT CONCAT('idle-', seq), CONCAT('idle-r-', seq), CONCAT('idle-a-', seq), {columns}
		FROM seq_{start + 1}_to_{start + count} CROSS JOIN
		(SELECT * FROM `tabDrip Enrollment` WHERE campaign = %s ORDER BY name DESC LIMIT 1) AS one""",
		campaign,
	)
	frappe.db.commit()


def _dispatch(now: datetime) -> tuple[float, int]:
	"""Return milliseconds and statements of a dispatch with nothing due: the median of several."""
	readings = []
	for turn in range(ROUNDS + 1):
		with reading() as result:
			dispatch_due.dispatch(now + timedelta(minutes=5 * turn), enqueue_delivery=False)
		readings.append(result)
	readings = readings[1:]
	return median(r.seconds for r in readings) * 1000, int(median(r.statements for r in readings))
