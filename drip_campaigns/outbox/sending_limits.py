"""Count emails against the limits of Drip Settings, exactly, over all workers: one atomic Redis script per email.

Each window is a sorted set of the moments at which emails were sent: about 100 bytes for each email of the last day.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import frappe
from frappe.utils.background_jobs import get_redis_conn

from drip_campaigns.core.schedule.sending_limits import LimitRule, LimitScope, Window, find_windows

# KEYS: one sorted set a window. ARGV: now, member, then count and seconds of each window.
# Returns {} if the email was counted, else {index of the fullest window, moment at which it has room again}.
_RESERVE = """
local now, member, worst, at = tonumber(ARGV[1]), ARGV[2], 0, 0
for i, key in ipairs(KEYS) do
	local count, seconds = tonumber(ARGV[1 + i * 2]), tonumber(ARGV[2 + i * 2])
	redis.call('ZREMRANGEBYSCORE', key, '-inf', now - seconds)
	local used = redis.call('ZCARD', key)
	if used >= count then
		local free = tonumber(redis.call('ZRANGE', key, used - count, used - count, 'WITHSCORES')[2]) + seconds
		if free > at then worst, at = i, free end
	end
end
if worst > 0 then return {worst, tostring(at)} end
for i, key in ipairs(KEYS) do
	redis.call('ZADD', key, now, member)
	redis.call('EXPIRE', key, math.ceil(tonumber(ARGV[2 + i * 2])) + 60)
end
return {}
"""


@dataclass(frozen=True)
class Deferral:
	"""An email that must wait: until when, and for which limit or cap."""

	until: datetime
	reason: str


class SendingLimits:
	"""The limits of this site for one run. Raises redis.RedisError if Redis cannot count: then nothing may be sent."""

	def __init__(self) -> None:
		self._set_rules = self._rules = _load_rules()
		self._redis = get_redis_conn()
		self._reserve = self._redis.register_script(_RESERVE)
		self._prefix = f"drip_campaigns:{frappe.conf.db_name}:limit:"
		self._deferred: Counter[str] = Counter()
		self._counted: tuple[list[str], str] | None = None

	def slow(self, accounts: Iterable[str], per_hour: int) -> None:
		"""Limit these accounts, and only these from now on, to `per_hour` in addition to the limits of Drip Settings."""
		slow = (LimitRule(LimitScope.EMAIL_ACCOUNT, account, per_hour=per_hour) for account in accounts)
		self._rules = (*self._set_rules, *slow)

	def reserve(self, account: str, domain: str, now: datetime) -> Deferral | None:
		"""Count one email at `now` and return None, or return its deferral. Emails that wait get different moments."""
		windows = find_windows(self._rules, account, domain)
		self._counted = None
		if not windows:
			return None
		keys, member = [self._prefix + window.key for window in windows], uuid.uuid4().hex
		limits = [number for window in windows for number in (window.count, window.seconds)]
		full = self._reserve(keys=keys, args=[now.timestamp(), member, *limits])
		if not full:
			self._counted = (keys, member)
		return self._defer(windows[full[0] - 1], float(full[1])) if full else None

	def give_back(self) -> None:
		"""Uncount the last email, which no server accepted. Idempotent."""
		if not self._counted:
			return
		keys, member = self._counted
		self._counted = None
		pipeline = self._redis.pipeline(transaction=False)
		for key in keys:
			pipeline.zrem(key, member)
		pipeline.execute()

	def _defer(self, window: Window, free_at: float) -> Deferral:
		turns = self._deferred[window.key] // window.count
		self._deferred[window.key] += 1
		moment = datetime.fromtimestamp(free_at, timezone.utc) + timedelta(seconds=turns * window.seconds)
		return Deferral(moment, window.reason)


def _load_rules() -> tuple[LimitRule, ...]:
	settings = frappe.get_cached_doc("Drip Settings")
	return tuple(
		LimitRule(
			scope=LimitScope(row.scope),
			subject=(row.email_account if row.scope == LimitScope.EMAIL_ACCOUNT.value else row.domain) or "",
			per_hour=row.per_hour or 0,
			per_day=row.per_day or 0,
		)
		for row in settings.get("limits") or []
	)
