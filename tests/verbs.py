"""The verbs with one document, as a form applies them: each calls the batch verb with one row, and reloads the document."""

from datetime import datetime
from typing import Any

from drip_campaigns.core.model import ExitReason
from drip_campaigns.enrollment.enroll import enroll  # noqa: F401 - the tests call all verbs here
from drip_campaigns.enrollment.exit import exit_enrollments, remove_enrollments
from drip_campaigns.enrollment.pause import pause_enrollments
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.enrollment.unsubscribe import unsubscribe_enrollments


def pause(document, now: datetime, **options: Any) -> None:
	"""Pause one enrollment; raise EnrollmentRefusedError if that is refused."""
	pause_enrollments([document.name], now, **options).require_done()
	document.reload()


def resume(document, now: datetime) -> None:
	"""Resume one enrollment; raise EnrollmentRefusedError if that is refused."""
	resume_enrollments([document.name], now).require_done()
	document.reload()


def remove(document, now: datetime) -> None:
	"""Remove one recipient from the campaign; raise EnrollmentRefusedError if that is refused."""
	remove_enrollments([document.name], now).require_done()
	document.reload()


def unsubscribe(document, now: datetime) -> None:
	"""Unsubscribe the recipient of one enrollment from its campaign."""
	unsubscribe_enrollments([document.name], now)
	document.reload()


def exit_enrollment(document, now: datetime, reason: ExitReason) -> None:
	"""End one enrollment by a rule."""
	exit_enrollments([document.name], reason, reason.value, now)
	document.reload()
