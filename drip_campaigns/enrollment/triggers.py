"""What happens to enrollments when a record of another app is made or changed: the targets of `doc_events`."""

from drip_campaigns.enrollment.enroll import end_live_of
from drip_campaigns.site_clock import utc_now


def leave_when_unsubscribed(document, _event: str | None = None) -> None:
	"""An Email Unsubscribe was made, by our page or in any other way: nothing more leaves, what is queued included.

	One that refers to something else than a campaign or the whole site is none of our business.
	"""
	if document.global_unsubscribe:
		end_live_of(document.email, None, utc_now())
	elif document.reference_doctype == "Drip Campaign":
		end_live_of(document.email, document.reference_name, utc_now())
