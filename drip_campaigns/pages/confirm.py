"""The page that confirms an enrollment (double opt-in): GET shows the consent text, POST records the consent.

The proof is the sentence that was shown. The form names it, and if it has changed since, the page shows the new one
instead of recording a consent to it.
"""

import hashlib

import frappe
from frappe import _
from werkzeug.wrappers import Response

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.schedule.confirmation import Confirmation
from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.enrollment.confirm import confirm
from drip_campaigns.pages.frame import Page, PageRequest, brand, choose_language, render_page, render_problem
from drip_campaigns.people.preferences import find_language_of
from drip_campaigns.plans.enrollment_state import LIVE_VALUES, waits_for_confirmation
from drip_campaigns.site.clock import utc_now

GONE = 410


def show(request: PageRequest) -> Response:
	"""Show the consent text, or the result of an earlier answer."""
	return _answer(_open(request), request)


def act(request: PageRequest) -> Response:
	"""Record the consent if the consent text is still the one shown. Idempotent."""
	enrollment = _open(request, for_update=True)
	wording = _wording(enrollment)
	if _can_confirm(enrollment) and request.form.get("seen") == _digest(wording):
		try:
			confirm(enrollment, wording, utc_now())
		except DripError:
			return _too_late()
	return _answer(enrollment, request)


def _open(request: PageRequest, *, for_update: bool = False):
	enrollment = frappe.get_doc("Drip Enrollment", request.subject, for_update=for_update)
	choose_language(find_language_of(enrollment.recipient_type, enrollment.recipient))
	return enrollment


def _answer(enrollment, request: PageRequest) -> Response:
	title = _title(enrollment)
	if _can_confirm(enrollment):
		wording = _wording(enrollment)
		form = {"wording": wording, "seen": _digest(wording), "action_url": request.action_url}
		return render_page("drip_confirm", campaign_title=title, **form)
	is_live = enrollment.status in LIVE_VALUES or enrollment.status == "Completed"
	if is_live and enrollment.confirmation == Confirmation.CONFIRMED.value:
		return render_page("drip_confirmed", campaign_title=title)
	return _too_late()


def _can_confirm(enrollment) -> bool:
	return enrollment.status in LIVE_VALUES and waits_for_confirmation(enrollment.as_dict())


def _too_late() -> Response:
	text = _("We will not send you these emails. If you want them after all, please sign up again.")
	return render_problem(_("Confirmation no longer possible"), text, GONE)


def _title(enrollment) -> str:
	return frappe.db.get_value("Drip Campaign", enrollment.campaign, "campaign_name")


def _wording(enrollment) -> str:
	own = frappe.db.get_value("Drip Campaign", enrollment.campaign, "consent_text")
	if own:
		return own
	title, sender = _title(enrollment), brand()
	if not sender:
		return _(
			"I want to get the emails “{0}”. I can unsubscribe at any time with the link in each email."
		).format(title)
	return _(
		"I want to get the emails “{0}” from {1}. I can unsubscribe at any time with the link in each email."
	).format(title, sender)


def _digest(wording: str) -> str:
	return hashlib.blake2b(wording.encode(), digest_size=12).hexdigest()


PAGE = Page(Purpose.CONFIRM, show, act)
