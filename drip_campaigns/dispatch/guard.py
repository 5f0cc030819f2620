"""May this email go to this person, asked for a whole batch at once and again for every email."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import ExitReason, Status, SuppressionReason
from drip_campaigns.exit_rules.find_exits import RuleExit
from drip_campaigns.outbox.frequency_cap import FrequencyCap
from drip_campaigns.people.addresses import is_valid, live_key, normalize
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.opt_outs import find_opted_out, find_opted_out_lists
from drip_campaigns.people.preferences import NO_PREFERENCE, Preference, apply_preference, load_preferences
from drip_campaigns.people.recipients import Recipient, load_enrolled
from drip_campaigns.people.suppression import EXIT_REASONS, explain_suppression, find_suppressed
from drip_campaigns.plans.enrollment_rows import find_taken_keys


class NoAddressError(DripError):
	"""The recipient has no valid email address."""


class AddressTakenError(DripError):
	"""Another live enrollment of the campaign has the same address."""


@dataclass(frozen=True)
class Stop:
	"""The enrollment ends here, with the status, the reason and a sentence for the log."""

	status: Status
	exit_reason: ExitReason | None
	detail: str


class Guard:
	"""What a batch must know of its recipients, read in a handful of queries."""

	def __init__(
		self, campaign, rows: Sequence[frappe._dict], leavers: Mapping[str, RuleExit] = MappingProxyType({})
	) -> None:
		"""`leavers` are those who leave by a rule of the campaign, by the enrollment's name."""
		self.campaign, self.leavers = campaign.name, leavers
		self.cap: FrequencyCap | None = None  # set by who sends what is due
		self.recipients = load_enrolled(rows)
		addresses = [recipient.email for recipient in self.recipients.values()]
		known = [*addresses, *(row.email_address for row in rows)]
		self.left, self.suppressed = find_opted_out(self.campaign, known), find_suppressed(known)
		self.left_lists = find_opted_out_lists(self._addresses_by_list(rows))
		self.preferences = load_preferences(addresses)
		self.excluded = Exclusions.of(campaign).find(self.recipients.values())
		self.taken = find_taken_keys(
			[live_key(self.campaign, "address", normalize(a)) for a in addresses if a]
		)
		self.twins = self._find_twins(rows)

	def check(self, row: frappe._dict) -> Recipient | Stop:
		"""Return the recipient to write to, or why the enrollment must stop; raise what can be mended.

		Raises NoAddressError and AddressTakenError: somebody can correct the record, so they are tried again.
		"""
		recipient = self.recipients.get((row.recipient_type, row.recipient))
		if recipient is None:
			detail = _("{0} {1} no longer exists.").format(_(row.recipient_type), row.recipient)
			return Stop(Status.EXITED, ExitReason.RECIPIENT_DELETED, detail)
		spelled = {normalize(recipient.email), normalize(row.email_address)}
		if spelled & self.left:
			return Stop(Status.UNSUBSCRIBED, None, _("The recipient has unsubscribed."))
		if row.target_list and (row.target_list, normalize(recipient.email)) in self.left_lists:
			return Stop(
				Status.UNSUBSCRIBED, None, _("The recipient has left the list {0}.").format(row.target_list)
			)
		if suppressed := spelled & self.suppressed.keys():
			return _stop_suppressed(self.suppressed[suppressed.pop()])
		if self._was_merged(row, recipient):
			detail = _("{0} {1} has taken in another record, and is on this campaign itself.")
			return Stop(
				Status.EXITED, ExitReason.REMOVED, detail.format(_(row.recipient_type), row.recipient)
			)
		if stop := self._find_rule(row, recipient):
			return stop
		self._check_address(row, recipient)
		return apply_preference(recipient, self.preference_of(recipient))

	def _find_rule(self, row: frappe._dict, recipient: Recipient) -> Stop | None:
		"""Return what ends the enrollment by a rule of the campaign, or by a flag of the record."""
		if leaver := self.leavers.get(row.name):
			return Stop(Status.EXITED, leaver.reason, f"{leaver.detail}.")
		if recipient.stopped_because:
			detail = f"{_(row.recipient_type)} {row.recipient} {_(recipient.stopped_because)}."
			return Stop(Status.EXITED, ExitReason.SUPPRESSED, detail)
		if reason := self.excluded.get((row.recipient_type, row.recipient)):
			return Stop(Status.EXITED, ExitReason.EXCLUDED, f"{reason}.")
		return None

	def preference_of(self, recipient: Recipient) -> Preference:
		"""Return what the person has asked for, by address."""
		return self.preferences.get(normalize(recipient.email), NO_PREFERENCE)

	def _addresses_by_list(self, rows: Sequence[frappe._dict]) -> Iterator[tuple[str, str]]:
		for row in rows:
			recipient = self.recipients.get((row.recipient_type, row.recipient))
			if row.target_list and recipient:
				yield row.target_list, recipient.email

	def _find_twins(self, rows: Sequence[frappe._dict]) -> set[tuple[str, str, str]]:
		"""Return type, record and address of what else is enrolled of records that were renamed, or merged, since."""
		renamed = [row for row in rows if row.live_recipient and row.live_recipient != self._key(row)]
		if not renamed:
			return set()
		filters = {
			"campaign": self.campaign,
			"recipient_type": ["in", [row.recipient_type for row in renamed]],
			"recipient": ["in", [row.recipient for row in renamed]],
			"name": ["not in", [row.name for row in renamed]],
		}
		fields = ["recipient_type", "recipient", "email_address"]
		others = frappe.get_all("Drip Enrollment", filters=filters, fields=fields)
		return {(other.recipient_type, other.recipient, normalize(other.email_address)) for other in others}

	def _was_merged(self, row: frappe._dict, recipient: Recipient) -> bool:
		"""Say whether the record was merged into one that is, or was, on the campaign at the address it has."""
		address = normalize(recipient.email)
		moved = address != normalize(row.email_address) and row.live_recipient != self._key(row)
		return moved and (row.recipient_type, row.recipient, address) in self.twins

	def _key(self, row: frappe._dict) -> str:
		return live_key(self.campaign, "recipient", row.recipient_type, row.recipient)

	def _check_address(self, row: frappe._dict, recipient: Recipient) -> None:
		if not is_valid(recipient.email):
			record = f"{_(row.recipient_type)} {row.recipient}"
			raise NoAddressError(
				_("{0} has no valid email address ({1}). Correct the record; it will be tried again.").format(
					record, recipient.email or _("empty")
				)
			)
		key = live_key(self.campaign, "address", normalize(recipient.email))
		if key != row.live_address and key in self.taken:
			raise AddressTakenError(
				_(
					"The address of {0} is now {1}, which another enrollment of this campaign has. Remove one of the two."
				).format(f"{_(row.recipient_type)} {row.recipient}", recipient.email)
			)
		self.taken.add(key)


def _stop_suppressed(reason: SuppressionReason) -> Stop:
	exit_reason = EXIT_REASONS[reason]
	detail = _("The recipient {0}.").format(explain_suppression(reason))
	return Stop(Status.EXITED if exit_reason else Status.UNSUBSCRIBED, exit_reason, detail)
