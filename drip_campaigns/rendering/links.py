"""Make and read the links in emails."""

import frappe

from drip_campaigns.core.tracking import tokens
from drip_campaigns.core.tracking.tokens import InvalidTokenError, Purpose
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.rendering.link_targets import named_urls
from drip_campaigns.rendering.link_tracker import Tracker
from drip_campaigns.site.public_address import public_url
from drip_campaigns.site.signing_keys import token_keys

ROOT = "drip"
PREVIEW_TOKEN = "test"  # nosec B105 # a token that no page accepts
LONGEST_CLICK = 4000  # it may carry an address of 2,000 characters
FINGERPRINT_LENGTH = 16  # of 32: 64 bits, enough to exclude a match by chance


class Links:
	"""The links of a run."""

	def __init__(self) -> None:
		self._keys = token_keys()
		self._root = public_url(f"/{ROOT}/")

	def unsubscribe(self, enrollment: str) -> str:
		"""Return the page on which the recipient of `enrollment` can unsubscribe; opening it changes nothing."""
		return self._make(Purpose.LEAVE, enrollment)

	def preferences(self, enrollment: str, address: str) -> str:
		"""Return the page on which the owner of `address` chooses what to get; it is valid for this address only."""
		return self._make(Purpose.PREFERENCES, person_subject(enrollment, address))

	def change(self, change_key: str) -> str:
		"""Return the page on which a person confirms an address; `change_key` names the request."""
		return self._make(Purpose.ADDRESS, change_key)

	def confirm(self, subject: str) -> str:
		"""Return the page on which a person confirms what `subject`, the id of a record, waits for."""
		return self._make(Purpose.CONFIRM, subject)

	def view(self, drip_email: str) -> str:
		"""Return the page that shows one Drip Email in a browser."""
		return self._make(Purpose.VIEW, drip_email)

	@property
	def root(self) -> str:
		"""The start of all links of recipients."""
		return self._root

	def preview(self, purpose: Purpose = Purpose.LEAVE) -> str:
		"""Return a link of previews and test emails: its page explains that, and changes nothing."""
		return f"{self._root}{purpose.value}/{PREVIEW_TOKEN}"

	def tracker(self, drip_email: str, utm: tuple[tuple[str, str], ...] = ()) -> Tracker:
		"""Return the tracker of one Drip Email; with an empty name, of an email that is not tracked."""
		return Tracker(self._root, drip_email, self._keys, named_urls(), utm)

	def _make(self, purpose: Purpose, subject: str) -> str:
		return f"{self._root}{purpose.value}/{tokens.sign(purpose, subject, self._keys)}"


def person_subject(enrollment: str, address: str) -> str:
	"""Return the subject of a person's link: the enrollment and a hash of the email's address.

	A record's address may change, and the owner of the old mailbox must not see what the new one gets.
	"""
	return f"{enrollment}~{hash_address(address)[:FINGERPRINT_LENGTH]}"


def find_person(subject: str) -> str:
	"""Return the address that `person_subject` was made for; raise frappe.DoesNotExistError if no record has it."""
	enrollment, _, fingerprint = subject.partition("~")
	known = frappe.get_all("Drip Enrollment", filters={"name": enrollment}, pluck="email_address")
	known += frappe.get_all("Drip Former Enrollment", filters={"name": enrollment}, pluck="email_address")
	known += frappe.get_all("Drip Email", filters={"enrollment": enrollment}, pluck="email_address")
	for address in dict.fromkeys(filter(None, known)):
		if hash_address(address)[:FINGERPRINT_LENGTH] == fingerprint:
			return address
	raise frappe.DoesNotExistError


def read_token(purpose: Purpose, token: str) -> str:
	"""Return the subject of a link's token; raise InvalidTokenError if it is not valid."""
	longest = LONGEST_CLICK if purpose is Purpose.CLICK else tokens.MAX_TOKEN_LENGTH
	try:
		return tokens.read(purpose, token, token_keys(), longest)
	except InvalidTokenError:
		return tokens.read(purpose, token, token_keys(frappe.get_site_config()), longest)
