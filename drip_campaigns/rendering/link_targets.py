"""Where counted links lead: stored apart from campaigns and steps, so that the links of old emails outlive both."""

from collections.abc import Iterable
from datetime import datetime

import frappe
from frappe.utils.caching import request_cache

from drip_campaigns.core.tracking.links import Target, leads_to_the_web
from drip_campaigns.db.bulk_writes import insert_records, standard_values
from drip_campaigns.db.dialect import select_in
from drip_campaigns.site.clock import to_site

DOCTYPE = "Drip Tracking URL"
MOST_REMEMBERED = 10_000
_ESCAPES = {ord("<"): "%3C", ord(">"): "%3E"}  # as a browser sends them; a field would lose them as tags
# The targets that this process has read, by site and key: the target of a step's link never changes.
_found: dict[tuple[str, str], str] = {}


@request_cache
def named_urls() -> dict[str, tuple[str, str]]:
	"""Return, for each Tracking URL that texts can name, its key and where it leads."""
	rows = frappe.get_all(DOCTYPE, filters={"url_name": ["is", "set"]}, fields=["name", "url_name", "url"])
	return {row.url_name: (row.name, row.url) for row in rows}


def store_targets(targets: Iterable[Target], campaign, step: str, now: datetime) -> None:
	"""Store where the links of a step lead, in the transaction of its emails. Most links are stored already."""
	wanted = {target.key: target for target in targets}
	if not wanted:
		return
	# Read first: an insert also locks existing rows, and other workers write the same step's emails.
	known = {row.name for row in select_in(DOCTYPE, ["name"], "name", list(wanted))}
	standard = {**standard_values(campaign.owner, to_site(now)), "campaign": campaign.name, "step": step}
	records = [
		{**standard, "name": key, "url": target.url.translate(_ESCAPES), "target": target.target or None}
		for key, target in wanted.items()
		if key not in known
	]
	insert_records(DOCTYPE, records, keep_existing=True)


def find_target(key: str, own_url: str) -> str:
	"""Return where the link `key` leads; raise frappe.DoesNotExistError if nowhere.

	`own_url` is the address that the link's token carries, if it is different for each recipient.
	"""
	target = own_url or _found.get((frappe.local.site, key)) or _load_target(key)
	if not leads_to_the_web(target):
		raise frappe.DoesNotExistError
	return target


def cached_target(site: str, key: str, own_url: str) -> str:
	"""Return where the link `key` of a site leads if this process has read it, otherwise nothing. Needs no site."""
	target = own_url or _found.get((site, key), "")
	return target if leads_to_the_web(target) else ""


def _load_target(key: str) -> str:
	row = frappe.db.get_value(DOCTYPE, key, ["target", "step"], as_dict=True) or frappe._dict()
	if row.step and row.target:
		if len(_found) >= MOST_REMEMBERED:
			_found.clear()
		_found[frappe.local.site, key] = row.target
	return row.target or ""
