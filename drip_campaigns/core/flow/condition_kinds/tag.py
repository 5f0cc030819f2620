"""A condition on a tag of the recipient's record."""

from __future__ import annotations

from drip_campaigns.core.flow.condition_test import MembershipTest


class TagTest(MembershipTest):
	"""Asks whether the record has a tag, without regard to case."""

	kind = "tag"

	@property
	def key(self) -> str:
		return self.name.casefold()
