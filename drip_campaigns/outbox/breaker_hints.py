"""Which campaigns something has come back to since it was last asked: a hint in Redis for the circuit breaker.

Lost with Redis it costs no more than a day: the daily job looks at all campaigns.
"""

from collections.abc import Iterable

import frappe
import redis

KEY = "drip_campaigns:bad_news"


def add_hints(campaigns: Iterable[str]) -> None:
	"""Let the circuit breaker look at these campaigns with the next dispatch."""
	names = {name for name in campaigns if name}
	if not names:
		return
	try:
		frappe.cache.sadd(KEY, *names)
	except redis.RedisError:
		frappe.logger("drip_campaigns").warning("Redis keeps no note of bounces for the circuit breaker")


def take_hints() -> list[str]:
	"""Return the campaigns that were noted, and forget them."""
	try:
		names = {_text(name) for name in frappe.cache.smembers(KEY)}
		if names:
			frappe.cache.delete_value(KEY)
	except redis.RedisError:
		return []
	return sorted(names)


def _text(name: str | bytes) -> str:
	return name.decode() if isinstance(name, bytes) else name
