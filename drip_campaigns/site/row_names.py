"""Names for rows that are written in bulk: as random as Frappe's own, and adjacent in the table.

A name begins with the time, as Frappe's `hash` names do. The rows of a batch are therefore on the same pages of the
primary key, and the database writes a few pages instead of one per row, however large the table is.
"""

import base64
import secrets
import time
from functools import lru_cache

RANDOM_BYTES = 5  # unique among the names of the same tenth of a second
TICKS_A_SECOND = 10


def new_name() -> str:
	"""Return a new name of 14 characters; names of the same tenth of a second begin with the same four."""
	return _prefix(int(time.time() * TICKS_A_SECOND)) + secrets.token_hex(RANDOM_BYTES)


@lru_cache(maxsize=1)
def _prefix(ticks: int) -> str:
	# The last 20 bits: they repeat after 29 hours, which is enough for locality.
	return base64.b32hexencode(ticks.to_bytes(5, "big")).decode()[-4:].lower()
