"""The page that confirms a new address: GET asks, POST changes the address."""

from frappe import _
from werkzeug.wrappers import Response

from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.enrollment import address_change
from drip_campaigns.pages.frame import Page, PageRequest, choose_language, render_page
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.site.clock import utc_now


def show(request: PageRequest) -> Response:
	"""Ask whether to use this address."""
	open_request = address_change.find_request(request.subject, utc_now())
	choose_language(load_preference(open_request.email_address).language)
	return render_page("drip_address", action_url=request.action_url)


def act(request: PageRequest) -> Response:
	"""Change the address; the link expires with this."""
	now = utc_now()
	open_request = address_change.find_request(request.subject, now, for_update=True)
	choose_language(load_preference(open_request.email_address).language)
	address_change.confirm_change(open_request, now)
	text = _("From now on, we will send emails to your new address. We have also notified the old one.")
	return render_page("drip_done", title=_("Your address was changed"), message=text)


PAGE = Page(Purpose.ADDRESS, show, act)
