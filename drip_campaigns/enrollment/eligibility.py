"""Who may be enrolled, and who may get email: one ordered list of rules that run on a batch. Reads only.

RULES decide about a new enrollment: the form, the API, bulk runs, the preview, and Why Not? use them. RULES_LATER are
those whose result can change afterwards: Resume and the guard before each email use them. So everyone gives the same
reason for the same person. The person's own word comes first: unsubscribed goes before suppressed.

A new rule is a function and a line in RULES.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import frappe
from frappe import _

from drip_campaigns.core.model import ExitReason, ReEnrollmentDecision, Refuse, Resume, SuppressionReason
from drip_campaigns.core.schedule.due_steps import find_next
from drip_campaigns.enrollment.earlier_enrollments import EarlierEnrollments
from drip_campaigns.enrollment.refusals import Refusal
from drip_campaigns.people.addresses import is_valid, live_key, normalize
from drip_campaigns.people.exclusions import Exclusions
from drip_campaigns.people.opt_outs import find_opted_out, find_opted_out_lists
from drip_campaigns.people.preferences import NO_PREFERENCE, Preference, apply_preference, load_preferences
from drip_campaigns.people.recipients import Recipient, load_enrolled, load_recipients
from drip_campaigns.people.record_scope import filter_in_scope, filter_readable
from drip_campaigns.people.suppression import explain_suppression, find_suppressed
from drip_campaigns.plans.campaign_plan import make_plan
from drip_campaigns.plans.enrollment_rows import find_taken_keys
from drip_campaigns.plans.past_enrollments import Identity, identify

# An enrollment that ended for one of these reasons continues with another record of the person, too. Whoever replied or
# reached the goal does not come back because a record was made of that.
COMES_BACK = (None, "", ExitReason.REMOVED.value, ExitReason.NO_LONGER_MATCHING.value)


@dataclass(frozen=True)
class Candidate:
	"""One person whom the rules examine: a record that may be enrolled, or the record of an enrollment."""

	recipient_type: str
	name: str
	recipient: Recipient | None  # None: there is no such record, or the user may not read it
	target_list: str | None = None
	enrollment: Mapping[str, Any] | None = None

	@property
	def label(self) -> str:
		"""Return how messages name the record."""
		return f"{_(self.recipient_type)} {self.name or self.enrollment['recipient_name']}"

	@cached_property
	def email(self) -> str:
		"""Return the address of the record as it is now."""
		return self.recipient.email if self.recipient else ""

	@property
	def identity(self) -> Identity:
		"""Return by what the person's earlier enrollments are found."""
		return identify(self.recipient) if self.recipient else Identity(self.recipient_type, self.name, "")

	@cached_property
	def addresses(self) -> set[str]:
		"""Return the normalized addresses of the person: of the record, and the one the enrollment was made for."""
		enrolled = self.enrollment["email_address"] if self.enrollment else ""
		return {normalize(address) for address in (self.email, enrolled) if address}


def make_enrolled_candidate(row: Mapping[str, Any], recipient: Recipient | None) -> Candidate:
	"""Return the candidate of an enrollment's row."""
	same = recipient if recipient and recipient.is_of(row) else None
	return Candidate(row["recipient_type"], row["recipient"], same, row["target_list"], row)


