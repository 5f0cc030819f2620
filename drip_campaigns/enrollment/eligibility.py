"""Whom a campaign takes in: the verdict on each record of a batch, by named rules. Reads only.

The real run, its preview and "Why not?" all ask here, so that they cannot disagree. A new rule is a function and a
line in RULES.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import frappe
from frappe import _

from drip_campaigns.core.model import Refuse, Resume, Status, SuppressionReason
from drip_campaigns.core.schedule.confirmation import NEVER_CONFIRMED
from drip_campaigns.core.schedule.reenrollment import re_enroll
from drip_campaigns.db.dialect import select_in
from drip_campaigns.enrollment.admission import OUT_OF_SCOPE
from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.opt_outs import find_opted_out, find_opted_out_lists
from drip_campaigns.people.preferences import NO_PREFERENCE, Preference, apply_preference, load_preferences
from drip_campaigns.people.recipients import Recipient, load_recipients
from drip_campaigns.people.record_scope import filter_in_scope, filter_readable
from drip_campaigns.people.suppression import explain_suppression, find_suppressed
from drip_campaigns.plans.campaign_plan import make_plan
from drip_campaigns.plans.enrollment_rows import ENROLLMENT_FIELDS, find_taken_keys, load_handled_steps
from drip_campaigns.plans.enrollment_state import LIVE_VALUES, live_keys, read_position
from drip_campaigns.site.clock import from_site


@dataclass(frozen=True)
class Refusal:
	"""Which rule says no, and the sentence for the user."""

	rule: str
	reason: str


@dataclass(frozen=True)
class EligibilityResult:
	"""What becomes of one record: enrolled (neither of the two), taken up again, or refused."""

	name: str
	recipient: Recipient | None = None
	resumes: frappe._dict | None = None
	refusal: Refusal | None = None

	@property
	def is_new(self) -> bool:
		"""Say whether the record gets a new enrollment."""
		return self.refusal is None and self.resumes is None


class Eligibility:
	"""Asks the rules of one campaign about records of one type, batch by batch."""

	def __init__(self, campaign, recipient_type: str, now: datetime, target_list: str | None = None) -> None:
		self.campaign, self.recipient_type = campaign, recipient_type
		self.now, self.target_list = now, target_list
		self.plan = make_plan(campaign)
		self.starts_over = False  # by hand: whoever was on the campaign begins anew, whatever its rule says
		self.accepted: set[str] = (
			set()
		)  # the live addresses of those accepted so far, earlier batches included

	def judge(
		self, names: Sequence[str], newcomers: Sequence[Recipient] = ()
	) -> tuple[list[EligibilityResult], dict[str, Preference]]:
		"""Return the verdict on each of `names`, and what the people have asked for, by address.

		Of two records with one address the first is taken. `newcomers` are people whose records would be made first.
		"""
		facts = EligibilityData(self, names, newcomers)
		return [self._judge_one(facts, name) for name in facts.names], facts.preferences

	def _judge_one(self, facts: "EligibilityData", name: str) -> EligibilityResult:
		recipient = facts.recipients.get(name)
		refusal = next(facts.refusals(name), None)
		if refusal:
			return EligibilityResult(name, recipient, refusal=refusal)
		self.accepted.add(facts.keys[name])
		return EligibilityResult(name, recipient, resumes=facts.find_resumable(name))


class EligibilityData:
	"""What the rules must know about a batch, each fact read once for all of it and only if it is asked for."""

	def __init__(
		self, choice: Eligibility, names: Sequence[str], newcomers: Sequence[Recipient] = ()
	) -> None:
		self.choice = choice
		self.readable = filter_readable(frappe.session.user, choice.recipient_type, names)
		found = load_recipients(choice.recipient_type, sorted(self.readable), whole=False)
		self.newcomers = {recipient.name: recipient for recipient in newcomers}
		self.names = list(dict.fromkeys([*names, *self.newcomers]))
		found |= self.newcomers
		self.preferences = load_preferences([recipient.email for recipient in found.values()])
		self.recipients = {
			name: apply_preference(recipient, self.preference(recipient)) for name, recipient in found.items()
		}
		self.addresses = [recipient.email for recipient in found.values() if recipient.email]

	def refusals(self, name: str) -> Iterator[Refusal]:
		"""Yield what every rule has against a record, in the order of the rules; nothing if it may be enrolled."""
		for rule in RULES:
			reason = rule.ask(self, name)
			if reason:
				yield Refusal(rule.name, reason)
			if reason and rule.is_needed_by_others:
				return

	def preference(self, recipient: Recipient) -> Preference:
		"""Return what the recipient has asked for."""
		return (
			self.preferences.get(normalize(recipient.email), NO_PREFERENCE)
			if recipient.email
			else NO_PREFERENCE
		)

	def find_resumable(self, name: str) -> frappe._dict | None:
		"""Return the enrollment in which a record goes on where it stopped, if that is the campaign's rule for it."""
		return self.previous.get(name) if isinstance(self.decisions.get(name), Resume) else None

	@cached_property
	def in_scope(self) -> set[str]:
		owner, doctype = self.choice.campaign.owner, self.choice.recipient_type
		return filter_in_scope(owner, doctype, sorted(self.readable)) | self.newcomers.keys()

	@cached_property
	def left(self) -> set[str]:
		left = find_opted_out(self.choice.campaign.name, self.addresses)
		if not self.choice.target_list:
			return left
		pairs = [(self.choice.target_list, address) for address in self.addresses]
		return left | {address for _list, address in find_opted_out_lists(pairs)}

	@cached_property
	def suppressed(self) -> dict[str, SuppressionReason]:
		return find_suppressed(self.addresses)

	@cached_property
	def excluded(self) -> dict[tuple[str, str], str]:
		return Exclusions.of(self.choice.campaign).find(self.recipients.values())

	@cached_property
	def previous(self) -> dict[str, frappe._dict]:
		campaign, doctype = self.choice.campaign.name, self.choice.recipient_type
		fields = (*ENROLLMENT_FIELDS, "creation")
		rows = select_in(
			"Drip Enrollment", fields, "recipient", self.names, campaign=campaign, recipient_type=doctype
		)
		rows.sort(key=lambda row: row.creation)
		dealt_with = load_handled_steps([row.name for row in rows])
		return {
			row.recipient: row.update(done=dealt_with[row.name])
			for row in rows
			# Who never confirmed was never on the campaign.
			if row.status in LIVE_VALUES or row.confirmation not in NEVER_CONFIRMED
		}

	@cached_property
	def decisions(self) -> dict[str, object]:
		"""What the campaign's rule on re-enrollment says about those who were on it before."""
		plan, now = self.choice.plan, self.choice.now
		if self.choice.starts_over:
			return {}
		return {
			name: re_enroll(
				plan, read_position(row, row.done), Status(row.status), from_site(row.ended_at) or now, now
			)
			for name, row in self.previous.items()
		}

	@cached_property
	def keys(self) -> dict[str, str]:
		campaign, doctype = self.choice.campaign.name, self.choice.recipient_type
		return {
			name: live_keys(campaign, doctype, name, recipient.email)["live_address"]
			for name, recipient in self.recipients.items()
		}

	@cached_property
	def taken(self) -> set[str]:
		return find_taken_keys(list(self.keys.values()))


