"""Restart, kill, empty, and stop MariaDB and Redis; on a bench, with the given commands.

Processes of the dev site are ended by their ids, never by name.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import frappe
from frappe.utils.background_jobs import get_redis_conn

from benchmarks.observers import ROOT


def is_on_bench() -> bool:
	"""Return whether the site is on a bench, and not this folder's own."""
	return not Path(os.environ["DRIP_SITES_PATH"]).resolve().is_relative_to((ROOT / ".dev").resolve())


@dataclass(frozen=True)
class Services:
	"""The site's services. On a bench, `mariadb` and `redis` are shell commands that restart them; leave empty to skip."""

	on_bench: bool = False
	mariadb: str = ""
	redis: str = ""

	def can(self, need: str) -> bool:
		"""Return whether a fault that needs this service can be caused here."""
		available = {
			"": True,
			"redis": True,
			"mariadb": bool(self.mariadb),
			"redis-restart": bool(self.redis),
		}
		return not self.on_bench or available[need]

	def restart_mariadb(self, *, kill: bool) -> None:
		"""Restart MariaDB, in order or by kill -9."""
		if self.on_bench:
			subprocess.run(self.mariadb, shell=True, check=True, capture_output=True)
			return
		self._end("mariadb", kill=kill)
		self._start()

	def flush_redis(self) -> None:
		"""Empty the Redis of queues and the one of caches; on a bench, only this site's keys."""
		queues = get_redis_conn()
		if not self.on_bench:
			queues.flushall()
			frappe.cache.flushall()
			return
		ours = queues.keys(f"drip_campaigns:{frappe.conf.db_name}:*")
		if ours:
			queues.delete(*ours)
		frappe.cache.delete_keys("")

	def stop_redis(self) -> None:
		"""Stop both Redis; on a bench they restart immediately."""
		if self.on_bench:
			subprocess.run(self.redis, shell=True, check=True, capture_output=True)
			return
		for name in ("redis-queue", "redis-cache"):
			self._end(name, kill=True)

	def start_redis(self) -> None:
		"""Start what `stop_redis` stopped."""
		if not self.on_bench:
			self._start()

	@staticmethod
	def _end(name: str, *, kill: bool) -> None:
		from dev import processes  # only where there is a dev site

		process = processes.find(name)
		if process and kill:
			processes.signal_group(process.pid, 9)
		processes.stop(name)

	@staticmethod
	def _start() -> None:
		from dev import services  # only where there is a dev site

		services.start_all()