class BatchFacts:
	"""What the rules need to know about a batch of candidates; each fact is read once, when a rule first needs it."""

	def __init__(self, campaign, candidates: Sequence[Candidate]) -> None:
		self.campaign, self.candidates = campaign, candidates
		self.accepted: set[str] = set()  # the keys of the addresses that were accepted so far

	@cached_property
	def _addresses(self) -> set[str]:
		"""The addresses as they are written: the database may compare them letter by letter."""
		enrolled = (one.enrollment["email_address"] for one in self.candidates if one.enrollment)
		return {address for address in (*enrolled, *(one.email for one in self.candidates)) if address}

	@cached_property
	def opted_out(self) -> set[str]:
		return find_opted_out(self.campaign.name, self._addresses)

	@cached_property
	def opted_out_lists(self) -> set[tuple[str, str]]:
		return find_opted_out_lists(
			(one.target_list, address)
			for one in self.candidates
			if one.target_list
			for address in one.addresses
		)

	@cached_property
	def suppressed(self) -> dict[str, SuppressionReason]:
		return find_suppressed(self._addresses)

	@cached_property
	def excluded(self) -> dict[tuple[str, str], str]:
		return Exclusions.of(self.campaign).find(one.recipient for one in self.candidates if one.recipient)

	@cached_property
	def preferences(self) -> dict[str, Preference]:
		return load_preferences([one.email for one in self.candidates])

	@cached_property
	def taken(self) -> set[str]:
		return find_taken_keys([self.make_key(one.email) for one in self.candidates if one.email])

	def make_key(self, address: str) -> str:
		"""Return the key that only one live enrollment of the campaign can have."""
		return live_key(self.campaign.name, "address", normalize(address))

	def find_suppressions(self, candidate: Candidate) -> list[SuppressionReason]:
		"""Return why the addresses of a candidate are suppressed: the record's address first."""
		addresses = sorted(candidate.addresses, key=lambda address: address != normalize(candidate.email))
		return [self.suppressed[address] for address in addresses if address in self.suppressed]

	def find_preference(self, address: str) -> Preference:
		"""Return what the person with this address has asked for."""
		return self.preferences.get(normalize(address), NO_PREFERENCE) if address else NO_PREFERENCE

	def accept(self, candidate: Candidate) -> None:
		"""Remember that the candidate is accepted, so that a later one with the same address is not."""
		self.accepted.add(self.make_key(candidate.email))


class EnrollmentFacts(BatchFacts):
	"""What the rules need to know about records of one type that may be enrolled."""

	def __init__(
		self, eligibility: "Eligibility", names: Sequence[str], newcomers: Sequence[Recipient]
	) -> None:
		self.eligibility = eligibility
		doctype = eligibility.recipient_type
		self.readable = filter_readable(frappe.session.user, doctype, names)
		found = load_recipients(doctype, sorted(self.readable), whole=False)
		self.newcomers = {recipient.name: recipient for recipient in newcomers}
		found |= self.newcomers
		wanted = dict.fromkeys([*names, *self.newcomers])
		target_list = eligibility.target_list
		super().__init__(
			eligibility.campaign, [Candidate(doctype, name, found.get(name), target_list) for name in wanted]
		)
		self.accepted = eligibility.accepted

	@cached_property
	def in_scope(self) -> set[str]:
		owner, doctype = self.campaign.owner, self.eligibility.recipient_type
		return filter_in_scope(owner, doctype, sorted(self.readable)) | self.newcomers.keys()

	@cached_property
	def earlier(self) -> EarlierEnrollments:
		people = {one.name: one.identity for one in self.candidates}
		return EarlierEnrollments(self.campaign.name, people, self.eligibility.plan, self.eligibility.now)

	def find_decision(self, name: str) -> ReEnrollmentDecision | None:
		"""Return what the rule on re-enrollment says; None about people who were never in the campaign."""
		return None if self.eligibility.restarts else self.earlier.decisions.get(name)

	def find_resumable(self, name: str) -> frappe._dict | None:
		"""Return the enrollment that continues instead of a new one, if the campaign's rule says so."""
		return None if self.eligibility.restarts else self.earlier.find_resumable(name)

	@cached_property
	def former_refusals(self) -> dict[str, str]:
		"""Why the enrollment of another record, which would continue, must not, as said of it: it was deleted, for example."""
		earlier = self.earlier
		rows = {name: row for name in earlier.rows if (row := self.find_resumable(name))}
		rows = {name: row for name, row in rows.items() if earlier.was_other_record(name)}
		found = load_enrolled(list(rows.values())) if rows else {}
		former = {
			name: make_enrolled_candidate(row, found.get((row.recipient_type, row.recipient)))
			for name, row in rows.items()
		}
		facts = BatchFacts(self.campaign, list(former.values()))
		refusals = {name: find_refusal_later(facts, candidate) for name, candidate in former.items()}
		ended = {name: _describe_end(row) for name, row in rows.items() if row.exit_reason not in COMES_BACK}
		return ended | {name: refusal.cause for name, refusal in refusals.items() if refusal}


def _describe_end(row: frappe._dict) -> str:
	return _("ended with the reason {0}").format(_(row.exit_reason))


Finding = tuple[str, str]  # the cause, said of the person, and the remedy


