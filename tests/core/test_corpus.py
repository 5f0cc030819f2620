"""Bounces of the mail systems in use: found, never a person's, and hard only where the address is dead."""

import email
import json
from collections import Counter
from datetime import date
from email.message import Message
from pathlib import Path

import pytest

from drip_campaigns.core.inbound.read_message import Kind, read_message
from drip_campaigns.core.inbound.response_words import Severity

CORPUS = Path(__file__).parent / "corpus" / "bounces.jsonl"
TODAY = date(2026, 11, 29)
MISTAKEN_FOR_PEOPLE = (Kind.HUMAN, Kind.OPT_OUT, Kind.ABSENCE)


def load() -> list[dict]:
	"""Return the rows of the corpus."""
	return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def compose(row: dict) -> Message:
	"""Return the email of a row: a report of RFC 3464, or the text of a mail system."""
	head = f"Return-Path: <>\nFrom: {row['from']}@mx.example\nSubject: {row.get('subject', 'Undelivered')}\nMIME-Version: 1.0\n"
	if "blocks" not in row:
		return email.message_from_bytes(
			f"{head}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{row['text']}".encode()
		)
	blocks = "\n\n".join(
		f"Final-Recipient: rfc822; ada{at}@corp.example\nAction: {block['action']}\nStatus: {block['status']}"
		+ (f"\nDiagnostic-Code: {block['diagnostic']}" if block["diagnostic"] else "")
		for at, block in enumerate(row["blocks"])
	)
	return email.message_from_bytes(
		f'{head}Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\n{row.get("text", "")}\n'
		f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{blocks}\n\n--b--\n".encode()
	)


@pytest.fixture(scope="module")
def readings():
	"""Every row with what it is taken for."""
	return [(row, read_message(compose(row), TODAY)) for row in load()]


def test_bounces_are_found_and_never_taken_for_people(readings):
	table = Counter(
		(row["kind"], "status part" if "blocks" in row else "text", one.kind.value) for row, one in readings
	)
	for key, number in sorted(table.items()):
		print(*key, number)

	found = {
		form: [
			one.kind.value == row["kind"]
			for row, one in readings
			if ("blocks" in row) == (form == "status part")
		]
		for form in ("status part", "text")
	}

	assert len(readings) >= 300
	assert sum(found["status part"]) == len(found["status part"])
	assert sum(found["text"]) >= 0.93 * len(found["text"])
	assert [row["source"] for row, one in readings if one.kind in MISTAKEN_FOR_PEOPLE] == []


def test_dead_addresses_are_hard_and_others_are_not(readings):
	judged = [
		(wanted, bounce, row["source"])
		for row, one in readings
		for wanted, bounce in zip(row["severity"], one.bounces, strict=False)
		if len(row["severity"]) == len(one.bounces)
	]
	dead = [bounce.severity is Severity.HARD for wanted, bounce, _source in judged if wanted == "hard"]
	wrongly = [
		(source, bounce)
		for wanted, bounce, source in judged
		if wanted == "not hard" and bounce.severity is Severity.HARD
	]
	alive = [1 for wanted, *_rest in judged if wanted == "not hard"]
	print(
		f"dead {len(dead)}, of these hard {sum(dead)}; alive {len(alive)}, of these hard {len(wrongly)}: {wrongly}"
	)

	assert (len(dead) > 140, len(alive) > 200) == (True, True)
	assert sum(dead) >= 0.95 * len(dead)
	assert len(wrongly) <= 0.02 * len(alive)
