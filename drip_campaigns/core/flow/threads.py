"""Threads of emails: the earlier emails that a step replies to, and its subject. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MOST_REFERENCES = 20  # RFC 5322 sets no limit; mail programs look at the first and at the last
# What mail programs of several languages put before the subject of a reply, once or more often: "Re:", "AW: Re[2]:".
_MARKS = re.compile(
	r"\s*(?:(?:re|aw|antw|sv|vs|res|rif|odp|ynt|ref)\s*(?:\[\d+\])?\s*[:：]\s*)+", re.IGNORECASE
)


class EarlierEmail(NamedTuple):
	"""An email that was sent before: `thread` is the Message-ID of the first of its thread, empty if it began one."""

	subject: str
	message_id: str
	thread: str


@dataclass(frozen=True)
class Thread:
	"""What an email replies to: its subject, and the Message-IDs of all emails before it, the first one first."""

	subject: str
	root: str
	references: tuple[str, ...]


def find_thread(earlier: Sequence[EarlierEmail]) -> Thread | None:
	"""Return the thread of the latest of some emails, given in the order of their sending; None if there are none."""
	if not earlier:
		return None
	root = earlier[-1].thread or earlier[-1].message_id
	members = [mail for mail in earlier if root in (mail.message_id, mail.thread)]
	ids = [mail.message_id for mail in members]
	if len(ids) > MOST_REFERENCES:
		ids = [ids[0], *ids[1 - MOST_REFERENCES :]]
	return Thread(reply_subject(members[0].subject), root, tuple(ids))


def reply_subject(subject: str) -> str:
	"""Return a subject with one "Re:" before it, however many it has already."""
	marks = _MARKS.match(subject)
	bare = subject[marks.end() :] if marks else subject
	return f"Re: {bare.strip()}"
