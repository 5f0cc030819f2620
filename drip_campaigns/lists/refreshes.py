"""The DocType of target list refreshes, and the triggers that enroll new members."""

from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.triggers.trigger_cache import find_watching

DOCTYPE = "Drip Target List Refresh"


def find_waiting(target_list: str) -> tuple[str, ...]:
	"""Return the triggers of running campaigns that enroll people who join the list."""
	return tuple(row for row in find_watching(MEMBER) if row.target_list in (None, "", target_list))
