"""Rate limits, counted in Redis by token, address, or user.

A network address is what a request's headers say (X-Forwarded-For). It may only slow down what is refused anyway: anyone
can make up the next one, or that of somebody else. Mail proxies share addresses.
"""

import hashlib

import frappe
import redis

from drip_campaigns.core.errors import DripError

PREFIX = "drip-page-limit"
HOUR_SECONDS = 3600


class TooManyRequestsError(DripError):
	"""Too many attempts. Wait an hour."""


def count_request(kind: str, identity: str, limit: int) -> int:
	"""Count one attempt of `kind` by `identity`, and return which one of its hour it is, from 1.

	Raises TooManyRequestsError if it exceeds `limit`.
	"""
	digest = hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
	key = frappe.cache.make_key(f"{PREFIX}:{kind}:{digest}")
	try:
		count = frappe.cache.incrby(key, 1)
		if count == 1:
			frappe.cache.expire(key, HOUR_SECONDS)
	except redis.RedisError:
		# Fail open: an unsubscribe must not depend on Redis.
		frappe.logger("drip_campaigns").warning("Redis does not count the tries of %s", kind)
		return 1
	if count > limit:
		raise TooManyRequestsError
	return count
