"""The tracking modes of one run's emails: the campaign's mode, limited by each recipient's consent; and their UTM."""

from drip_campaigns.core.tracking.tracking_mode import TrackingMode, effective_mode
from drip_campaigns.people.recipients import Recipient
from drip_campaigns.site.settings import tracking_needs_consent

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content")


class TrackingModes:
	"""The modes of one campaign's emails; reads the settings only if they matter."""

	def __init__(self, campaign) -> None:
		self._mode = TrackingMode(campaign.tracking_mode or TrackingMode.ANONYMOUS.value)
		self._needs_consent = self._mode is TrackingMode.INDIVIDUAL and tracking_needs_consent()

	@property
	def any(self) -> bool:
		"""Whether anything is recorded of the opens and clicks of this campaign's emails."""
		return self._mode is not TrackingMode.NONE

	def of(self, recipient: Recipient) -> TrackingMode:
		"""Return the mode of an email to a recipient, by their consent."""
		return effective_mode(self._mode, recipient.tracking_consent, needs_consent=self._needs_consent)


def find_utm(campaign, step) -> tuple[tuple[str, str], ...]:
	"""Return the UTM parameters of a step's links: the campaign's, and the step's own content."""
	values = {name: (campaign.get(name) or "").strip() for name in UTM}
	values["utm_content"] = (step.utm_content or "").strip() or values["utm_content"]
	return tuple((name, value) for name, value in values.items() if value)
