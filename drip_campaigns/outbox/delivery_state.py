"""The delivery state of each email, in Redis: which delivery job claimed it, and how far the job got.

The database is written once per group. After a worker was killed, the state shows the rescue which emails of the group
were not attempted, which were accepted, and which one is in doubt. It is also a fence: if the rescue has ended the
claims of a job that slept, the job sends nothing more.
"""

import uuid
from collections.abc import Sequence

import frappe
from frappe.utils.background_jobs import get_redis_conn

CLAIMED, ATTEMPTED, ACCEPTED = "claimed", "attempted", "accepted"
KEEP_SECONDS = 7 * 24 * 3600

# KEYS: the email to attempt, and the previous one. ARGV: claim, attempt, state of the previous one, seconds.
# Returns 1 if the claim was still valid.
_ATTEMPT = """
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[4]) end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
return 1
"""
# KEYS: emails of silent workers. Returns their states, and ends their claims.
_TAKE_BACK = """
local states = {}
for i, key in ipairs(KEYS) do
	local state = redis.call('GET', key)
	if state and string.sub(state, 1, 7) == 'claimed' then redis.call('SET', key, 'claimed', 'EX', ARGV[1]) end
	states[i] = state
end
return states
"""


class DeliveryState:
	"""The state that one delivery job writes. Raises redis.RedisError if Redis cannot be written: then nothing may be sent."""

	def __init__(self) -> None:
		# The queue's Redis, not the cache's, which `bench clear-cache` empties.
		self._redis = get_redis_conn()
		self._prefix = f"drip_campaigns:{frappe.conf.db_name}:delivery:"
		self._attempt, self._take_back = (
			self._redis.register_script(text) for text in (_ATTEMPT, _TAKE_BACK)
		)
		job = uuid.uuid4().hex
		self._claim, self._attempted = f"{CLAIMED}:{job}", f"{ATTEMPTED}:{job}"

	def claim(self, queue_names: Sequence[str]) -> None:
		"""Record that this job owns these emails, and that none was attempted."""
		pipeline = self._redis.pipeline(transaction=False)
		for name in queue_names:
			pipeline.set(self._prefix + name, self._claim, ex=KEEP_SECONDS)
		pipeline.execute()

	def attempt(self, queue_name: str, previous: tuple[str, bool] | None) -> bool:
		"""Record the attempt to send this email, and the result of the previous one: its name, and whether it was accepted.

		Return False, and record no attempt, if this job no longer owns the email: it must not be sent.
		"""
		keys, state = [self._prefix + queue_name], ""
		if previous:
			keys.append(self._prefix + previous[0])
			state = self._outcome(previous[1])
		return bool(self._attempt(keys=keys, args=[self._claim, self._attempted, state, KEEP_SECONDS]))

	def finish(self, queue_name: str, *, accepted: bool) -> None:
		"""Record the result of an attempt that no other follows."""
		self._redis.set(self._prefix + queue_name, self._outcome(accepted), ex=KEEP_SECONDS)

	def take_back(self, queue_names: Sequence[str]) -> dict[str, str | None]:
		"""End the claims of silent workers, and return their states; None if Redis was emptied."""
		if not queue_names:
			return {}
		states = self._take_back(keys=[self._prefix + name for name in queue_names], args=[KEEP_SECONDS])
		return {name: _word(state) for name, state in zip(queue_names, states, strict=True)}

	def forget(self, queue_names: Sequence[str]) -> None:
		"""Delete the states of emails that are settled in the database."""
		if queue_names:
			self._redis.delete(*(self._prefix + name for name in queue_names))

	def _outcome(self, accepted: bool) -> str:
		"""Return the state after an attempt: an email that was not accepted may be attempted again."""
		return ACCEPTED if accepted else self._claim


def _word(state: bytes | str | None) -> str | None:
	text = state.decode() if isinstance(state, bytes) else state
	return text.partition(":")[0] if text else None
