"""Lift many suppressions at once, after a mail server's mistake or ours. Nothing here commits.

Only what a server or a user decided: what the recipient asked for (an opt-out, a complaint) is lifted one by one, with proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import EventType, Status, SuppressionReason
from drip_campaigns.db import bulk_writes
from drip_campaigns.db.dialect import is_among
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.refusals import VerbResult
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.people.addresses import hash_address, normalize, spellings
from drip_campaigns.people.suppression import DOCTYPE, EXIT_REASONS
from drip_campaigns.site.clock import to_site

BATCH_SIZE = 500
MOST_AT_ONCE = 5000
LIFTABLE = (SuppressionReason.HARD_BOUNCE, SuppressionReason.MANUAL)


@dataclass(frozen=True)
class Choice:
	"""Which suppressions to lift: all of a reason, or of those the ones with a phrase in the note, of a day, of a campaign."""

	reason: SuppressionReason
	phrase: str = ""
	day: date | None = None  # in site time
	campaign: str = ""  # an email of this campaign bounced

	@classmethod
	def read(cls, reason: str, phrase: str, day: date | None, campaign: str) -> "Choice":
		"""Return the choice that these texts mean; raise DripError with the remedy if it may not be lifted at once."""
		if reason not in [known.value for known in LIFTABLE]:
			message = _(
				"Only {0} can be lifted at once. The others were the recipient's own wish: lift them one by one."
			)
			raise DripError(message.format(" / ".join(_(known.value) for known in LIFTABLE)))
		return cls(SuppressionReason(reason), phrase.strip(), day, campaign)


def find_suppressions(choice: Choice) -> list[str]:
	"""Return the names of the suppressions of a choice that are not lifted, always in the same order."""
	filters: list[list[Any]] = [["reason", "=", choice.reason.value], ["lifted", "=", 0]]
	if choice.phrase:
		escaped = choice.phrase.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
		filters.append(["note", "like", f"%{escaped}%"])
	if choice.day:
		begin = datetime.combine(choice.day, time())
		filters += [["suppressed_at", ">=", begin], ["suppressed_at", "<", begin + timedelta(days=1)]]
	names = frappe.get_all(DOCTYPE, filters=filters, pluck="name", order_by="name")
	if not choice.campaign:
		return names
	bounced = {"campaign": choice.campaign, "bounce": "Hard"}
	hashes = set(map(hash_address, frappe.get_all("Drip Email", filters=bounced, pluck="email_address")))
	return [name for name in names if name in hashes]


def lift_suppressions(names: Sequence[str], because: str, now: datetime) -> tuple[int, VerbResult]:
	"""Lift these suppressions, and resume the enrollments that ended because of them where they were.

	Return how many were lifted, and the result of resuming. One that is lifted already is left as it is.
	"""
	lifted, result = 0, VerbResult()
	for batch in create_batch(list(names), BATCH_SIZE):
		rows = _lock(batch)
		ended = _find_ended(rows)
		values = {"lifted": 1, "lifted_at": to_site(now), "lifted_reason": because}
		bulk_writes.set_values(DOCTYPE, [row.name for row in rows], values, to_site(now))
		lines = [
			{"event_type": EventType.LIFTED.value, "detail": because, "email_address": row.email_address}
			for row in rows
		]
		record_events(lines, to_site(now))
		result.add(resume_enrollments(ended, now, detail=because))
		lifted += len(rows)
	return lifted, result


def _lock(names: Sequence[str]) -> list[frappe._dict]:
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.email_address, table.reason, table.suppressed_at)
	wanted = is_among(table.name, names) & (table.lifted == 0)
	wanted &= table.reason.isin([reason.value for reason in LIFTABLE])
	return query.where(wanted).orderby(table.name).for_update().run(as_dict=True)


def _find_ended(rows: Sequence[Mapping[str, Any]]) -> list[str]:
	"""Return the enrollments that ended since each suppression, with the reason that it gives."""
	by_address = {normalize(row["email_address"]): row for row in rows if row["email_address"]}
	if not by_address:
		return []
	event, enrollment = frappe.qb.DocType("Drip Event"), frappe.qb.DocType("Drip Enrollment")
	spelled = sorted({spelling for address in by_address for spelling in spellings(address)})
	found = (
		frappe.qb.from_(enrollment)
		.inner_join(event)
		.on(event.enrollment == enrollment.name)
		.select(enrollment.name, enrollment.email_address, enrollment.exit_reason, event.occurred_at)
		.where(is_among(enrollment.email_address, spelled) & (enrollment.status == Status.EXITED.value))
		.where(event.event_type == EventType.EXITED.value)
		.orderby(enrollment.name)
		.run(as_dict=True)
	)
	ended = []
	for row in found:
		suppression = by_address.get(normalize(row.email_address))
		if suppression is None or row.occurred_at < suppression["suppressed_at"].replace(microsecond=0):
			continue
		reason = EXIT_REASONS[SuppressionReason(suppression["reason"])]
		if reason and row.exit_reason == reason.value:
			ended.append(row.name)
	return list(dict.fromkeys(ended))