@dataclass(frozen=True)
class Rule:
	"""One rule: its name in results, its question in Why Not?, and its check.

	The rules after one that `is_needed_by_others` make no sense for a candidate that it refuses.
	"""

	name: str
	question: str
	check: Callable[[Any, Candidate], Finding | None]
	is_needed_by_others: bool = False

	def find_refusal(self, facts: BatchFacts, candidate: Candidate) -> Refusal | None:
		"""Return why this rule refuses the candidate; None if it does not."""
		return self.refuse(candidate, finding) if (finding := self.check(facts, candidate)) else None

	def refuse(self, candidate: Candidate, finding: Finding) -> Refusal:
		"""Return the refusal of a candidate with this cause and remedy."""
		return Refusal(self.name, *finding, record=candidate.label)


def find_refusals(rules: Sequence[Rule], facts: BatchFacts, candidate: Candidate) -> Iterator[Refusal]:
	"""Yield the refusals of a candidate in the order of the rules: the first one counts."""
	for rule in rules:
		if finding := rule.check(facts, candidate):
			yield rule.refuse(candidate, finding)
			if rule.is_needed_by_others:
				return


def find_refusal_later(facts: BatchFacts, candidate: Candidate) -> Refusal | None:
	"""Return why the person of an existing enrollment may get no email now; None if they may."""
	return next(find_refusals(RULES_LATER, facts, candidate), None)


def _check_record(_facts: BatchFacts, candidate: Candidate) -> Finding | None:
	if candidate.recipient:
		return None
	if candidate.enrollment:
		return _("no longer exists"), _("Remove the enrollment.")
	return _("does not exist, or you may not read it"), _("Choose another record.")


def _check_scope(facts: EnrollmentFacts, candidate: Candidate) -> Finding | None:
	if candidate.name in facts.in_scope:
		return None
	owner = facts.campaign.owner
	cause = _("is outside what {0}, the owner of campaign {1}, may read")
	return cause.format(owner, facts.campaign.name), _("Share the record with {0} first.").format(owner)


def _check_unsubscribed(facts: BatchFacts, candidate: Candidate) -> Finding | None:
	if candidate.addresses & facts.opted_out:
		remedy = _("Only the recipient can ask to come back; then delete the Email Unsubscribe of {0}.")
		return _("has unsubscribed"), remedy.format(candidate.email)
	if any((candidate.target_list, address) in facts.opted_out_lists for address in candidate.addresses):
		cause = _("has unsubscribed from the list {0}").format(candidate.target_list)
		return cause, _("Only the recipient can ask to come back.")
	return None


def _check_suppressed(facts: BatchFacts, candidate: Candidate) -> Finding | None:
	for reason in facts.find_suppressions(candidate):
		remedy = _("If the recipient asks to come back, open the Drip Suppression of {0} and lift it.")
		return explain_suppression(reason), remedy.format(candidate.email)
	return None


def _check_flags(facts: BatchFacts, candidate: Candidate) -> Finding | None:
	person = candidate.recipient
	if not person.stopped_because or (person.is_closed and facts.campaign.also_to_closed):
		return None
	remedy = _("Change the record if this is wrong.")
	choice = _("Change it, or tick {0} in the campaign.").format(_("Also to Closed Records"))
	return _(person.stopped_because), choice if person.is_closed else remedy


def _check_excluded(facts: BatchFacts, candidate: Candidate) -> Finding | None:
	because = facts.excluded.get((candidate.recipient_type, candidate.name))
	return (because, _("Remove it from the campaign's exclusions first.")) if because else None


def _check_address(_facts: BatchFacts, candidate: Candidate) -> Finding | None:
	if not candidate.email:
		return _("has no email address"), _("Enter one in the record.")
	if not is_valid(candidate.email):
		remedy = _("Correct “{0}” in the record.").format(candidate.email)
		return _("has no valid email address"), remedy
	return None


def _check_enrolled(facts: EnrollmentFacts, candidate: Candidate) -> Finding | None:
	if facts.earlier.is_live(candidate.name):
		return _("is already in the campaign"), _("Open that enrollment instead.")
	return None


def _check_re_enrollment(facts: EnrollmentFacts, candidate: Candidate) -> Finding | None:
	decision = facts.find_decision(candidate.name)
	if not isinstance(decision, (Refuse, Resume)):
		return None
	before = _("was in the campaign before")
	if facts.earlier.was_other_record(candidate.name):
		before = _("was in the campaign before, as another record with the same address")
	if isinstance(decision, Refuse):
		remedy = _("Change Re-enrollment in the campaign if people may come back.")
		return f"{before}. {_(decision.reason).rstrip('.')}", remedy
	if former := facts.former_refusals.get(candidate.name):
		remedy = _("Open the earlier enrollment, or change Re-enrollment in the campaign.")
		return _("{0}, which {1}").format(before, former), remedy
	if find_next(facts.eligibility.plan, decision.position) is None:
		return _("{0}, and no step remains to send").format(before), _("Add a step to the campaign first.")
	return None


