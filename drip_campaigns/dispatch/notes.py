"""Notes in Redis of how far each e-mail got, written before and after every SMTP conversation.

The database is written once per group; these notes let the sweep tell, after a killed worker, which e-mails of its
group were never tried, which were accepted, and which one nobody can know.
"""

from collections.abc import Sequence

import frappe
from frappe.utils.background_jobs import get_redis_conn

CLAIMED, ATTEMPTED, ACCEPTED = "claimed", "attempted", "accepted"
KEEP_SECONDS = 7 * 24 * 3600


class DeliveryNotes:
	"""The notes of this site. Raises redis.RedisError when Redis cannot be written: then nothing may be sent."""

	def __init__(self) -> None:
		# The queue's Redis, not the cache's: `bench clear-cache` empties that one.
		self._redis = get_redis_conn()
		self._prefix = f"drip_campaigns:{frappe.conf.db_name}:delivery:"

	def write(self, queue_names: Sequence[str], note: str) -> None:
		"""Note the same for each of `queue_names`."""
		pipeline = self._redis.pipeline(transaction=False)
		for name in queue_names:
			pipeline.set(self._prefix + name, note, ex=KEEP_SECONDS)
		pipeline.execute()

	def read(self, queue_names: Sequence[str]) -> dict[str, str | None]:
		"""Return what is noted for each; None where nothing is (Redis was emptied, or never written)."""
		if not queue_names:
			return {}
		values = self._redis.mget([self._prefix + name for name in queue_names])
		return {
			name: value.decode() if isinstance(value, bytes) else value
			for name, value in zip(queue_names, values, strict=True)
		}

	def forget(self, queue_names: Sequence[str]) -> None:
		"""Remove the notes of e-mails whose state the database knows."""
		if queue_names:
			self._redis.delete(*(self._prefix + name for name in queue_names))
