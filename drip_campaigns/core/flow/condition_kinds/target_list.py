"""A condition on membership in a Target List."""

from __future__ import annotations

from drip_campaigns.core.flow.condition_test import MembershipTest


class ListTest(MembershipTest):
	"""Asks whether the recipient is on a Target List."""

	kind = "list"
