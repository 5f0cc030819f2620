"""Notes in Redis of how far each email got, and of which delivery job has it in hand.

The database is written once per group; these notes let the sweep tell, after a killed worker, which emails of its
group were never tried, which were accepted, and which one nobody can know. And they are the fence: a job that slept
while the sweep took its emails back finds its claim gone, and sends nothing any more.
"""

import uuid
from collections.abc import Sequence

import frappe
from frappe.utils.background_jobs import get_redis_conn

CLAIMED, ATTEMPTED, ACCEPTED = "claimed", "attempted", "accepted"
KEEP_SECONDS = 7 * 24 * 3600

# KEYS: the email to be attempted, and the one before it. ARGV: claim, attempt, note for the one before, seconds.
# Answers 1 if the claim still stood.
_ATTEMPT = """
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4]) end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
return 1
"""
# KEYS: emails of silent workers. Answers their notes; a claim is gone from then on.
_TAKE_BACK = """
local notes = {}
for i, key in ipairs(KEYS) do
	local note = redis.call('GET', key)
	if note and string.sub(note, 1, 7) == 'claimed' then redis.call('SET', key, 'claimed', 'EX', ARGV[1]) end
	notes[i] = note
end
return notes
"""


class DeliveryState:
	"""One delivery job's notes. Raises redis.RedisError when Redis cannot be written: then nothing may be sent."""

	def __init__(self) -> None:
		# The queue's Redis, not the cache's: `bench clear-cache` empties that one.
		self._redis = get_redis_conn()
		self._prefix = f"drip_campaigns:{frappe.conf.db_name}:delivery:"
		self._attempt, self._take_back = (
			self._redis.register_script(text) for text in (_ATTEMPT, _TAKE_BACK)
		)
		job = uuid.uuid4().hex
		self._claim, self._attempted = f"{CLAIMED}:{job}", f"{ATTEMPTED}:{job}"

	def claim(self, queue_names: Sequence[str]) -> None:
		"""Note that these emails are this job's, and that none has been tried."""
		pipeline = self._redis.pipeline(transaction=False)
		for name in queue_names:
			pipeline.set(self._prefix + name, self._claim, ex=KEEP_SECONDS)
		pipeline.execute()

	def attempt(self, queue_name: str, before: tuple[str, bool] | None) -> bool:
		"""Note that this one is being tried, and how the one before it ended: its name, and whether it was accepted.

		Return False, and note nothing of this one, when it is no longer this job's: then it must not be sent.
		"""
		keys, note = [self._prefix + queue_name], ""
		if before:
			keys.append(self._prefix + before[0])
			note = self._outcome(before[1])
		return bool(self._attempt(keys=keys, args=[self._claim, self._attempted, note, KEEP_SECONDS]))

	def finish(self, queue_name: str, *, accepted: bool) -> None:
		"""Note how an attempt ended, where no other follows it."""
		self._redis.set(self._prefix + queue_name, self._outcome(accepted), ex=KEEP_SECONDS)

	def take_back(self, queue_names: Sequence[str]) -> dict[str, str | None]:
		"""End the claims of silent workers and return what was noted; None where nothing is (Redis was emptied)."""
		if not queue_names:
			return {}
		notes = self._take_back(keys=[self._prefix + name for name in queue_names], args=[KEEP_SECONDS])
		return {name: _word(note) for name, note in zip(queue_names, notes, strict=True)}

	def forget(self, queue_names: Sequence[str]) -> None:
		"""Remove the notes of emails whose state the database knows."""
		if queue_names:
			self._redis.delete(*(self._prefix + name for name in queue_names))

	def _outcome(self, accepted: bool) -> str:
		"""What was not accepted may be tried again: it is as if it had not been tried."""
		return ACCEPTED if accepted else self._claim


def _word(note: bytes | str | None) -> str | None:
	text = note.decode() if isinstance(note, bytes) else note
	return text.partition(":")[0] if text else None
