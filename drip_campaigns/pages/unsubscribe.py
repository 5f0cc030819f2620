"""The unsubscribe page: GET shows the campaign and its sender, POST unsubscribes and offers to undo it.

One-click unsubscribe is the POST of RFC 8058: a form of `List-Unsubscribe=One-Click`, urlencoded or multipart, without
cookies, login, or redirects; it takes effect before the response. It uses the campaign's unsubscribe scope.
"""

import frappe
from frappe import _
from werkzeug.wrappers import Response

from drip_campaigns.core.model import UnsubscribeScope
from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.enrollment.unsubscribe import (
	LONGEST_REASON,
	LinkHolder,
	decide_scope,
	find_link_holder,
	find_opt_out_state,
	lock_address,
	record_reason,
	resubscribe,
	unsubscribe_holder,
)
from drip_campaigns.pages.frame import Page, PageRequest, render_page
from drip_campaigns.pages.recipient_context import preferences_link, use_language_of
from drip_campaigns.site.clock import utc_now

REASONS = (
	"I get too many emails",
	"Not relevant to me",
	"I never signed up",
	"I already bought it or no longer need it",
)


def show(request: PageRequest) -> Response:
	"""Ask what to unsubscribe from, or show what was unsubscribed before."""
	leaver = find_link_holder(request.subject)
	if leaver.is_erased:
		return _erased()
	use_language_of(leaver)
	return _page(request, leaver)


def act(request: PageRequest) -> Response:
	"""Unsubscribe, resubscribe, or record a reason; in effect before the response."""
	leaver = find_link_holder(request.subject)
	if leaver.is_erased:
		return _erased()
	use_language_of(leaver)
	done = _act(leaver, request.form)
	return _page(request, leaver, done)


@retry_on_deadlock
def _act(leaver: LinkHolder, form) -> str:
	lock_address(leaver)
	action, scope = str(form.get("action") or "leave"), _scope_of(leaver, form)
	if action == "undo":
		resubscribe(leaver, scope, utc_now())
	elif action == "reason":
		record_reason(leaver, _reason_of(form), utc_now())
	else:
		unsubscribe_holder(leaver, scope, utc_now())
	return action


def _scope_of(leaver: LinkHolder, form) -> UnsubscribeScope:
	asked = (scope for scope in UnsubscribeScope if form.get("scope") == scope.name.lower())
	return decide_scope(leaver, next(asked, None))


def _reason_of(form) -> str:
	chosen = str(form.get("reason") or "")
	texts = [chosen if chosen in REASONS else "", str(form.get("comment") or "")[:LONGEST_REASON]]
	return ": ".join(text for text in texts if text)


def _page(request: PageRequest, leaver: LinkHolder, done: str = "") -> Response:
	standing = find_opt_out_state(leaver)
	title = frappe.db.get_value("Drip Campaign", leaver.campaign, "campaign_name") or leaver.former_title
	sender = frappe.db.get_value("User", leaver.sender, "full_name") if leaver.sender else ""
	context = {
		"campaign_title": title,
		"sender_name": "" if leaver.sender in frappe.STANDARD_USERS else sender,
		"action_url": request.action_url,
		"standing": standing,
		"list_titles": [one.title for one in standing.open_lists if one.title],
		"done": done,
		"own_text": _(frappe.get_cached_doc("Drip Settings").page_text or ""),
	}
	if standing.campaign or standing.everything:
		reasons = [(reason, _(reason)) for reason in REASONS]
		return render_page("drip_unsubscribed", reasons=reasons, longest=LONGEST_REASON, **context)
	everything_first = decide_scope(leaver) is UnsubscribeScope.EVERYTHING
	context["preferences_url"] = preferences_link(leaver)
	return render_page("drip_unsubscribe", everything_first=everything_first, **context)


def _erased() -> Response:
	"""Return the page for a person whose data was erased, and who is therefore unsubscribed from everything."""
	text = _("You will get no more marketing emails from us.")
	return render_page("drip_done", title=_("You are unsubscribed"), message=text)


PAGE = Page(Purpose.LEAVE, show, act)
