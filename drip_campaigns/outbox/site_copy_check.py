"""Find out whether the site is a copy or a restored backup, which must not email the customers of the original.

Drip Settings record the site's name, address, and host, and a trace of the key that hashes addresses; every backup
contains them. A file in the site's folder records when the dispatch last ran. Clearing Pause All Sending confirms the
site, and records everything again.
"""

import json
import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlparse

import frappe
from frappe import _

from drip_campaigns.db.single_writes import write_settings
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.public_address import is_loopback, public_url

RECORD_EVERY = timedelta(hours=1)
TOLERANCE = timedelta(hours=3)
MARKER = "drip_campaigns.json"


def load_record() -> tuple[dict, datetime | None]:
	"""Return what was recorded about the site, and the time of the last dispatch in its file; one statement."""
	marked = _read_marker()  # read before the database, because it is written after it
	return frappe.db.get_singles_dict("Drip Settings"), marked


def find_copy_reason(recorded: Mapping, marked: datetime | None) -> str | None:
	"""Return why the site of this record looks like a copy or a restored backup, or None. Records nothing."""
	if not recorded.get("recorded_site"):
		return None
	if reason := _compare(recorded):
		return reason
	if not _is_behind(from_site(recorded.get("last_dispatch_at")), marked):
		return None
	last = _lock_last_dispatch()
	if not _is_behind(last, marked):
		return None
	return _(
		"The database is from {0}, but this site sent emails until {1}. It was restored from a backup."
	).format(to_site(last), to_site(marked))


def record_site_if_due(recorded: Mapping, now: datetime) -> None:
	"""Record the site and the time of this dispatch, at most once an hour."""
	is_known = recorded.get("recorded_site")
	if not is_known or (
		_is_due(from_site(recorded.get("last_dispatch_at")), now) and _is_due(_lock_last_dispatch(), now)
	):
		record_site(now)


def record_site(now: datetime) -> None:
	"""Record the site in the database, and after the commit the time of this dispatch in the file."""
	values = {**_present(), "last_dispatch_at": to_site(now)}
	for field, value in values.items():
		write_settings("Drip Settings", {field: value}, update_modified=False)
	frappe.db.after_commit.add(lambda: _write_marker(now))


def _is_behind(last: datetime | None, marked: datetime | None) -> bool:
	return bool(last and marked and marked - last > TOLERANCE)


def _is_due(last: datetime | None, now: datetime) -> bool:
	return last is None or now - last >= RECORD_EVERY


def _lock_last_dispatch() -> datetime | None:
	"""Lock and return the last dispatch: another one may have recorded it since this transaction began to read."""
	single = frappe.qb.DocType("Singles")
	rows = (
		frappe.qb.from_(single)
		.select(single.value)
		.where((single.doctype == "Drip Settings") & (single.field == "last_dispatch_at"))
		.for_update()
		.run(pluck=True)
	)
	return from_site(rows[0]) if rows else None


def _compare(recorded: Mapping) -> str | None:
	present = _present()
	for field, label in (
		("recorded_site", _("name")),
		("recorded_address", _("address")),
		("recorded_host", _("host")),
	):
		if recorded.get(field) and present[field] and recorded[field] != present[field]:
			return _("The {0} of this site was {1} and is now {2}.").format(
				label, recorded[field], present[field]
			)
	if has_new_key(recorded):
		return _(
			"The encryption_key in site_config.json has changed, so people whose data was erased are no longer recognized as "
			"opted out. Restore the old key, or set it as drip_address_key."
		)
	return None


def has_new_key(recorded: Mapping | None = None) -> bool:
	"""Return True if addresses are hashed with another key than the recorded one."""
	before = (load_record()[0] if recorded is None else recorded).get("recorded_key")
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
	"""Return the host of the site's address, or an empty string for a local one, which does not identify the site."""
	host = urlparse(public_url()).hostname or ""
	return "" if is_loopback(host) else host


def _host() -> str:
	"""Return the machine's name, or site_config's `drip_host`. A container's name changes with every deployment."""
	in_container = os.path.exists("/.dockerenv") or os.environ.get("KUBERNETES_SERVICE_HOST")
	return frappe.conf.get("drip_host") or ("" if in_container else socket.gethostname())


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
		return None  # the first run, or a folder without the file


def forget_site() -> None:
	"""Delete the file: the app is being uninstalled."""
	_marker().unlink(missing_ok=True)
