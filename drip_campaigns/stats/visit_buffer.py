"""The buffer of visits that are not counted yet: a list in the queue's Redis, or a file while Redis is down.

A request only adds a line. A line is removed after it is counted. A line that is read twice is counted once, because
its id is the name of its event in the log.
"""

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import frappe
import redis
from frappe.utils.background_jobs import get_redis_conn

from drip_campaigns.core.tracking.visits import Visit, read_visit, write_visit

VISITS_PER_HOUR = 1000  # of one email, so that repeated requests cannot fill the log
MOST_WAITING = 2_000_000  # lines, so that a buffer without a worker cannot fill the memory
FILE_NAME = "drip_visits.jsonl"

# KEYS: list, counter of the email. ARGV: line, visits an hour, lines. Returns 1 if the line was added.
_PUSH = """
local count = redis.call('INCR', KEYS[2])
if count == 1 then redis.call('EXPIRE', KEYS[2], 3600) end
if count > tonumber(ARGV[2]) or redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
return 1
"""
# KEYS: list, lines counted last. ARGV: the first line, how many lines, which of them to keep for a while.
# Another worker may have removed the same lines: then the list starts with another one.
_REMOVE = """
if redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return 0 end
redis.call('LTRIM', KEYS[1], tonumber(ARGV[2]), -1)
redis.call('DEL', KEYS[2])
for i = 3, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('EXPIRE', KEYS[2], 60)
return 1
"""


@dataclass(frozen=True)
class Buffer:
	"""The Redis list of a site's visits."""

	redis: redis.Redis
	db_name: str

	def push(self, visit: Visit) -> None:
		"""Keep a visit until it is counted; raise redis.RedisError if Redis fails."""
		keys = (_name(self.db_name, "visits"), _name(self.db_name, f"visits-of:{visit.mail}"))
		self.redis.eval(_PUSH, 2, *keys, write_visit(visit), VISITS_PER_HOUR, MOST_WAITING)


def site_buffer() -> Buffer:
	"""Return this site's buffer."""
	return Buffer(_redis(frappe.conf.redis_queue), frappe.conf.db_name)


def push(visit: Visit) -> None:
	"""Keep a visit until it is counted. Never raises, so that the recipient is always redirected."""
	try:
		site_buffer().push(visit)
		return
	except redis.RedisError:
		_redis.cache_clear()
		frappe.logger("drip_campaigns").warning("Redis keeps no visits: they wait in a file")
	try:
		_append(write_visit(visit))
	except OSError:
		frappe.logger("drip_campaigns").error("A visit of %s cannot be kept anywhere", visit.mail)


def read(limit: int) -> list[bytes]:
	"""Return the oldest lines, `limit` at most; raise redis.RedisError if Redis is down."""
	_move_file_to_redis()
	return get_redis_conn().lrange(_key("visits"), 0, limit - 1)


def read_recent() -> list[Visit]:
	"""Return the visits that were counted last, to recognize a burst that started before."""
	lines = get_redis_conn().lrange(_key("visits-counted"), 0, -1)
	return [visit for visit in map(read_visit, lines) if visit]


def remove_counted(lines: Sequence[bytes], recent: Sequence[bytes]) -> None:
	"""Remove lines that are counted, the first ones of the list; `recent` stay readable for a minute."""
	keys = (_key("visits"), _key("visits-counted"))
	get_redis_conn().eval(_REMOVE, 2, *keys, lines[0], len(lines), *recent)


def clear() -> None:
	"""Empty the buffer, and delete the file."""
	get_redis_conn().delete(_key("visits"), _key("visits-counted"))
	_file().unlink(missing_ok=True)


@lru_cache(maxsize=16)
def _redis(_url: str) -> redis.Redis:
	# Cached: Frappe reads the site's configuration files each time, and a visit must not wait for files.
	return get_redis_conn()


def _key(name: str) -> str:
	return _name(frappe.conf.db_name, name)


def _name(db_name: str, name: str) -> str:
	return f"drip_campaigns:{db_name}:{name}"


def _file() -> Path:
	return Path(frappe.get_site_path("private", FILE_NAME))


def _append(line: str) -> None:
	"""Write a whole line in one call, because several workers write at the same time."""
	handle = os.open(_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
	try:
		fcntl.flock(handle, fcntl.LOCK_SH)  # many may append; only one empties the file
		os.write(handle, line.encode() + b"\n")
	finally:
		os.close(handle)


def _move_file_to_redis() -> None:
	"""Move the file's lines to Redis. If this is interrupted, ids ensure that each is counted once."""
	try:
		handle = os.open(_file(), os.O_RDWR)
	except FileNotFoundError:
		return
	try:
		fcntl.flock(handle, fcntl.LOCK_EX)
		with open(handle, "rb", closefd=False) as file:
			lines = file.read().splitlines()
		if lines:
			get_redis_conn().rpush(_key("visits"), *lines)
		os.ftruncate(handle, 0)
	finally:
		os.close(handle)
