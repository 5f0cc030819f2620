"""Tokens: bound to a purpose and a key, readable as long as their key is kept, and closed to everything else."""

import os
import random
from datetime import date, timedelta

import pytest
from itsdangerous import Signer

from drip_campaigns.core.tracking.tokens import (
	MAX_TOKEN_LENGTH,
	InvalidTokenError,
	Purpose,
	read,
	rotate,
	sign,
)

KEYS = ("an old key", "the newest key")
SUBJECT = "k3p20a1b2c3d4e"
MUTATIONS = 5_000 if os.environ.get("DRIP_HYPOTHESIS", "quick") == "quick" else 100_000
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("purpose", Purpose)
def test_token_gives_back_what_was_signed(purpose):
	token = sign(purpose, SUBJECT, KEYS)

	assert read(purpose, token, KEYS) == SUBJECT
	assert len(token) <= 42
	assert token.isascii()


@pytest.mark.parametrize("made_for", Purpose)
def test_token_opens_its_own_purpose_only(made_for):
	token = sign(made_for, SUBJECT, KEYS)

	for other in set(Purpose) - {made_for}:
		with pytest.raises(InvalidTokenError):
			read(other, token, KEYS)


def test_token_of_a_former_key_is_read_as_long_as_the_key_is_kept():
	token = sign(Purpose.LEAVE, SUBJECT, KEYS[:1])

	assert read(Purpose.LEAVE, token, KEYS) == SUBJECT
	with pytest.raises(InvalidTokenError):
		read(Purpose.LEAVE, token, KEYS[1:])


def test_no_mutation_of_a_token_opens_anything_or_breaks_anything():
	chance = random.Random(20261122)
	purposes = list(Purpose)
	opened = []

	for _number in range(MUTATIONS):
		purpose = chance.choice(purposes)
		token = sign(purpose, SUBJECT, KEYS)
		mutated = mutate(token, chance)
		try:
			opened.append((token, mutated, read(purpose, mutated, KEYS)))
		except InvalidTokenError:
			continue

	assert [case for case in opened if case[0] != case[1]] == []


def mutate(token: str, chance: random.Random) -> str:
	"""Return a token with one thing done to it that damage, a scanner or an attacker may do."""
	at, other = chance.randrange(len(token)), chance.randrange(len(token))
	letter = chr(chance.choice((chance.randrange(256), chance.randrange(0x110000 - 0x800) % 0xD800)))
	return chance.choice(
		(
			lambda: token[:at] + letter + token[at + 1 :],
			lambda: token[:at] + letter + token[at:],
			lambda: token[:at],
			lambda: token[at:],
			lambda: token[:at] + token[at + 1 :],
			lambda: token + token[at:] + letter,
			lambda: token.swapcase(),
			lambda: token[::-1],
			lambda: token[:at] + token[other:],
			lambda: letter * chance.randrange(3 * MAX_TOKEN_LENGTH),
			lambda: token.replace(".", letter),
			lambda: f"{SUBJECT}.{token}",
			lambda: token.partition(".")[0] + "." + token.partition(".")[0],
		)
	)()


def test_keys_are_kept_for_as_long_as_told_after_they_signed_last_and_sixty_days_at_least():
	keys: list = []
	kept = []
	for days in range(0, 200, 20):
		keys = rotate(keys, f"key {days}", TODAY + timedelta(days=days), 1)
		kept.append([entry["key"] for entry in keys])

	assert kept[0] == ["key 0"]
	assert kept[3] == ["key 0", "key 20", "key 40", "key 60"]
	# Key 0 signed for the last time on day 20: a link of that day works until day 80.
	assert kept[4] == ["key 0", "key 20", "key 40", "key 60", "key 80"]
	assert kept[5] == ["key 20", "key 40", "key 60", "key 80", "key 100"]


def test_key_that_a_person_has_written_is_kept_until_a_person_takes_it_away():
	keys: list = ["written by hand"]
	for days in range(0, 400, 100):
		keys = rotate(keys, f"key {days}", TODAY + timedelta(days=days), 60)

	assert [entry if isinstance(entry, str) else entry["key"] for entry in keys] == [
		"written by hand",
		"key 200",
		"key 300",
	]


def test_a_token_is_what_the_library_alone_would_make():
	keys = ["first", "second"]

	token = sign(Purpose.LEAVE, "enrollment-1", keys)

	assert token == Signer(keys, salt="drip-campaigns.leave", sep=".").sign("enrollment-1").decode()
	assert read(Purpose.LEAVE, sign(Purpose.LEAVE, "enrollment-1", keys[:1]), keys) == "enrollment-1"
