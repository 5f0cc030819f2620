"""Compare the ledger (Drip Email and Drip Enrollment) with what the SMTP sink has witnessed, email by email."""

from dataclasses import dataclass, field

import frappe

from benchmarks.deeds import Deeds, DeedVerdict
from benchmarks.witness import Witness
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.stats import verify_counters

ENDED_EARLY = ("Exited", "Unsubscribed", "Failed")
ENDED = ("Completed", *ENDED_EARLY)


@dataclass(frozen=True)
class Verdict:
	"""What became of all that was due; the lists name emails."""

	due: int
	delivered: int
	settled: dict[str, int]
	duplicates: list[str]
	lost: list[str]
	untrue: list[str] = field(default_factory=list)  # the ledger says it never left, and the sink has it
	in_doubt: list[str] = field(default_factory=list)
	unfinished: list[str] = field(default_factory=list)  # enrollments that the end of it all has not reached
	miscounted: list[str] = field(default_factory=list)  # sums that do not equal a recount
	deeds: DeedVerdict = field(default_factory=DeedVerdict)

	def is_good(self, doubts_allowed: int) -> bool:
		"""Say whether every promise held."""
		broken = self.duplicates or self.lost or self.untrue or self.unfinished or self.miscounted
		return not broken and len(self.in_doubt) <= doubts_allowed


def judge(campaign: str, witness: Witness, deeds: Deeds | None = None) -> Verdict:
	"""Return the verdict over one campaign whose every step should be dealt with by now.

	Lost is what the ledger calls Sent and the sink never saw, and what is still open or was never recorded.
	"""
	frappe.db.commit()
	seen = witness.count()
	emails = frappe.get_all(
		"Drip Email",
		filters={"campaign": campaign},
		fields=["name", "enrollment", "email_address", "subject", "status"],
	)
	keys = {email.name: (email.email_address, email.subject) for email in emails}
	by_status: dict[str, list[str]] = {}
	for email in emails:
		by_status.setdefault(email.status, []).append(email.name)
	unseen = [name for name in by_status.get("Sent", []) if not seen[keys[name]]]
	still_open = by_status.get("Queued", []) + by_status.get("Sending", [])
	never_left = by_status.get("Failed", []) + by_status.get("Skipped", [])
	missing = _find_missing(campaign, emails)
	return Verdict(
		due=len(emails) + len(missing),
		delivered=len(seen),
		settled={status: len(names) for status, names in sorted(by_status.items())},
		duplicates=[f"{subject} to {address}" for (address, subject), count in seen.items() if count > 1],
		lost=unseen + still_open + missing,
		untrue=[name for name in never_left if seen[keys[name]]],
		in_doubt=by_status.get("In Doubt", []),
		unfinished=_find_unfinished(campaign),
		miscounted=_find_miscounted(),
		deeds=deeds.judge(campaign, ENDED_EARLY) if deeds else DeedVerdict(),
	)


def _find_missing(campaign: str, emails: list[frappe._dict]) -> list[str]:
	"""Return the steps of enrollments that did not end early for which nothing was ever recorded."""
	of_mail = {"parent": campaign, "step_type": "Send Email"}
	steps = frappe.get_all("Drip Campaign Step", filters=of_mail, fields=["name"], order_by="idx")
	recorded = {email.name for email in emails}
	going_on = frappe.get_all(
		"Drip Enrollment",
		filters={"campaign": campaign, "status": ["not in", ENDED_EARLY]},
		pluck="name",
	)
	return [
		f"{name}-{step.name}" for name in going_on for step in steps if f"{name}-{step.name}" not in recorded
	]


def _find_unfinished(campaign: str) -> list[str]:
	"""Return the enrollments that have not ended, though no step is left to come."""
	filters = {"campaign": campaign, "status": ["not in", ENDED]}
	return frappe.get_all("Drip Enrollment", filters=filters, pluck="name")


def _find_miscounted() -> list[str]:
	"""Return the sums beside the log that are wrong once every event is counted."""
	dispatch_due.count_events()
	return [str(difference) for difference in verify_counters.find_differences()]