@dataclass(frozen=True)
class Rule:
	"""One rule: its name in figures and records, what it asks (for "Why not?"), and the question itself.

	`is_needed_by_others`: without it there is nothing that the rules after it could be asked about.
	"""

	name: str
	label: str
	ask: Callable[[EligibilityData, str], str | None]
	is_needed_by_others: bool = False


def _ask_readable(facts: EligibilityData, name: str) -> str | None:
	return None if name in facts.recipients else _("No such record, or you may not read it")


def _ask_scope(facts: EligibilityData, name: str) -> str | None:
	return None if name in facts.in_scope else _(OUT_OF_SCOPE).format(facts.choice.campaign.owner)


def _ask_address(facts: EligibilityData, name: str) -> str | None:
	return None if is_valid(facts.recipients[name].email) else _("No valid email address")


def _ask_left(facts: EligibilityData, name: str) -> str | None:
	return _("Has unsubscribed") if normalize(facts.recipients[name].email) in facts.left else None


def _ask_suppressed(facts: EligibilityData, name: str) -> str | None:
	reason = facts.suppressed.get(normalize(facts.recipients[name].email))
	return explain_suppression(reason).capitalize() if reason else None


def _ask_excluded(facts: EligibilityData, name: str) -> str | None:
	return facts.excluded.get((facts.choice.recipient_type, name))


def _ask_flags(facts: EligibilityData, name: str) -> str | None:
	because = facts.recipients[name].stopped_because
	return _(because).capitalize() if because else None


def _ask_before(facts: EligibilityData, name: str) -> str | None:
	row, decision = facts.previous.get(name), facts.decisions.get(name)
	if row and row.status in LIVE_VALUES:
		return _("Is on the campaign already")
	return _(decision.reason).rstrip(".") if isinstance(decision, Refuse) else None


def _ask_duplicate(facts: EligibilityData, name: str) -> str | None:
	key, previous = facts.keys[name], facts.previous.get(name)
	is_own = previous is not None and previous.live_address == key
	is_taken = key in facts.taken or key in facts.choice.accepted
	return _("Another record with the same address is on the campaign") if is_taken and not is_own else None


RULES = (
	Rule("record", "Does the record exist, and may you read it?", _ask_readable, is_needed_by_others=True),
	Rule("scope", "May the owner of the campaign read it, or is it assigned to them?", _ask_scope),
	Rule("address", "Has it a valid email address?", _ask_address, is_needed_by_others=True),
	Rule("left", "Has the address stayed subscribed?", _ask_left),
	Rule("suppressed", "Is the address not suppressed?", _ask_suppressed),
	Rule("excluded", "Is it on none of the excluded lists, domains and addresses?", _ask_excluded),
	Rule("flag", "Does nothing on the record forbid mail?", _ask_flags),
	Rule("before", "Does the campaign take it (again)?", _ask_before),
	Rule("duplicate", "Is nobody else with the same address on the campaign?", _ask_duplicate),
)
