"""Suppress an address and lift it again: the row, the enrollments of all records that have it, their own flags, the log.

Whoever suppresses twice has suppressed once. None of this commits; who may do it is the business of the edge.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import frappe

from drip_campaigns.core.consent import ConsentTo
from drip_campaigns.core.model import EventType, SuppressionReason
from drip_campaigns.dispatch.store import record_events
from drip_campaigns.enrollment.addresses import hash_address, normalise, spellings
from drip_campaigns.enrollment.ending import end_live_of
from drip_campaigns.enrollment.recipient_types import known_types
from drip_campaigns.site_clock import to_site
from drip_campaigns.tracking.consents import withdraw_consent
from drip_campaigns.tracking.suppression import DOCTYPE, EXIT_REASONS

FLAG = "unsubscribed"
BY_MAIL_SERVER = "A mail server, while sending"


def suppress(address: str, reason: SuppressionReason, now: datetime, *, source: str, note: str = "") -> bool:
	"""Let `address` get no marketing mail from now on; return whether that was new. `source` says where it came from."""
	name = hash_address(address)
	lifted = frappe.db.get_value(DOCTYPE, name, "lifted", for_update=True)
	if lifted is None:
		document = frappe.get_doc(
			doctype=DOCTYPE, email_address=address, reason=reason.value, source=source, note=note
		)
		document.flags.update({"now": now, "by_recipient": True})
		document.insert(ignore_permissions=True)
	elif lifted:
		renew(frappe.get_doc(DOCTYPE, name), reason, now, source=source, note=note)
	else:
		end_live_of(address, None, now, EXIT_REASONS[reason])
	return lifted is None or bool(lifted)


def suppress_refused(answers: Mapping[str, str], now: datetime) -> None:
	"""Suppress addresses that a mail server has just refused because they are not there, with its words.

	One after the other: a server that refuses many is a list that should not have been written to, and a circuit
	breaker stops it (`feedback/breaker.py`).
	"""
	for address in sorted(answers):
		suppress(address, SuppressionReason.HARD_BOUNCE, now, source=BY_MAIL_SERVER, note=answers[address])


def renew(document, reason: SuppressionReason, now: datetime, *, source: str, note: str) -> None:
	"""Suppress an address again that was lifted."""
	values = {"reason": reason.value, "source": source, "note": note, "suppressed_at": to_site(now)}
	document.db_set({**values, "lifted": 0, "lifted_at": None, "lifted_because": None}, notify=True)
	apply(document, now)


def apply(document, now: datetime) -> None:
	"""Do what follows from a suppression: enrollments end, queued e-mails are withdrawn, flags are set, the log has a line."""
	reason = SuppressionReason(document.reason)
	end_live_of(document.email_address, None, now, EXIT_REASONS[reason])
	if reason is SuppressionReason.OPTED_OUT:
		withdraw_consent(ConsentTo.CAMPAIGN, document.email_address, None, now)
		document.db_set("flagged_records", "\n".join(_flag_records(document.email_address)), notify=False)
	_log(document, EventType.SUPPRESSED, f"{reason.value}: {document.note or document.source}", now)


def lift(document, because: str, now: datetime) -> None:
	"""Let an address be written to again, and say why; the flags that were set with the suppression go."""
	for line in (document.flagged_records or "").splitlines():
		doctype, _tab, name = line.partition("\t")
		if doctype in known_types():
			frappe.db.set_value(doctype, name, FLAG, 0)
	values = {"lifted": 1, "lifted_at": to_site(now), "lifted_because": because, "flagged_records": None}
	document.db_set(values, notify=True)
	_log(document, EventType.LIFTED, because, now)


def _flag_records(address: str) -> Iterator[str]:
	"""Mark every record that has the address and is not marked yet; yield which."""
	for doctype, kind in known_types().items():
		if not {kind.address, FLAG} <= set(frappe.get_meta(doctype).get_valid_columns()):
			continue
		filters = {kind.address: ["in", spellings(address)], FLAG: 0}
		for row in frappe.get_all(doctype, filters=filters, fields=["name", kind.address]):
			if normalise(row[kind.address]) == normalise(address):
				frappe.db.set_value(doctype, row.name, FLAG, 1)
				yield f"{doctype}\t{row.name}"


def _log(document, event: EventType, detail: str, now: datetime) -> None:
	line = {"event_type": event.value, "detail": detail, "email_address": document.email_address}
	record_events([line], to_site(now))
