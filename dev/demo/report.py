"""The totals of the report, and its checks: what the database has, compared with what the mail server received.

Values in, values out: no site, no files, no clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from dev.demo.people import Ending

OUTCOMES = {
	"Sent": "sent",
	"Skipped": "skipped",
	"Failed": "failed",
	"In Doubt": "failed",
	"Waiting": "waiting",
}


@dataclass(frozen=True)
class StepLine:
	"""One step of one recipient that has become due, as the ledger has it. Moments are ISO 8601 with offset."""

	step: int
	planned_at: str
	sent_at: str | None
	message_id: str | None
	outcome: str


@dataclass(frozen=True)
class Recipient:
	"""One person's week; dates are ISO 8601."""

	name: str
	address: str | None
	status: str
	exit_reason: str | None
	start_date: str | None
	end_date: str | None
	steps: tuple[StepLine, ...]


@dataclass(frozen=True)
class Record:
	"""A Communication: the recipient of its message, and the address of the Contact whose timeline shows it."""

	message_id: str
	recipient: str
	shown_at: str | None


@dataclass(frozen=True)
class Ledger:
	"""What the database has."""

	recipients: tuple[Recipient, ...]
	communications: tuple[Record, ...]


@dataclass(frozen=True)
class Receipt:
	"""A message that the mail server has accepted, and what is missing in it."""

	message_id: str
	address: str
	subject: str
	faults: tuple[str, ...] = ()


def make_report(ledger: Ledger, receipts: Sequence[Receipt], seconds: float) -> dict:
	"""Return what report.json holds."""
	return {
		"recipients": [asdict(recipient) for recipient in ledger.recipients],
		"totals": count_totals(ledger, receipts),
		"communications": len(ledger.communications),
		"smtp_messages": len(receipts),
		"seconds": round(seconds, 1),
	}


def count_totals(ledger: Ledger, receipts: Sequence[Receipt]) -> dict[str, int]:
	"""Count the steps that became due by what became of them, and compare what was sent with what arrived."""
	lines = [line for recipient in ledger.recipients for line in recipient.steps]
	counts = Counter(OUTCOMES[line.outcome] for line in lines)
	return {
		"due": len(lines),
		**{key: counts[key] for key in ("sent", "skipped", "failed", "waiting")},
		"duplicates": count_duplicates(ledger, receipts),
		"lost": len(sent_ids(ledger).symmetric_difference(receipt.message_id for receipt in receipts)),
	}


def count_duplicates(ledger: Ledger, receipts: Sequence[Receipt]) -> int:
	"""Count the messages that a person got for a step beyond the first.

	One that the ledger does not know is told by its subject, for no two steps have the same.
	"""
	subjects = {receipt.message_id: receipt.subject for receipt in receipts}
	known = {
		line.message_id: (recipient.address, line.step)
		for recipient in ledger.recipients
		for line in recipient.steps
	}
	steps = {(known[id_][0], subject): known[id_] for id_, subject in subjects.items() if id_ in known}
	got = Counter(
		known.get(receipt.message_id)
		or steps.get((receipt.address, receipt.subject))
		or (receipt.address, receipt.subject)
		for receipt in receipts
	)
	return sum(count - 1 for count in got.values())


def sent_ids(ledger: Ledger) -> set[str]:
	"""Return the Message-IDs of all emails that the ledger calls sent."""
	lines = (line for recipient in ledger.recipients for line in recipient.steps)
	return {line.message_id or "" for line in lines if line.outcome == "Sent"}


def find_problems(
	report: Mapping, ledger: Ledger, receipts: Sequence[Receipt], endings: Mapping[str, Ending], first: date
) -> Iterator[str]:
	"""Yield a sentence for each failed check; `endings` is by recipient name, `first` is day 0."""
	totals = report["totals"]
	parts = sum(totals[key] for key in ("sent", "skipped", "failed", "waiting"))
	if totals["due"] != parts:
		yield f"{totals['due']} steps were due, but {parts} are accounted for."
	for key in ("duplicates", "lost", "waiting"):
		if totals[key]:
			yield f"{key}: {totals[key]}, and it must be 0."
	if len(endings) != len(ledger.recipients):
		yield f"{len(endings)} people are in the story, {len(ledger.recipients)} in the report."
	for recipient in ledger.recipients:
		yield from _check_ending(recipient, endings[recipient.name], first)
		yield from _check_received(recipient, endings[recipient.name], receipts)
	yield from _check_records(ledger.communications, receipts)
	for receipt in receipts:
		for fault in receipt.faults:
			yield f"The message {receipt.message_id} to {receipt.address} {fault}."


def _check_ending(recipient: Recipient, ending: Ending, first: date) -> Iterator[str]:
	if recipient.status != ending.status:
		yield f"{recipient.name} is {recipient.status}, and should be {ending.status}."
	if ending.exit_reason and recipient.exit_reason != ending.exit_reason:
		yield f"{recipient.name} has the exit reason {recipient.exit_reason}, and should have {ending.exit_reason}."
	if not recipient.address and not recipient.exit_reason:
		yield f"{recipient.name} was not enrolled, and no reason is recorded."
	day = None if ending.day is None else (first + timedelta(days=ending.day)).isoformat()
	if recipient.end_date != day:
		yield f"{recipient.name} has the end date {recipient.end_date}, and should have {day}."


def _check_received(recipient: Recipient, ending: Ending, receipts: Sequence[Receipt]) -> Iterator[str]:
	steps = {line.message_id: line.step for line in recipient.steps}
	got = [steps.get(receipt.message_id, 0) for receipt in receipts if receipt.address == recipient.address]
	if tuple(got) != ending.received:
		yield f"{recipient.name} got the steps {got}, and should have got {list(ending.received)}, in this order."


def _check_records(communications: Sequence[Record], receipts: Sequence[Receipt]) -> Iterator[str]:
	by_id = {record.message_id: record for record in communications}
	for receipt in receipts:
		record = by_id.get(receipt.message_id)
		if record is None:
			yield f"The message {receipt.message_id} to {receipt.address} has no Communication."
		elif record.shown_at != receipt.address:
			yield f"The Communication of {receipt.message_id} is not on the timeline of {receipt.address}."
