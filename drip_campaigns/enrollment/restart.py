"""Start enrollments over, in batches: the old ones end, and the same records begin at the first step. Nothing here commits."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.model import ExitReason
from drip_campaigns.enrollment.changes import detail_of_user, lock_enrollments
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.exit import end_rows
from drip_campaigns.enrollment.refusals import Refusal, VerbResult
from drip_campaigns.plans.enrollment_state import LIVE_VALUES

_SAVE_POINT = "drip_restart"


def restart_enrollments(names: Sequence[str], now: datetime) -> VerbResult:
	"""End these enrollments and enroll their records anew. A record that is refused keeps its enrollment as it is."""
	result = VerbResult()
	groups: dict[tuple, list[frappe._dict]] = defaultdict(list)
	for row in lock_enrollments(names):
		if not row.recipient:  # deleted, or erased
			cause, remedy = _("no longer exists"), _("Remove the enrollment.")
			result.refusals[row.name] = Refusal("record", cause, remedy, row.recipient_name or "")
			continue
		groups[row.campaign, row.recipient_type, row.target_list].append(row)
	for group in groups.values():
		refusals = _end_and_enroll(group, now)
		allowed = [row for row in group if row.recipient not in refusals]
		if refusals:
			frappe.db.rollback(save_point=_SAVE_POINT)
			_end_and_enroll(allowed, now)
		result.done += len(allowed)
		result.refusals |= {row.name: refusals[row.recipient] for row in group if row.recipient in refusals}
	return result


def _end_and_enroll(rows: Sequence[frappe._dict], now: datetime) -> dict[str, Refusal]:
	"""End these enrollments of one campaign and enroll their records; return the refusals by record."""
	frappe.db.savepoint(_SAVE_POINT)
	if not rows:
		return {}
	end_rows([row for row in rows if row.status in LIVE_VALUES], ExitReason.REMOVED, detail_of_user(), now)
	refusals: dict[str, Refusal] = {}
	for result in enroll_many(
		rows[0].campaign,
		rows[0].recipient_type,
		[row.recipient for row in rows],
		now,
		target_list=rows[0].target_list,
		restarts=True,
	):
		refusals |= result.refusals
	return refusals
