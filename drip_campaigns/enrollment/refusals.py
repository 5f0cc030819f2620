"""Why something is not done with a person or an enrollment: one sentence to count, and one for a form."""

from collections import Counter
from dataclasses import dataclass, field

from drip_campaigns.core.errors import DripError


class EnrollmentRefusedError(DripError):
	"""This record cannot be enrolled in this campaign."""


@dataclass(frozen=True)
class Refusal:
	"""A rule refuses: `cause` says so of the person ("has unsubscribed"), `remedy` is a sentence, `record` names them."""

	rule: str
	cause: str
	remedy: str = ""
	record: str = ""

	@property
	def reason(self) -> str:
		"""Return the cause without a name: the same text for everyone it concerns, so that it can be counted."""
		return self.cause[:1].upper() + self.cause[1:]

	@property
	def explanation(self) -> str:
		"""Return which record is refused, why, and what to do."""
		return f"{self.record} {self.cause}. {self.remedy}".strip()


@dataclass
class VerbResult:
	"""How many enrollments a verb made or changed, and why it refused each of the others, by name.

	Enrolling counts those that it resumed instead of making new ones: they are among `done`.
	"""

	done: int = 0
	resumed: int = 0
	refusals: dict[str, Refusal] = field(default_factory=dict)

	@property
	def enrolled(self) -> int:
		"""Return how many enrollments are new, after enrolling."""
		return self.done - self.resumed

	@property
	def refused(self) -> Counter[str]:
		"""Return how many enrollments were refused, by reason."""
		return Counter(refusal.reason for refusal in self.refusals.values())

	def add(self, other: "VerbResult") -> None:
		"""Add the result of another batch."""
		self.done += other.done
		self.resumed += other.resumed
		self.refusals |= other.refusals

	def require_done(self) -> None:
		"""Raise EnrollmentRefusedError with the first refusal, if there is one: for a form with one enrollment."""
		for refusal in self.refusals.values():
			raise EnrollmentRefusedError(refusal.explanation)
