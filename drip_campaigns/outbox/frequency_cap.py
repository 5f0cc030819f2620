"""The frequency cap: how many marketing emails an address has got, over all campaigns, exactly.

What has been queued stands in the database, one query a batch. What other workers are writing at this moment stands in
Redis, where each email is counted and judged by one atomic script. So two campaigns at once never exceed the cap.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import frappe
import redis
from frappe import _
from frappe.utils.background_jobs import get_redis_conn

from drip_campaigns.core.model import EmailStatus
from drip_campaigns.core.schedule.frequency_caps import Cap, find_caps, free_from, since
from drip_campaigns.core.schedule.wall_clock import find_zone
from drip_campaigns.db.dialect import is_among
from drip_campaigns.outbox.reserved_slots import ReservedSlot, load_reserved_slots
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import frequency_settings

COUNTED = (
	EmailStatus.QUEUED.value,
	EmailStatus.SENDING.value,
	EmailStatus.SENT.value,
	EmailStatus.IN_DOUBT.value,
)
WITHOUT_REDIS = timedelta(minutes=15)  # when it cannot count, nothing leaves
IN_FLIGHT_SECONDS = 900  # what is not in the database by then was never written
KEPT_SECONDS = 3600
LONGEST_REASON = 140  # as the enrollment holds it

# KEYS: the sorted set of one address. ARGV: now, own member, caps as JSON [[since, count]], history as JSON
# [[moment, member]], seconds. Answers {} if the email was counted, else the moments that count.
_RESERVE = """
local now, own = tonumber(ARGV[1]), ARGV[2]
local known = {}
for _, row in ipairs(cjson.decode(ARGV[4])) do
	known[row[2]] = true
	redis.call('ZADD', KEYS[1], row[1], row[2])
end
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
	local score = tonumber(redis.call('ZSCORE', KEYS[1], member))
	if not known[member] and (member == own or math.abs(now - score) > tonumber(ARGV[5])) then
		redis.call('ZREM', KEYS[1], member)
	end
end
for _, cap in ipairs(cjson.decode(ARGV[3])) do
	if redis.call('ZCOUNT', KEYS[1], cap[1], '+inf') >= cap[2] then
		return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
	end
end
redis.call('ZADD', KEYS[1], now, own)
redis.call('EXPIRE', KEYS[1], ARGV[6])
return {}
"""


@dataclass(frozen=True)
class CapDeferral:
	"""An email that must wait: until when, and what keeps it back."""

	until: datetime
	reason: str


class FrequencyCap:
	"""The caps of this site for one batch, with what its addresses have been sent."""

	def __init__(
		self,
		caps: tuple[Cap, ...],
		addresses: Iterable[str],
		now: datetime,
		reserved: Mapping[str, list[ReservedSlot]] | None = None,
	) -> None:
		self._caps, self._now, self._reserved = caps, now, reserved or {}
		self._history = _load_history({hash_address(address) for address in addresses if address}, caps, now)
		self._redis = get_redis_conn()
		self._reserve = self._redis.register_script(_RESERVE)
		self._prefix = f"drip_campaigns:{frappe.conf.db_name}:frequency:"

	def reserve(self, address: str, email: str, zone: str, planned: datetime) -> CapDeferral | None:
		"""Count the Drip Email `email` to `address`, or say until when it must wait. Asking twice for one counts once."""
		key = hash_address(address)
		if given_way := self._give_way(key, email, find_zone(zone), planned):
			return given_way
		try:
			moments = self._ask(key, email, zone)
		except redis.RedisError:
			return CapDeferral(self._now + WITHOUT_REDIS, _("Redis, which counts emails, cannot be reached"))
		if moments is None:
			return None
		until = free_from(self._caps, moments, find_zone(zone), planned, self._now)
		return CapDeferral(max(until, self._now + timedelta(minutes=1)), self._reason)

	def _give_way(self, key: str, email: str, zone: ZoneInfo, planned: datetime) -> CapDeferral | None:
		"""Hold back what would take the place of an email that a campaign of a higher priority has planned."""
		reserved = self._reserved.get(key)
		if not reserved:
			return None
		sent = [moment for name, moment in self._history[key].items() if name != email]
		until = free_from(self._caps, [*sent, *(one.at for one in reserved)], zone, planned, self._now)
		if until <= self._now:
			return None
		first = min(reserved)
		reason = _("{0}, and room for {1}").format(self._reason, first.campaign)
		return CapDeferral(until, reason[:LONGEST_REASON])

	def _ask(self, key: str, email: str, zone: str) -> list[datetime] | None:
		limits = [
			[one.at.timestamp(), one.cap.count] for one in since(self._caps, find_zone(zone), self._now)
		]
		history = [[moment.timestamp(), name] for name, moment in self._history[key].items() if name != email]
		arguments = (self._now.timestamp(), email, json.dumps(limits), json.dumps(history))
		answer = self._reserve(keys=[self._prefix + key], args=[*arguments, IN_FLIGHT_SECONDS, KEPT_SECONDS])
		return [datetime.fromtimestamp(float(score), timezone.utc) for score in answer[1::2]] or None

	@property
	def _reason(self) -> str:
		said = [
			_("{0} in {1} days").format(cap.count, cap.days)
			if cap.days > 1
			else _("{0} a day").format(cap.count)
			for cap in self._caps
		]
		return _("the frequency cap ({0})").format(", ".join(said))


def load_cap(campaign, addresses: Iterable[str], now: datetime) -> FrequencyCap | None:
	"""Return the cap that holds for a Drip Campaign's emails, or None: then nothing is asked and nothing counted."""
	settings = frequency_settings()
	caps = find_caps(settings.count, settings.days, one_per_day=settings.one_per_day)
	if not caps or campaign.is_transactional:
		return None
	addresses = [address for address in addresses if address]
	days = max(cap.days for cap in caps)
	return FrequencyCap(caps, addresses, now, load_reserved_slots(campaign, addresses, days, now))


def _load_history(keys: set[str], caps: tuple[Cap, ...], now: datetime) -> Mapping[str, dict[str, datetime]]:
	history: dict[str, dict[str, datetime]] = defaultdict(dict)
	if not keys:
		return history
	# A day more than the longest cap, for calendar days begin at other times elsewhere.
	begins = to_site(now - timedelta(days=max(cap.days for cap in caps) + 1))
	email = frappe.qb.DocType("Drip Email")
	rows = (
		frappe.qb.from_(email)
		.select(email.name, email.address_hash, email.queued_at)
		.where(is_among(email.address_hash, keys) & (email.queued_at >= begins))
		.where(email.status.isin(COUNTED))
		.run()
	)
	for name, key, queued_at in rows:
		history[key][name] = from_site(queued_at)
	return history
