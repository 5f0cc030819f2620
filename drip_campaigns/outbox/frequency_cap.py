"""The frequency cap: the number of marketing emails that an address gets from all campaigns, counted exactly.

The database has the emails that are queued: one query per batch. Redis has the emails that other workers are queuing at
this moment: one atomic script counts each email, so that two campaigns at the same time never exceed the cap.

Places under the cap are reserved for emails that campaigns of a higher priority have planned: one statement per batch
finds such campaigns, and a second one runs only if there are any.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

import frappe
import redis
from frappe import _
from frappe.utils.background_jobs import get_redis_conn

from drip_campaigns.core.model import CampaignStatus, EmailStatus, StepType
from drip_campaigns.core.schedule.frequency_caps import Cap, find_caps, free_from, since
from drip_campaigns.core.schedule.wall_clock import find_zone
from drip_campaigns.db.dialect import is_among
from drip_campaigns.outbox.sending_limits import Deferral
from drip_campaigns.people.addresses import hash_address, live_key, normalize
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import frequency_settings

COUNTED = (
	EmailStatus.QUEUED.value,
	EmailStatus.SENDING.value,
	EmailStatus.SENT.value,
	EmailStatus.IN_DOUBT.value,
)
WITHOUT_REDIS = timedelta(minutes=15)  # nothing is sent that cannot be counted
IN_FLIGHT_SECONDS = 900  # an email that is not in the database by then was never written
KEPT_SECONDS = 3600
LONGEST_REASON = 140  # the length of the enrollment's column

# KEYS: the sorted set of one address. ARGV: now, own member, caps as JSON [[since, count]], history as JSON
# [[moment, member]], seconds. Returns {} if the email was counted, else the moments that count.
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


class ReservedSlot(NamedTuple):
	"""An email that a campaign has planned for an address."""

	at: datetime
	campaign: str


class FrequencyCap:
	"""The caps of this site for one batch, with the emails that its addresses got."""

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

	def reserve(self, address: str, email: str, zone: str, planned: datetime) -> Deferral | None:
		"""Count the Drip Email `email` to `address` and return None, or return its deferral. An email counts once."""
		key = hash_address(address)
		if deferral := self._yield_to_priority(key, email, find_zone(zone), planned):
			return deferral
		try:
			moments = self._count(key, email, zone)
		except redis.RedisError:
			return Deferral(self._now + WITHOUT_REDIS, _("Redis cannot be reached to count emails"))
		if moments is None:
			return None
		until = free_from(self._caps, moments, find_zone(zone), planned, self._now)
		return Deferral(max(until, self._now + timedelta(minutes=1)), self._reason)

	def _yield_to_priority(self, key: str, email: str, zone: ZoneInfo, planned: datetime) -> Deferral | None:
		"""Defer an email that would use the place of one that a campaign of a higher priority has planned."""
		reserved = self._reserved.get(key)
		if not reserved:
			return None
		sent = [moment for name, moment in self._history[key].items() if name != email]
		until = free_from(self._caps, [*sent, *(one.at for one in reserved)], zone, planned, self._now)
		if until <= self._now:
			return None
		first = min(reserved)
		reason = _("{0}, and room for {1}").format(self._reason, first.campaign)
		return Deferral(until, reason[:LONGEST_REASON])

	def _count(self, key: str, email: str, zone: str) -> list[datetime] | None:
		limits = [
			[one.at.timestamp(), one.cap.count] for one in since(self._caps, find_zone(zone), self._now)
		]
		history = [[moment.timestamp(), name] for name, moment in self._history[key].items() if name != email]
		arguments = (self._now.timestamp(), email, json.dumps(limits), json.dumps(history))
		scores = self._reserve(keys=[self._prefix + key], args=[*arguments, IN_FLIGHT_SECONDS, KEPT_SECONDS])
		return [datetime.fromtimestamp(float(score), timezone.utc) for score in scores[1::2]] or None

	@property
	def _reason(self) -> str:
		caps = [
			_("{0} in {1} days").format(cap.count, cap.days)
			if cap.days > 1
			else _("{0} a day").format(cap.count)
			for cap in self._caps
		]
		return _("the frequency cap ({0})").format(", ".join(caps))


def load_cap(campaign, addresses: Iterable[str], now: datetime) -> FrequencyCap | None:
	"""Return the cap for a Drip Campaign's emails, or None if there is none."""
	settings = frequency_settings()
	caps = find_caps(settings.count, settings.days, one_per_day=settings.one_per_day)
	if not caps or campaign.is_transactional:
		return None
	addresses = [address for address in addresses if address]
	days = max(cap.days for cap in caps)
	return FrequencyCap(caps, addresses, now, _load_reserved_slots(campaign, addresses, days, now))


def _load_history(keys: set[str], caps: tuple[Cap, ...], now: datetime) -> Mapping[str, dict[str, datetime]]:
	history: dict[str, dict[str, datetime]] = defaultdict(dict)
	if not keys:
		return history
	# One day more than the longest cap, because calendar days begin at different times in different zones
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


def _load_reserved_slots(
	campaign, addresses: Iterable[str], days: int, now: datetime
) -> Mapping[str, list[ReservedSlot]]:
	"""Return what campaigns of a higher priority have planned for `addresses` in these days, by the hash of the address.

	Only the next email of each enrollment counts, because later ones may still change.
	"""
	reserved: dict[str, list[ReservedSlot]] = defaultdict(list)
	filters = {
		"status": CampaignStatus.ACTIVE.value,
		"is_transactional": 0,
		"priority": [">", campaign.priority or 0],
	}
	higher = frappe.get_all("Drip Campaign", filters=filters, fields=["name", "campaign_name"])
	keys = {
		live_key(row.name, "address", normalize(address)): (hash_address(address), row.campaign_name)
		for row in higher
		for address in addresses
		if address
	}
	if not keys:
		return reserved
	for live_address, planned in _find_planned(keys, to_site(now + timedelta(days=days))):
		key, name = keys[live_address]
		reserved[key].append(ReservedSlot(from_site(planned), name))
	return reserved


def _find_planned(keys: Iterable[str], until: datetime) -> Iterable[tuple[str, datetime]]:
	enrollment, step = frappe.qb.DocType("Drip Enrollment"), frappe.qb.DocType("Drip Campaign Step")
	return (
		frappe.qb.from_(enrollment)
		.inner_join(step)
		.on(step.name == enrollment.next_step)
		.select(enrollment.live_address, enrollment.next_send_at)
		.where(is_among(enrollment.live_address, keys) & (enrollment.next_send_at < until))
		.where((step.step_type == StepType.SEND.value) & (step.is_paused == 0))
		.run()
	)
