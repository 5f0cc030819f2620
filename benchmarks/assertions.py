"""Compare the records (Drip Email and Drip Enrollment) with what the SMTP sink received, email by email."""

from dataclasses import dataclass, field

import frappe

from benchmarks.action_checks import ActionChecks, ActionResults
from benchmarks.observers import SmtpObserver
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.stats import verify_counters

ENDED_EARLY = ("Exited", "Unsubscribed", "Failed")
ENDED = ("Completed", *ENDED_EARLY)


@dataclass(frozen=True)
class ChaosResult:
	"""The outcome of everything that was due. The lists name emails."""

	due: int
	delivered: int
	settled: dict[str, int]
	duplicates: list[str]
	lost: list[str]
	untrue: list[str] = field(default_factory=list)  # recorded as not sent, and the sink received it
	in_doubt: list[str] = field(default_factory=list)
	unfinished: list[str] = field(default_factory=list)  # enrollments that have not ended
	miscounted: list[str] = field(default_factory=list)  # counters that do not equal the log
	actions: ActionResults = field(default_factory=ActionResults)

	def is_good(self, doubts_allowed: int) -> bool:
		"""Return whether every promise held."""
		broken = self.duplicates or self.lost or self.untrue or self.unfinished or self.miscounted
		return not broken and len(self.in_doubt) <= doubts_allowed


def check_campaign(
	campaign: str, observer: SmtpObserver, action_checks: ActionChecks | None = None
) -> ChaosResult:
	"""Return the result of a campaign all of whose steps should be done.

	Lost emails are those recorded as Sent that the sink did not receive, those still open, and those never recorded.
	"""
	frappe.db.commit()
	seen = observer.count()
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
	not_sent = by_status.get("Failed", []) + by_status.get("Skipped", [])
	missing = _find_missing(campaign, emails)
	return ChaosResult(
		due=len(emails) + len(missing),
		delivered=len(seen),
		settled={status: len(names) for status, names in sorted(by_status.items())},
		duplicates=[f"{subject} to {address}" for (address, subject), count in seen.items() if count > 1],
		lost=unseen + still_open + missing,
		untrue=[name for name in not_sent if seen[keys[name]]],
		in_doubt=by_status.get("In Doubt", []),
		unfinished=_find_unfinished(campaign),
		miscounted=_find_miscounted(),
		actions=action_checks.check_campaign(campaign, ENDED_EARLY) if action_checks else ActionResults(),
	)


def _find_missing(campaign: str, emails: list[frappe._dict]) -> list[str]:
	"""Return the steps without any record, of the enrollments that did not end early."""
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
	"""Return the enrollments that have not ended, though they have no more steps."""
	filters = {"campaign": campaign, "status": ["not in", ENDED]}
	return frappe.get_all("Drip Enrollment", filters=filters, pluck="name")


def _find_miscounted() -> list[str]:
	"""Return the counters that are wrong after every event is counted."""
	dispatch_due.count_events()
	return [str(difference) for difference in verify_counters.find_differences()]
