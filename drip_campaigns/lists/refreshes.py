"""The refreshes of target lists: their DocType, and the triggers that wait for who joins. Reads only."""

from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.triggers.trigger_cache import find_watching

DOCTYPE = "Drip Target List Refresh"


def find_waiting(target_list: str) -> tuple[str, ...]:
	"""Return the triggers of running campaigns that enroll whoever joins the list."""
	return tuple(row for row in find_watching(MEMBER) if row.target_list in (None, "", target_list))
