"""The page on which a recipient leaves: GET shows what is left and from whom, POST acts."""

import frappe
from werkzeug.wrappers import Response

from drip_campaigns.core.model import Status
from drip_campaigns.core.tokens import Purpose
from drip_campaigns.enrollment import enroll
from drip_campaigns.pages.frame import Page, PageRequest, choose_language, render_page
from drip_campaigns.site_clock import utc_now


def show(request: PageRequest) -> Response:
	"""Ask, or say that it is done already."""
	enrollment = frappe.get_doc("Drip Enrollment", request.subject)
	choose_language()
	if enrollment.status == Status.UNSUBSCRIBED.value:
		return render_page("drip_unsubscribed", campaign_title=_title(enrollment))
	return render_page("drip_unsubscribe", campaign_title=_title(enrollment), action_url=request.action_url)


def act(request: PageRequest) -> Response:
	"""Leave: recorded and in force before the answer is given."""
	enrollment = frappe.get_doc("Drip Enrollment", request.subject)
	choose_language()
	enroll.unsubscribe(enrollment, utc_now())
	return render_page("drip_unsubscribed", campaign_title=_title(enrollment))


def _title(enrollment) -> str:
	return frappe.db.get_value("Drip Campaign", enrollment.campaign, "campaign_name")


PAGE = Page(Purpose.LEAVE, show, act)
