"""Beginning anew by hand: the old enrollments end, and the same records begin at the first step. Nothing here commits."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.model import ExitReason
from drip_campaigns.enrollment.bulk import enroll_many
from drip_campaigns.enrollment.exit import exit_enrollments
from drip_campaigns.plans.enrollment_state import LIVE_VALUES

_POINT = "start_over"


def restart(rows: Sequence[frappe._dict], detail: str, now: datetime) -> tuple[int, Counter[str]]:
	"""Let the records of these enrollments begin anew; return how many did, and how many not, by reason.

	Who cannot be enrolled again keeps the enrollment as it is.
	"""
	done, refused = 0, Counter()
	groups: dict[tuple, list[frappe._dict]] = defaultdict(list)
	for row in rows:
		groups[row.campaign, row.recipient_type, row.target_list].append(row)
	for (campaign, recipient_type, target_list), group in groups.items():
		reasons = _try(campaign, recipient_type, target_list, group, detail, now)
		allowed = [row for row in group if row.recipient not in reasons]
		if reasons:
			frappe.db.rollback(save_point=_POINT)
			_try(campaign, recipient_type, target_list, allowed, detail, now)
		done += len(allowed)
		refused.update(reasons.values())
	return done, refused


def _try(
	campaign: str,
	recipient_type: str,
	target_list: str | None,
	rows: Sequence[frappe._dict],
	detail: str,
	now: datetime,
) -> dict[str, str]:
	"""End these enrollments and enroll their records; return who was refused, with the reason."""
	frappe.db.savepoint(_POINT)
	exit_enrollments([row.name for row in rows if row.status in LIVE_VALUES], ExitReason.REMOVED, detail, now)
	names = [row.recipient for row in rows]
	reasons: dict[str, str] = {}
	for result in enroll_many(
		campaign, recipient_type, names, now, target_list=target_list, starts_over=True
	):
		reasons |= result.reasons
	return reasons
