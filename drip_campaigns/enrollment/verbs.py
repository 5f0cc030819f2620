"""The verbs that a user applies to many enrollments at once. Each changes what it can, says why it refuses the others, and can be repeated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe import _
from frappe.utils import create_batch

from drip_campaigns.core.model import Label
from drip_campaigns.db.savepoints import attempt_each
from drip_campaigns.enrollment.changes import detail_of_user
from drip_campaigns.enrollment.exit import remove_enrollments
from drip_campaigns.enrollment.move import move_to_step, skip_step
from drip_campaigns.enrollment.pause import pause_enrollments
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError, Refusal, VerbResult
from drip_campaigns.enrollment.restart import restart_enrollments
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.plans.enrollment_state import LIVE_VALUES
from drip_campaigns.site.messages import read_error

BATCH_SIZE = 500


class EnrollmentVerb(Label):
	"""What a user can do with enrollments."""

	PAUSE = "Pause"
	RESUME = "Resume"
	REMOVE = "Remove"
	SKIP = "Skip"
	MOVE = "Move"
	RESTART = "Restart"


@dataclass(frozen=True)
class VerbRequest:
	"""A verb with its arguments: `step` is the one to skip or to move to, `until` (UTC) the end of a pause."""

	verb: EnrollmentVerb
	step: str | None = None
	until: datetime | None = None

	@classmethod
	def read(cls, verb: str, step: str | None, until: datetime | None) -> "VerbRequest":
		"""Return the request that these texts mean; raise EnrollmentRefusedError with the remedy if they mean none."""
		if verb not in [known.value for known in EnrollmentVerb]:
			message = _("“{0}” isn't a verb. Use one of: {1}.")
			raise EnrollmentRefusedError(message.format(verb, ", ".join(EnrollmentVerb)))
		if verb in (EnrollmentVerb.SKIP.value, EnrollmentVerb.MOVE.value) and not step:
			raise EnrollmentRefusedError(_("Choose a step."))
		return cls(EnrollmentVerb(verb), step, until)


def apply_verb(names: Sequence[str], request: VerbRequest, now: datetime) -> VerbResult:
	"""Apply a verb to the enrollments `names`, in batches; return how many it changed, and why it refused the others.

	An enrollment that cannot be changed, such as one with a broken record, is refused with the error and stops no other.
	"""
	result = VerbResult()
	for batch in create_batch(list(dict.fromkeys(names)), BATCH_SIZE):
		done, failed = attempt_each(batch, lambda names: _APPLY[request.verb](names, request, now))
		for one in done:
			result.add(one)
		result.refusals |= {name: Refusal("error", read_error(error)) for name, error in failed}
	return result


def find_at_step(campaign: str, step: str) -> list[str]:
	"""Return the live enrollments whose next step this is, paused ones included."""
	filters = {"campaign": campaign, "next_step": step, "status": ["in", list(LIVE_VALUES)]}
	return frappe.get_all("Drip Enrollment", filters=filters, pluck="name", order_by="name")


_APPLY: dict[EnrollmentVerb, Callable[[Sequence[str], VerbRequest, datetime], VerbResult]] = {
	EnrollmentVerb.PAUSE: lambda names, request, now: pause_enrollments(
		names, now, until=request.until, detail=detail_of_user()
	),
	EnrollmentVerb.RESUME: lambda names, request, now: resume_enrollments(names, now),
	EnrollmentVerb.REMOVE: lambda names, request, now: remove_enrollments(names, now),
	EnrollmentVerb.SKIP: lambda names, request, now: skip_step(names, request.step, now),
	EnrollmentVerb.MOVE: lambda names, request, now: move_to_step(names, request.step, now),
	EnrollmentVerb.RESTART: lambda names, request, now: restart_enrollments(names, now),
}
