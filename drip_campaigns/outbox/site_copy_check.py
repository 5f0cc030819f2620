"""Is this still the site that we noted? A backup restored elsewhere must not write to the customers of the original.

Noted in Drip Settings, and so part of every backup: site name, address, host, and a trace of the key that addresses are
kept by. Noted beside the database, in the
site's folder: when the dispatch last ran. Lifting Hold All Sending notes everything anew: that is the confirmation.
"""

import ipaddress
import json
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlparse

import frappe
from frappe import _
from frappe.utils import get_url

from drip_campaigns.people.addresses import hash_address
from drip_campaigns.site.clock import from_site, to_site

NOTE_EVERY = timedelta(hours=1)
TOLERANCE = timedelta(hours=3)
MARKER = "drip_campaigns.json"


def check_site_copy(now: datetime) -> str | None:
	"""Return why this looks like a copy or a restored backup, or None; notes what it sees at most once an hour."""
	marked = _read_marker()  # read before the database, for it is written after it
	noted = _read_note()
	if not noted.get("recorded_site"):
		record_site(now)
		return None
	last = from_site(noted.get("last_dispatch_at"))
	doubt = _compare(noted)
	if doubt or not (_is_behind(last, marked) or _is_time_to_note(last, now)):
		return doubt
	last = _lock_last_dispatch()
	if _is_behind(last, marked):
		return _(
			"The database is of {0}, but emails were sent from here until {1}: a backup was restored."
		).format(to_site(last), to_site(marked))
	if _is_time_to_note(last, now):
		record_site(now)
	return None


def record_site(now: datetime) -> None:
	"""Note that this is the site: in the database, and when it was, once that is committed, beside it."""
	values = {**_present(), "last_dispatch_at": to_site(now)}
	for field, value in values.items():
		frappe.db.set_single_value("Drip Settings", field, value, update_modified=False)
	frappe.db.after_commit.add(lambda: _write_marker(now))


def _is_behind(last: datetime | None, marked: datetime | None) -> bool:
	return bool(last and marked and marked - last > TOLERANCE)


def _is_time_to_note(last: datetime | None, now: datetime) -> bool:
	return last is None or now - last >= NOTE_EVERY


def _lock_last_dispatch() -> datetime | None:
	"""Return what is committed by now: another dispatch may have noted since this transaction began to read."""
	single = frappe.qb.DocType("Singles")
	rows = (
		frappe.qb.from_(single)
		.select(single.value)
		.where((single.doctype == "Drip Settings") & (single.field == "last_dispatch_at"))
		.for_update()
		.run(pluck=True)
	)
	return from_site(rows[0]) if rows else None


def _compare(noted: dict) -> str | None:
	present = _present()
	for field, label in (
		("recorded_site", _("name")),
		("recorded_address", _("address")),
		("recorded_host", _("host")),
	):
		if noted.get(field) and present[field] and noted[field] != present[field]:
			return _("The {0} of this site was {1} and is now {2}.").format(
				label, noted[field], present[field]
			)
	if has_new_key(noted):
		return _(
			"The encryption_key in site_config.json is another one, so whoever had their data erased is no longer known as "
			"opted out. Put the old key back, or set it as drip_address_key."
		)
	return None


def has_new_key(noted: dict | None = None) -> bool:
	"""Tell whether addresses are hashed with another key than the one that was noted."""
	before = (_read_note() if noted is None else noted).get("recorded_key")
	return bool(before) and before != _trace_of_key()


def _trace_of_key() -> str:
	return hash_address("trace@drip-campaigns.invalid")


def _present() -> dict[str, str]:
	return {
		"recorded_site": frappe.local.site,
		"recorded_address": _public_host(),
		"recorded_host": _host(),
		"recorded_key": _trace_of_key(),
	}


def _public_host() -> str:
	"""Return the host of the site's address; an address of this machine only says nothing about whose site it is."""
	host = urlparse(get_url()).hostname or ""
	if host == "localhost" or host.endswith(".localhost"):
		return ""
	try:
		return "" if ipaddress.ip_address(host).is_loopback else host
	except ValueError:
		return host


def _host() -> str:
	"""Return the machine's name, or site_config's `drip_host`. A container's name changes with every deployment."""
	in_container = os.path.exists("/.dockerenv") or os.environ.get("KUBERNETES_SERVICE_HOST")
	return frappe.conf.get("drip_host") or ("" if in_container else socket.gethostname())


def _read_note() -> dict:
	return frappe.db.get_singles_dict("Drip Settings")


def _marker() -> Path:
	return Path(frappe.get_site_path("private", MARKER))


def _write_marker(now: datetime) -> None:
	marker = _marker()
	marker.parent.mkdir(parents=True, exist_ok=True)
	marker.write_text(json.dumps({"last_dispatch_at": now.isoformat()}))


def _read_marker() -> datetime | None:
	try:
		return datetime.fromisoformat(json.loads(_marker().read_text())["last_dispatch_at"])
	except (OSError, ValueError, KeyError):
		return None  # the first run, or a folder that came without it


def forget_site() -> None:
	"""Remove what is noted beside the database: the app is being uninstalled."""
	_marker().unlink(missing_ok=True)
