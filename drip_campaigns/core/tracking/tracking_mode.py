"""How much of opens and clicks may be recorded, decided for each email when it is made."""

from __future__ import annotations

from drip_campaigns.core.model import Label


class TrackingMode(Label):
	"""How much is recorded: nothing, totals without persons, or each person's opens and clicks."""

	NONE = "None"
	ANONYMOUS = "Anonymous Totals"
	INDIVIDUAL = "Individual"


def effective_mode(mode: TrackingMode, consent: bool | None, *, needs_consent: bool) -> TrackingMode:
	"""Return the mode for one person of a campaign with `mode`; never more than the campaign's own.

	`consent` is the person's answer: True, False (refused or withdrawn) or None (no answer). A person who refused is
	never tracked individually; a person without an answer only if the settings require no consent.
	"""
	if mode is not TrackingMode.INDIVIDUAL or consent:
		return mode
	allowed = consent is None and not needs_consent
	return TrackingMode.INDIVIDUAL if allowed else TrackingMode.ANONYMOUS
