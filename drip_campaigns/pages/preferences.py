"""The preferences page: lists and campaigns, a pause, language, address, a copy of the data, and erasure.

Everything concerns the address that the link was sent to. The page never shows it, so a forwarded email reveals nothing.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from frappe import _
from frappe.utils import format_date
from werkzeug.wrappers import Response

from drip_campaigns.core.model import UnsubscribeScope
from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.enrollment import address_change, personal_data, subscription_options
from drip_campaigns.enrollment.pause import end_address_pause, pause_address
from drip_campaigns.enrollment.unsubscribe import (
	LinkHolder,
	find_link_holder,
	find_opt_out_state,
	lock_address,
	resubscribe,
	unsubscribe_holder,
)
from drip_campaigns.pages.frame import HEADERS, Page, PageRequest, render_page
from drip_campaigns.pages.rate_limits import count_request
from drip_campaigns.pages.recipient_context import use_language_of
from drip_campaigns.people.addresses import hash_address, is_valid, normalize
from drip_campaigns.people.consent_records import can_ask_for_tracking, record_tracking_answer
from drip_campaigns.people.preferences import load_preference, save_preference
from drip_campaigns.rendering.links import find_person
from drip_campaigns.site.clock import site_date, utc_now
from drip_campaigns.site.languages import LANGUAGES

PAUSE_DAYS = (30, 90)
NO_BREAK_HYPHEN = "\u2011"  # a date stays on one line
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "ar": "العربية"}
COPIES_PER_HOUR = 5
CHANGES_PER_HOUR = 3  # from one address and to one address, so that nobody can flood a mailbox
SHOWN, TICKED = "shown-", "get-"


def show(request: PageRequest) -> Response:
	"""Show the person's subscriptions and choices."""
	leaver = _find(request.subject)
	use_language_of(leaver)
	return _show(request, leaver.address)


@retry_on_deadlock
def act(request: PageRequest) -> Response:
	"""Apply the button's action; an unknown button changes nothing. Two clicks run one after the other."""
	lock_address(_find(request.subject))
	leaver = _find(request.subject)
	use_language_of(leaver)
	action = _ACTIONS.get(str(request.form.get("action") or ""), _nothing)
	return action(request, leaver.address)


def _find(subject: str) -> LinkHolder:
	"""Return the holder of the link, with the address that it was sent to, even if the enrollment's has changed."""
	return replace(find_link_holder(subject.partition("~")[0]), address=find_person(subject))


def _show(request: PageRequest, address: str, done: str = "", problem: str = "") -> Response:
	preference, now = load_preference(address), utc_now()
	offered = subscription_options.load_options(address)
	return render_page(
		"drip_preferences",
		422 if problem else 200,
		action_url=request.action_url,
		done=done,
		problem=problem,
		lists=[choice for choice in offered if choice.doctype == subscription_options.LIST],
		campaigns=[choice for choice in offered if choice.doctype == subscription_options.CAMPAIGN],
		standing=find_opt_out_state(_find(request.subject)),
		paused_until=_day(preference.paused_until) if preference.is_paused_at(now) else "",
		pause_days=PAUSE_DAYS,
		language=preference.language,
		tracking_wording=_tracking_wording() if can_ask_for_tracking(preference) else "",
		tracking_consent=preference.tracking_consent,
		languages={code: LANGUAGE_NAMES[code] for code in LANGUAGES},
	)


def _day(moment: datetime) -> str:
	return format_date(site_date(moment)).replace("-", NO_BREAK_HYPHEN)


def _save(request: PageRequest, address: str) -> Response:
	form = request.form
	shown = [name.removeprefix(SHOWN) for name in form if name.startswith(SHOWN)]
	ticked = [name.removeprefix(TICKED) for name in form if name.startswith(TICKED)]
	subscription_options.save_options(address, shown, ticked, utc_now())
	language = str(form.get("language") or "")
	if language in ("", *LANGUAGES) and language != load_preference(address).language:
		save_preference(address, preferred_language=language or None)
		use_language_of(_find(request.subject))
	return _show(request, address, done=_("Your choice was saved and applies from now on."))


