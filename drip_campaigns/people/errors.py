"""What can be wrong with an enrollment. The edge turns each into a message with the record, the cause and the remedy."""

from drip_campaigns.core.errors import DripError


class UnknownRecipientTypeError(DripError):
	"""Records of this kind cannot be enrolled."""

	def __init__(self, doctype: str) -> None:
		super().__init__(f"{doctype} records cannot be enrolled in a campaign.")
		self.doctype = doctype


class CannotCreateError(DripError):
	"""Records of this kind are not made by enrolling."""
