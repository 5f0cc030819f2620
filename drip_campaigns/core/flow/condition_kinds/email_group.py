"""A condition on membership in an Email Group."""

from __future__ import annotations

from drip_campaigns.core.flow.condition_test import MembershipTest


class GroupTest(MembershipTest):
	"""Asks whether the address is in an Email Group."""

	kind = "group"
