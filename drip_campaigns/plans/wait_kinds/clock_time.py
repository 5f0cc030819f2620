"""Waits until a time of day."""

from drip_campaigns.core.flow.wait_kinds.clock_time import ClockWait
from drip_campaigns.plans.wait_kind import WaitKind


class ClockWaitKind(WaitKind):
	"""Shows the time with minutes."""

	awaited = ClockWait

	def describe(self, awaited: ClockWait) -> str:
		return f"{awaited.clock:%H:%M}"
