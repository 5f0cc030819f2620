"""Double opt-in: who must confirm, and what confirming does to an enrollment. Nothing here commits.

The dispatch sends the confirmation emails (rendering/confirmation_mail.py); a page receives the confirmation (pages/confirm.py).
"""

from collections.abc import Iterable
from datetime import datetime

import frappe
from frappe.utils import getdate

from drip_campaigns.core.model import ConsentPurpose, EventType, Status
from drip_campaigns.core.schedule import due_steps
from drip_campaigns.core.schedule.confirmation import Confirmation, OptIn, must_confirm
from drip_campaigns.core.transitions import next_status
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.campaign_checks import check_not_closed, find_first_status, find_start
from drip_campaigns.enrollment.changes import set_fields
from drip_campaigns.outbox.cancel import cancel
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.consent_records import find_agreed, record_consent
from drip_campaigns.people.mail_domains import LARGE_PROVIDERS
from drip_campaigns.plans.campaign_plan import make_plan, step_subjects
from drip_campaigns.plans.enrollment_state import plan_fields, position_fields, waits_for_confirmation
from drip_campaigns.site.clock import site_date, to_site


def find_who_must_confirm(campaign, addresses: Iterable[str], *, required: bool = False) -> set[str]:
	"""Return those of `addresses`, normalized, that must confirm before `campaign` sends them anything.

	`required` asks everyone, whatever the campaign says. A person who confirmed this campaign before, and has not
	unsubscribed since, is not asked again.
	"""
	opt_in = OptIn.ALWAYS if required else OptIn(campaign.double_opt_in or OptIn.NO.value)
	if opt_in is OptIn.NO:
		return set()
	domains = named_domains()
	wanted = {normalize(address) for address in addresses if address}
	asked = {address for address in wanted if must_confirm(opt_in, address.rpartition("@")[2], domains)}
	return asked - find_agreed(ConsentPurpose.CAMPAIGN, asked, campaign.name)


def named_domains() -> tuple[str, ...]:
	"""Return the mail domains of Drip Settings, in lower case and IDNA; the large providers if none is named."""
	written = frappe.db.get_single_value("Drip Settings", "opt_in_domains") or ""
	names = (name.strip().lstrip("@") for name in written.replace(",", "\n").splitlines())
	return tuple(normalize(f"x@{name}").partition("@")[2] for name in names if name) or LARGE_PROVIDERS


def confirm(document, wording: str, now: datetime) -> bool:
	"""Record that the recipient agrees to `wording`: the schedule begins now, or on its start date if that is later.

	Returns whether that was new. Idempotent; the caller holds the row's lock. Raises
	EnrollmentRefusedError or InvalidTransitionError when it is too late: the campaign or the enrollment has ended.
	"""
	if not waits_for_confirmation(document.as_dict()):
		return False
	status = next_status(Status(document.status), EventType.CONFIRMED)
	campaign = frappe.get_doc("Drip Campaign", document.campaign)
	check_not_closed(campaign)
	set_fields(document, {**_beginning(document, campaign, status, now), "confirmed_at": to_site(now)})
	cancel([document.name], Confirmation.CONFIRMED.value, now)
	_keep_proof(document, wording, now)
	return True


def _beginning(document, campaign, status: Status, now: datetime) -> dict:
	"""Return the fields of an enrollment whose schedule starts at `now`; a paused one starts when it is resumed."""
	day = max(getdate(document.start_date), site_date(now))
	start = find_start(day, campaign, document.time_zone, now)
	plan, position = make_plan(campaign), due_steps.begin(start, document.time_zone or None)
	fields = {
		"start_date": day,
		"confirmation": Confirmation.CONFIRMED.value,
		**position_fields(position),
		**plan_fields(plan, position, step_subjects(campaign), None),
	}
	if status is Status.PAUSED:
		return {**fields, "status": status.value, "next_send_at": None, "paused_at": to_site(now)}
	return {**fields, "status": find_first_status(campaign, start, now)}


def _keep_proof(document, wording: str, now: datetime) -> None:
	line = {
		"event_type": EventType.CONFIRMED.value,
		"campaign": document.campaign,
		"enrollment": document.name,
		"email_address": document.email_address,
	}
	record_events([line], to_site(now))
	record_consent(
		ConsentPurpose.CAMPAIGN,
		document.email_address,
		wording,
		now,
		campaign=document.campaign,
		enrollment=document.name,
		recipient_type=document.recipient_type,
		recipient=document.recipient,
	)
