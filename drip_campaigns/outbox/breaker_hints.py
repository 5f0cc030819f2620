"""Hints for the circuit breaker, in Redis: the campaigns with new bounces or complaints.

If Redis loses them, the daily job checks all campaigns.
"""

from collections.abc import Iterable

import frappe
import redis

KEY = "drip_campaigns:bad_news"


def add_hints(campaigns: Iterable[str]) -> None:
	"""Have the circuit breaker check these campaigns in the next dispatch."""
	names = {name for name in campaigns if name}
	if not names:
		return
	try:
		frappe.cache.sadd(KEY, *names)
	except redis.RedisError:
		frappe.logger("drip_campaigns").warning("Redis did not record a hint for the circuit breaker")


def take_hints() -> list[str]:
	"""Return the campaigns with a hint, and delete the hints."""
	try:
		names = {_text(name) for name in frappe.cache.smembers(KEY)}
		if names:
			frappe.cache.delete_value(KEY)
	except redis.RedisError:
		return []
	return sorted(names)


def _text(name: str | bytes) -> str:
	return name.decode() if isinstance(name, bytes) else name
