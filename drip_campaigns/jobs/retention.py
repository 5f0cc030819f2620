"""How long the log is kept: Frappe's Log Settings say it. What is cleared is still in the sums."""

from datetime import timedelta

import frappe

from drip_campaigns.db.bulk_writes import delete_rows
from drip_campaigns.site.clock import to_site, utc_now
from drip_campaigns.stats.counters import keep_totals_without

BATCH = 5000


def clear_events(days: int) -> int:
	"""Delete the events that are older than so many days, batch by batch, and return how many. Commits after each."""
	before, total = to_site(utc_now() - timedelta(days=days)), 0
	while names := _find_older(before):
		keep_totals_without("name", names)
		delete_rows("Drip Event", names)
		frappe.db.commit()
		total += len(names)
	return total


def _find_older(before) -> list[str]:
	frappe.db.commit()  # the lock comes first, and what is read after it is not older
	filters = {"occurred_at": ["<", before]}
	return frappe.get_all("Drip Event", filters=filters, pluck="name", order_by="occurred_at", limit=BATCH)