def _answer_tracking(request: PageRequest, address: str) -> Response:
	"""Record whether the person agrees to individual tracking, with the sentence shown."""
	record_tracking_answer(address, bool(request.form.get("agrees")), _tracking_wording(), utc_now())
	return _show(request, address, done=_("Your choice was saved and applies from now on."))


def _tracking_wording() -> str:
	return _("I agree that you record which of these emails I open and which links I click.")


def _pause(days: int) -> Callable[[PageRequest, str], Response]:
	def pause(request: PageRequest, address: str) -> Response:
		now = utc_now()
		pause_address(address, now + timedelta(days=days), now)
		return _show(request, address, done=_("You will get no campaign emails for {0} days.").format(days))

	return pause


def _end_pause(request: PageRequest, address: str) -> Response:
	end_address_pause(address, utc_now())
	return _show(request, address, done=_("The pause is over. Emails continue where they stopped."))


def _leave_all(request: PageRequest, address: str) -> Response:
	unsubscribe_holder(_find(request.subject), UnsubscribeScope.EVERYTHING, utc_now(), source=_SOURCE)
	return _show(request, address, done=_("You will get no more marketing emails from us."))


def _come_back(request: PageRequest, address: str) -> Response:
	leaver = _find(request.subject)
	if not find_opt_out_state(leaver).may_come_back:
		return _show(request, address)
	resubscribe(leaver, UnsubscribeScope.EVERYTHING, utc_now())
	return _show(request, address, done=_("You can get emails from us again. Choose which ones below."))


def _change_address(request: PageRequest, address: str) -> Response:
	new_address = str(request.form.get("new_address") or "").strip()
	if not is_valid(new_address):
		return _show(
			request, address, problem=_("This is not a valid email address. Please check for a typo.")
		)
	if normalize(new_address) == normalize(address):
		return _show(request, address, problem=_("We already use this address."))
	count_request("change-by", hash_address(address), CHANGES_PER_HOUR)
	count_request("change-to", hash_address(new_address), CHANGES_PER_HOUR)
	address_change.request_change(address, new_address, utc_now())
	return _show(
		request,
		address,
		done=_("We sent an email to the new address. Nothing changes until you confirm with the link in it."),
	)


def _copy(request: PageRequest, address: str) -> Response:
	count_request("copy", hash_address(address), COPIES_PER_HOUR)
	text = json.dumps(personal_data.collect(address, utc_now()), indent=2, ensure_ascii=False)
	headers = {**HEADERS, "Content-Disposition": 'attachment; filename="my-data.json"'}
	return Response(text + "\n", mimetype="application/json", headers=headers)


def _ask_to_erase(request: PageRequest, address: str) -> Response:
	return render_page("drip_erase", action_url=request.action_url)


def _erase(request: PageRequest, address: str) -> Response:
	personal_data.erase(address, utc_now(), source=_SOURCE)
	text = _(
		"We erased the data that our campaigns stored about you. We only keep an unreadable note that this address wants no marketing emails."
	)
	return render_page("drip_done", title=_("Your data was erased"), message=text)


def _nothing(request: PageRequest, address: str) -> Response:
	return _show(request, address)


_SOURCE = "Preferences page"
_ACTIONS: dict[str, Callable[[PageRequest, str], Response]] = {
	"save": _save,
	"tracking": _answer_tracking,
	**{f"pause-{days}": _pause(days) for days in PAUSE_DAYS},
	"end-pause": _end_pause,
	"leave-all": _leave_all,
	"come-back": _come_back,
	"change-address": _change_address,
	"copy": _copy,
	"ask-to-erase": _ask_to_erase,
	"erase": _erase,
}

PAGE = Page(Purpose.PREFERENCES, show, act)