def _check_duplicate(facts: BatchFacts, candidate: Candidate) -> Finding | None:
	key = facts.make_key(candidate.email)
	is_own = candidate.enrollment and candidate.enrollment["live_address"] == key
	if is_own or (key not in facts.taken and key not in facts.accepted):
		return None
	cause = _("has the same address as another record in the campaign")
	return cause, _("Open that enrollment, or correct the address {0}.").format(candidate.email)


RECORD = Rule("record", "Can you read the record?", _check_record, is_needed_by_others=True)
UNSUBSCRIBED = Rule("unsubscribed", "Still subscribed?", _check_unsubscribed)
SUPPRESSED = Rule("suppressed", "Address not suppressed?", _check_suppressed)
FLAGS = Rule("flag", "Does the record allow email?", _check_flags)
EXCLUDED = Rule("excluded", "Not on an excluded list, domain or address?", _check_excluded)
ADDRESS = Rule("address", "Valid email address?", _check_address, is_needed_by_others=True)
DUPLICATE = Rule("duplicate", "Address not already enrolled?", _check_duplicate)
RULES = (
	RECORD,
	Rule("scope", "Can the owner of the campaign read it?", _check_scope),
	UNSUBSCRIBED,
	SUPPRESSED,
	FLAGS,
	EXCLUDED,
	ADDRESS,
	Rule("enrolled", "Not already in the campaign?", _check_enrolled, is_needed_by_others=True),
	Rule("re_enrollment", "Allowed to enroll again?", _check_re_enrollment),
	DUPLICATE,
)
RULES_LATER = (RECORD, UNSUBSCRIBED, SUPPRESSED, FLAGS, EXCLUDED, ADDRESS, DUPLICATE)


@dataclass(frozen=True)
class EligibilityResult:
	"""What happens to one record: it is enrolled (neither of the last two is set), resumed, or refused."""

	name: str
	recipient: Recipient | None = None
	preference: Preference = NO_PREFERENCE
	resumes: frappe._dict | None = None
	refusal: Refusal | None = None

	@property
	def is_new(self) -> bool:
		"""Say whether the record gets a new enrollment."""
		return self.refusal is None and self.resumes is None


class Eligibility:
	"""Decides which records of one type a campaign accepts, batch by batch.

	`restarts`: people who were in the campaign begin anew, whatever its rule on re-enrollment says.
	"""

	def __init__(
		self,
		campaign,
		recipient_type: str,
		now: datetime,
		target_list: str | None = None,
		*,
		restarts: bool = False,
	) -> None:
		self.campaign, self.recipient_type, self.now = campaign, recipient_type, now
		self.target_list, self.restarts = target_list, restarts
		self.plan = make_plan(campaign)
		self.accepted: set[str] = set()  # the address keys accepted so far, in earlier batches too

	def load_facts(self, names: Sequence[str], newcomers: Sequence[Recipient] = ()) -> EnrollmentFacts:
		"""Return what the rules need to know about these records."""
		return EnrollmentFacts(self, names, newcomers)

	def judge(self, names: Sequence[str], newcomers: Sequence[Recipient] = ()) -> list[EligibilityResult]:
		"""Return the result for each of `names`. Of two records with one address the first is accepted.

		`newcomers` are people whose records do not exist yet.
		"""
		facts = self.load_facts(names, newcomers)
		return [self._judge_one(facts, candidate) for candidate in facts.candidates]

	def _judge_one(self, facts: EnrollmentFacts, candidate: Candidate) -> EligibilityResult:
		preference = facts.find_preference(candidate.email)
		recipient = candidate.recipient and apply_preference(candidate.recipient, preference)
		refusal = next(find_refusals(RULES, facts, candidate), None)
		if refusal:
			return EligibilityResult(candidate.name, recipient, preference, refusal=refusal)
		facts.accept(candidate)
		resumes = facts.find_resumable(candidate.name)
		return EligibilityResult(candidate.name, recipient, preference, resumes)
