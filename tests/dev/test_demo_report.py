"""The demo's report: its arithmetic, and that it notices whatever is not as it must be. Needs no site."""

from dataclasses import replace
from datetime import date

import pytest

from dev.demo.people import ENDINGS, Part
from dev.demo.report import (
	Ledger,
	Receipt,
	Recipient,
	Record,
	StepLine,
	count_totals,
	find_problems,
	make_report,
)

MONDAY = date(2026, 3, 2)
ADA, BOB = "ada@demo.example", "bob@demo.example"


def step(number, message_id, outcome="Sent"):
	sent_at = "2026-03-02T09:00:00+01:00" if outcome == "Sent" else None
	return StepLine(number, "2026-03-02T08:40:00+01:00", sent_at, message_id, outcome)


def person(name, address, *steps, status="Completed", exit_reason=None, end_date="2026-03-07"):
	return Recipient(name, address, status, exit_reason, "2026-03-02", end_date, steps)


def receipt(message_id, address, number=1):
	return Receipt(message_id, address, f"Subject of step {number}")


READER = person("Ada", ADA, step(1, "a1"), step(2, "a2"), step(3, "a3"))
REFUSED = person(
	"Bob", BOB, step(1, "b1", "Failed"), status="Exited", exit_reason="Hard Bounce", end_date="2026-03-02"
)
RECORDS = (Record("a1", ADA, ADA), Record("a2", ADA, ADA), Record("a3", ADA, ADA), Record("b1", BOB, BOB))
LEDGER = Ledger((READER, REFUSED), RECORDS)
RECEIVED = [receipt("a1", ADA, 1), receipt("a2", ADA, 2), receipt("a3", ADA, 3)]
STORY = {"Ada": ENDINGS[Part.READS], "Bob": ENDINGS[Part.IS_REFUSED]}


def problems_of(ledger=LEDGER, received=RECEIVED):
	return list(find_problems(make_report(ledger, received, 1.0), ledger, received, STORY, MONDAY))


def test_what_went_well_has_no_problems():
	assert problems_of() == []
	assert count_totals(LEDGER, RECEIVED) == {
		"due": 4,
		"sent": 3,
		"skipped": 0,
		"failed": 1,
		"waiting": 0,
		"duplicates": 0,
		"lost": 0,
	}


@pytest.mark.parametrize(
	("outcome", "counted_as"),
	[
		("Sent", "sent"),
		("Skipped", "skipped"),
		("Failed", "failed"),
		("In Doubt", "failed"),
		("Waiting", "waiting"),
	],
)
def test_every_outcome_is_counted_once(outcome, counted_as):
	totals = count_totals(Ledger((person("Ada", ADA, step(1, "a1", outcome)),), ()), [])

	assert totals["due"] == 1
	assert {key: totals[key] for key in ("sent", "skipped", "failed", "waiting") if totals[key]} == {
		counted_as: 1
	}


def test_report_has_the_shape_that_is_promised():
	report = make_report(LEDGER, RECEIVED, 12.34)

	assert list(report) == ["recipients", "totals", "communications", "smtp_messages", "seconds"]
	assert list(report["recipients"][0]) == [
		"name",
		"address",
		"status",
		"exit_reason",
		"start_date",
		"end_date",
		"steps",
	]
	assert list(report["recipients"][0]["steps"][0]) == [
		"step",
		"planned_at",
		"sent_at",
		"message_id",
		"outcome",
	]
	assert (report["communications"], report["smtp_messages"], report["seconds"]) == (4, 3, 12.3)


def test_message_that_the_database_calls_sent_but_nobody_received_is_lost():
	received = RECEIVED[:2]

	assert count_totals(LEDGER, received)["lost"] == 1
	assert "lost: 1, and it must be 0." in problems_of(received=received)


def test_message_that_the_database_does_not_know_is_lost_and_a_duplicate_of_its_step():
	received = [*RECEIVED, receipt("unknown", ADA, 2)]

	totals = count_totals(LEDGER, received)

	assert (totals["lost"], totals["duplicates"]) == (1, 1)


def test_same_message_received_twice_is_a_duplicate():
	received = [*RECEIVED, RECEIVED[0]]

	assert count_totals(LEDGER, received)["duplicates"] == 1
	assert "duplicates: 1, and it must be 0." in problems_of(received=received)


def test_refused_message_that_arrived_after_all_is_noticed():
	received = [*RECEIVED, receipt("b1", BOB)]

	assert count_totals(LEDGER, received)["lost"] == 1
	assert any("Bob got the steps [1]" in problem for problem in problems_of(received=received))


def test_same_step_to_two_people_is_no_duplicate():
	ledger = Ledger((person("Ada", ADA, step(1, "a1")), person("Bob", BOB, step(1, "b1"))), ())

	assert count_totals(ledger, [receipt("a1", ADA), receipt("b1", BOB)])["duplicates"] == 0


def test_wrong_status_is_named():
	ledger = Ledger((replace(READER, status="In Progress"), REFUSED), RECORDS)

	assert problems_of(ledger) == ["Ada is In Progress, and should be Completed."]


def test_wrong_end_date_is_named():
	ledger = Ledger((replace(READER, end_date="2026-03-06"), REFUSED), RECORDS)

	assert problems_of(ledger) == ["Ada has the end date 2026-03-06, and should have 2026-03-07."]


def test_missing_exit_reason_is_named():
	ledger = Ledger((READER, replace(REFUSED, exit_reason=None)), RECORDS)

	assert problems_of(ledger) == ["Bob has the exit reason None, and should have Hard Bounce."]


def test_steps_in_the_wrong_order_are_named():
	received = [RECEIVED[1], RECEIVED[0], RECEIVED[2]]

	assert problems_of(received=received) == [
		"Ada got the steps [2, 1, 3], and should have got [1, 2, 3], in this order."
	]


def test_message_without_communication_is_named():
	assert problems_of(Ledger(LEDGER.recipients, RECORDS[1:])) == [
		f"The message a1 to {ADA} has no Communication."
	]


def test_communication_on_somebody_elses_timeline_is_named():
	records = (Record("a1", ADA, BOB), *RECORDS[1:])

	assert problems_of(Ledger(LEDGER.recipients, records)) == [
		f"The Communication of a1 is not on the timeline of {ADA}."
	]


def test_fault_of_a_message_is_named():
	received = [replace(RECEIVED[0], faults=("has no List-Unsubscribe",)), *RECEIVED[1:]]

	assert problems_of(received=received) == [f"The message a1 to {ADA} has no List-Unsubscribe."]


def test_person_who_is_missing_in_the_report_is_noticed():
	[problem] = problems_of(Ledger((READER,), RECORDS))

	assert problem == "2 people are in the story, 1 in the report."
