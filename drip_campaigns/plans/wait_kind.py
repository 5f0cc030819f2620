"""What a wait kind is on a site: its sentence and its check. What it waits for is in `core/flow/wait_kinds/`."""

from collections.abc import Iterator

from drip_campaigns.core.flow.wait_kind import Awaited
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.plans.condition_registry import CONDITION_KINDS


class WaitKind:
	"""One kind of wait. One that waits for a test needs nothing of its own: its condition kind describes and checks it."""

	awaited: type[Awaited]  # the pure part

	def __init__(self, awaited: type[Awaited] | None = None) -> None:
		self.awaited = awaited or self.awaited

	def describe(self, awaited) -> str:
		"""Return what ends the wait: "Welcome was opened"."""
		return ", ".join(CONDITION_KINDS.get(test.kind).describe(test) for test in awaited.tests)

	def find_forbidden(self, awaited, rights: FieldRights) -> Iterator[str]:
		"""Yield what a wait reads of the record and those of `rights` may not read; its tests are checked as conditions."""
		return iter(())

	def find_missing_fields(self, awaited) -> Iterator[str]:
		"""Yield the sentences about fields that do not exist."""
		for test in awaited.tests:
			if sentence := CONDITION_KINDS.get(test.kind).find_missing_field(test):
				yield sentence
