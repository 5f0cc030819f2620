"""May this email go to this person? Read for a whole batch, and checked again for every email.

The rules are those of `enrollment/eligibility.py` whose result can change after enrolling; here they become an end of the
enrollment, or an error that a user can correct.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import ExitReason, Status
from drip_campaigns.enrollment.eligibility import (
	ADDRESS,
	DUPLICATE,
	EXCLUDED,
	FLAGS,
	RECORD,
	SUPPRESSED,
	UNSUBSCRIBED,
	BatchFacts,
	Candidate,
	find_refusal_later,
	make_enrolled_candidate,
)
from drip_campaigns.enrollment.refusals import Refusal
from drip_campaigns.exit_rules.find_exits import RuleExit
from drip_campaigns.outbox.frequency_cap import FrequencyCap
from drip_campaigns.people.addresses import live_key, normalize
from drip_campaigns.people.preferences import Preference, apply_preference
from drip_campaigns.people.recipients import Recipient, load_enrolled
from drip_campaigns.people.suppression import EXIT_REASONS


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


# These go before the exit rules of the campaign: there is no person, or the person wants no email.
_BEFORE_EXIT_RULES = (RECORD.name, UNSUBSCRIBED.name, SUPPRESSED.name)
_EXIT_REASONS = {
	RECORD.name: ExitReason.RECIPIENT_DELETED,
	FLAGS.name: ExitReason.SUPPRESSED,
	EXCLUDED.name: ExitReason.EXCLUDED,
}
# A user can correct the record, so the email is tried again.
_ERRORS = {ADDRESS.name: NoAddressError, DUPLICATE.name: AddressTakenError}


class Guard:
	"""What a batch needs to know about its recipients, read in a handful of queries."""

	def __init__(
		self, campaign, rows: Sequence[frappe._dict], leavers: Mapping[str, RuleExit] = MappingProxyType({})
	) -> None:
		"""`leavers` are the enrollments that exit by a rule of the campaign, by name."""
		self.campaign, self.leavers = campaign.name, leavers
		self.cap: FrequencyCap | None = None  # set by the code that sends what is due
		self.recipients = load_enrolled(rows)
		self._candidates = {row.name: self._make_candidate(row) for row in rows}
		self._facts = BatchFacts(campaign, list(self._candidates.values()))
		self._twins = self._find_twins(rows)

	def _make_candidate(self, row: frappe._dict) -> Candidate:
		recipient = self.recipients.get((row.recipient_type, row.recipient))
		return make_enrolled_candidate(row, recipient)

	def check(self, row: frappe._dict) -> Recipient | Stop:
		"""Return the recipient of the email, or why the enrollment must end.

		Raises NoAddressError and AddressTakenError: a user can correct the record, so the email is tried again.
		"""
		candidate = self._candidates[row.name]
		refusal = find_refusal_later(self._facts, candidate)
		comes_first = refusal is not None and refusal.rule in _BEFORE_EXIT_RULES
		if not comes_first and (stop := self._find_exit(row, candidate.recipient)):
			return stop
		if refusal:
			return self._stop(refusal, candidate)
		self._facts.accept(candidate)
		return apply_preference(candidate.recipient, self.preference_of(candidate.recipient))

	def preference_of(self, recipient: Recipient) -> Preference:
		"""Return what the person has asked for, by address."""
		return self._facts.find_preference(recipient.email)

	def _stop(self, refusal: Refusal, candidate: Candidate) -> Stop:
		if refusal.rule in _ERRORS:
			raise _ERRORS[refusal.rule](_("{0} It will be tried again.").format(refusal.explanation))
		if refusal.rule == RECORD.name:
			detail = f"{_(candidate.recipient_type)} {candidate.name} {refusal.cause}."
		else:
			detail = _("The recipient {0}.").format(refusal.cause)
		exit_reason = _EXIT_REASONS.get(refusal.rule)
		if refusal.rule == SUPPRESSED.name:
			[suppression, *_others] = self._facts.find_suppressions(candidate)
			exit_reason = EXIT_REASONS[suppression]
		return Stop(Status.EXITED if exit_reason else Status.UNSUBSCRIBED, exit_reason, detail)

	def _find_exit(self, row: frappe._dict, recipient: Recipient) -> Stop | None:
		"""Return what ends the enrollment by a rule that is about this enrollment, not about the person."""
		if self._was_merged(row, recipient):
			detail = _("Another record was merged into {0} {1}, which is in this campaign itself.")
			detail = detail.format(_(row.recipient_type), row.recipient)
			return Stop(Status.EXITED, ExitReason.REMOVED, detail)
		if leaver := self.leavers.get(row.name):
			return Stop(Status.EXITED, leaver.reason, f"{leaver.detail}.")
		return None

	def _find_twins(self, rows: Sequence[frappe._dict]) -> set[tuple[str, str, str]]:
		"""Return type, record and address of the other enrollments of records that were renamed or merged since."""
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
		"""Say whether the record was merged into one that is, or was, in the campaign at the address it has."""
		address = normalize(recipient.email)
		moved = address != normalize(row.email_address) and row.live_recipient != self._key(row)
		return moved and (row.recipient_type, row.recipient, address) in self._twins

	def _key(self, row: frappe._dict) -> str:
		return live_key(self.campaign, "recipient", row.recipient_type, row.recipient)
