"""When a campaign has to stop by itself: too much of what it sends comes back, or is complained about."""

from __future__ import annotations

LEAST_EVENTS = 3  # two unlucky addresses are no trend


def is_too_much(events: int, sent: int, percent: float, sample: int) -> bool:
	"""Say whether `events` among `sent` e-mails are above a rate in per cent; a rate of 0 pauses nothing."""
	return percent > 0 and sent >= sample and events >= LEAST_EVENTS and events * 100 > percent * sent
