"""Record a bounce or a complaint: on the email, in the log, and for the address. Nothing here commits.

The caller has verified the event: by a tag of ours, a Message-ID of ours, or a provider's signature.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.inbound.bounces import COUNTED, Bounce, is_hard_series
from drip_campaigns.core.inbound.response_words import Severity
from drip_campaigns.core.inbound.server_responses import Finding
from drip_campaigns.core.model import EventType, SuppressionReason
from drip_campaigns.core.plain_text import one_line
from drip_campaigns.db.events import record_events
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.outbox import breaker_hints, sending_blocks
from drip_campaigns.outbox.emails import make_event
from drip_campaigns.outbox.settle import settle_in_doubt
from drip_campaigns.people.addresses import normalize, spellings
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import soft_series

RANKS = {"": 0, Severity.SOFT.value: 1, Severity.SENDER.value: 1, Severity.HARD.value: 2}
LONGEST_DETAIL = 300


def find_own_bounce(mail: frappe._dict, bounces: Sequence[Bounce]) -> Bounce | None:
	"""Return the bounce of a report that is about the recipient of `mail`, or None.

	The only bounce of a report is, under any address: the recipient can forward their email.
	"""
	for bounce in bounces:
		if normalize(bounce.address) == normalize(mail.email_address):
			return bounce
	return bounces[0] if len(bounces) == 1 else None


def record_bounce(mail: frappe._dict, bounce: Bounce, now: datetime, *, source: str) -> bool:
	"""Record a bounce with its consequences, unless the email has one of this rank or higher; return whether it was new."""
	known = frappe.db.get_value("Drip Email", mail.name, "bounce", for_update=True) or ""
	settle_in_doubt([mail.name], now, _("It bounced."))
	if RANKS[bounce.severity.value] <= RANKS[known]:
		return False
	detail = f"{bounce.severity.value} ({bounce.category.value}) {bounce.code}: {bounce.reason}"[
		:LONGEST_DETAIL
	].replace(" :", ":")
	write_values(
		"Drip Email",
		mail.name,
		{"bounce": bounce.severity.value, "bounce_reason": bounce.category.value, "error": detail},
	)
	if mail.communication:
		write_values("Communication", mail.communication, {"delivery_status": "Bounced"})
	_log(mail, EventType.BOUNCED, detail, now)
	if bounce.severity is Severity.HARD:
		suppress(mail.email_address, SuppressionReason.HARD_BOUNCE, now, source=source, note=detail)
	elif bounce.counts:
		_suppress_after_series(mail, now, source)
	if bounce.severity is Severity.SENDER:
		finding = Finding(bounce.severity, bounce.category, bounce.code)
		sending_blocks.record_bounce(_account_of(mail), finding, f"{bounce.code} {bounce.reason}", now)
	return True


def record_complaint(mail: frappe._dict, detail: str, now: datetime, *, source: str) -> bool:
	"""Record a complaint about an email once and suppress the address; return whether it was new."""
	frappe.db.get_value("Drip Email", mail.name, "name", for_update=True)
	settle_in_doubt([mail.name], now, _("The recipient complained about it."))
	if frappe.db.exists("Drip Event", {"event_type": EventType.COMPLAINED.value, "drip_email": mail.name}):
		return False
	_log(mail, EventType.COMPLAINED, detail[:LONGEST_DETAIL], now)
	suppress(
		mail.email_address, SuppressionReason.COMPLAINT, now, source=source, note=detail[:LONGEST_DETAIL]
	)
	return True


def _suppress_after_series(mail: frappe._dict, now: datetime, source: str) -> None:
	series = soft_series()
	filters = {"email_address": ["in", spellings(mail.email_address)], "sent_at": ["is", "set"]}
	rows = frappe.get_all(
		"Drip Email",
		filters=filters,
		fields=["sent_at", "bounce_reason"],
		order_by="sent_at desc",
		limit=series.count,
	)
	latest = [(from_site(row.sent_at), row.bounce_reason in COUNTED) for row in rows]
	if is_hard_series(latest, series.count, timedelta(days=series.days)):
		note = _("{0} soft bounces in a row").format(series.count)
		suppress(mail.email_address, SuppressionReason.HARD_BOUNCE, now, source=source, note=note)


def _account_of(mail: frappe._dict) -> str:
	return (mail.email_queue and frappe.db.get_value("Email Queue", mail.email_queue, "email_account")) or ""


def _log(mail: frappe._dict, event: EventType, detail: str, now: datetime) -> None:
	breaker_hints.add_hints([mail.campaign])
	record_events([make_event(mail, event, one_line(detail, LONGEST_DETAIL))], to_site(now))
