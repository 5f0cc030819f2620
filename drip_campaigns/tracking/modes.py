"""What may be recorded of each e-mail of one run: the campaign's mode, narrowed by what its recipients have agreed to."""

from drip_campaigns.core.tracking_mode import TrackingMode, effective_mode
from drip_campaigns.dispatch.options import tracking_needs_consent
from drip_campaigns.enrollment.recipients import Recipient


class TrackingModes:
	"""The modes of one campaign's e-mails; reads the settings only where they make a difference."""

	def __init__(self, campaign) -> None:
		self._mode = TrackingMode(campaign.tracking_mode or TrackingMode.ANONYMOUS.value)
		self._needs_consent = self._mode is TrackingMode.INDIVIDUAL and tracking_needs_consent()

	def of(self, recipient: Recipient) -> TrackingMode:
		"""Return the mode of an e-mail to somebody whose own wishes are known."""
		return effective_mode(self._mode, recipient.tracking_consent, needs_consent=self._needs_consent)
