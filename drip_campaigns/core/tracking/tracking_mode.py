"""What may be recorded of opens and clicks. Asked for each email when it is made; what follows is the tracking's."""

from __future__ import annotations

from drip_campaigns.core.model import Label


class TrackingMode(Label):
	"""How much is recorded: nothing, sums that say nothing of a person, or who did what."""

	NONE = "None"
	ANONYMOUS = "Anonymous Totals"
	INDIVIDUAL = "Individual"


def effective_mode(mode: TrackingMode, consent: bool | None, *, needs_consent: bool) -> TrackingMode:
	"""Return the mode for one person of a campaign with `mode`; never more than the campaign's own.

	`consent` is what the person has said: True, False (refused or withdrawn) or None (nothing). Who said no is never
	tracked as a person, whatever the settings; who said nothing only if the settings demand no consent.
	"""
	if mode is not TrackingMode.INDIVIDUAL or consent:
		return mode
	allowed = consent is None and not needs_consent
	return TrackingMode.INDIVIDUAL if allowed else TrackingMode.ANONYMOUS
