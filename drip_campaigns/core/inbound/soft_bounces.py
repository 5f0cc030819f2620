"""When soft bounces are as good as a hard one: so many in a row, over so many days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


def is_as_good_as_hard(latest: Sequence[tuple[datetime, bool]], count: int, over: timedelta) -> bool:
	"""Say so of the `latest` e-mails to an address, the newest first: when each was sent, and whether it bounced softly.

	One that arrived begins the count anew; three on one day are one full mailbox.
	"""
	row = list(latest[:count])
	return len(row) == count and all(bounced for _sent, bounced in row) and row[0][0] - row[-1][0] >= over
