"""Suppress an address, and lift the suppression: its row, enrollments, the flags of records, the log. Nothing here commits.

Suppressing is idempotent. The API checks permissions.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.model import ConsentPurpose, EventType, SuppressionReason
from drip_campaigns.db.bulk_writes import insert_records, set_each, set_values, standard_values
from drip_campaigns.db.dialect import is_among, select_in
from drip_campaigns.db.events import record_events
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.db.single_writes import write_fields, write_values
from drip_campaigns.enrollment.exit import exit_address, exit_enrollments, find_live_of_all
from drip_campaigns.people.addresses import hash_address, normalize, spellings
from drip_campaigns.people.consent_records import withdraw_consents
from drip_campaigns.people.recipient_types import known_types
from drip_campaigns.people.suppression import DOCTYPE, EXIT_REASONS, find_suppressed
from drip_campaigns.site.clock import to_site

FLAG = "unsubscribed"
BY_MAIL_SERVER = "A mail server, while sending"


def suppress(address: str, reason: SuppressionReason, now: datetime, *, source: str, note: str = "") -> bool:
	"""Stop all marketing email to `address`; return whether that was new. `source` says who or what asked for it."""
	name = hash_address(address)
	lifted = frappe.db.get_value(DOCTYPE, name, "lifted", for_update=True)
	if lifted is None:
		texts = clean_values(DOCTYPE, {"source": source, "note": note})
		document = frappe.get_doc(doctype=DOCTYPE, email_address=address, reason=reason.value, **texts)
		document.flags.update({"now": now, "by_recipient": True})
		# nosemgrep: ignore-permissions - an opt-out must not need a right
		document.insert(ignore_permissions=True)
	elif lifted:
		renew(frappe.get_doc(DOCTYPE, name), reason, now, source=source, note=note)
	else:
		exit_address(address, None, now, EXIT_REASONS[reason])
	return lifted is None or bool(lifted)


def suppress_refused(answers: Mapping[str, str], now: datetime) -> None:
	"""Suppress addresses that a mail server refused because they don't exist, with its reply as the note."""
	suppress_many(answers, SuppressionReason.HARD_BOUNCE, now, source=BY_MAIL_SERVER)


def suppress_many(notes: Mapping[str, str], reason: SuppressionReason, now: datetime, *, source: str) -> int:
	"""Suppress the addresses of `notes`, with their notes; return how many were not suppressed before.

	A handful of statements for a whole group, and the same result as `suppress` for each.
	"""
	rows = {hash_address(address): (address, notes[address]) for address in sorted(notes)}
	known = _lock_known(sorted(rows))
	new = [rows[name] for name in sorted(rows) if name not in known]
	_insert(new, reason, source, now)
	lifted = [name for name in sorted(known) if known[name]]
	for address, note in (rows[name] for name in lifted):  # lifted by a user, which is rare
		suppress(address, reason, now, source=source, note=note)
	exit_reason = EXIT_REASONS[reason]
	exit_enrollments(find_live_of_all(notes), exit_reason, exit_reason and exit_reason.value, now)
	if reason is SuppressionReason.OPTED_OUT:
		addresses = [address for address, _note in new]
		withdraw_consents(ConsentPurpose.CAMPAIGN, addresses, now)
		_note_flags(_flag_many(addresses, now))
	return len(new) + len(lifted)


def _lock_known(names: Sequence[str]) -> dict[str, int]:
	if not names:
		return {}
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.from_(table).select(table.name, table.lifted).where(is_among(table.name, names))
	return dict(query.for_update().run())


def _insert(new: Sequence[tuple[str, str]], reason: SuppressionReason, source: str, now: datetime) -> None:
	"""Insert rows as the controller does, with their lines in the log."""
	if not new:
		return
	site_now = to_site(now)
	same = {"reason": reason.value, "source": source, "suppressed_at": site_now}
	standard = {**standard_values(frappe.session.user, site_now), **same}
	records = [
		{**standard, "name": key, "address_hash": key, "email_address": address, "note": note}
		for address, note in new
		for key in [hash_address(address)]
	]
	insert_records(DOCTYPE, records, keep_existing=True)
	suppressed = EventType.SUPPRESSED.value
	lines = [
		{"event_type": suppressed, "detail": f"{reason.value}: {note}", "email_address": address}
		for address, note in new
	]
	record_events(lines, site_now)


def _flag_many(addresses: Sequence[str], now: datetime) -> dict[str, list[str]]:
	"""Flag every record with one of the addresses that is not flagged yet; return which, by normalized address."""
	flagged: dict[str, list[str]] = {}
	spelled = sorted({spelling for address in addresses for spelling in spellings(address)})
	wanted = {normalize(address) for address in addresses}
	for doctype, kind in known_types().items() if spelled else ():
		if not {kind.address, FLAG} <= set(frappe.get_meta(doctype).get_valid_columns()):
			continue
		rows = select_in(doctype, ["name", kind.address], kind.address, spelled, **{FLAG: 0})
		found = [row for row in rows if normalize(row[kind.address]) in wanted]
		set_values(doctype, [row.name for row in found], {FLAG: 1}, to_site(now))
		for row in found:
			flagged.setdefault(normalize(row[kind.address]), []).append(f"{doctype}\t{row.name}")
	return flagged


def _note_flags(flagged: Mapping[str, Sequence[str]]) -> None:
	rows = [(hash_address(address), "\n".join(lines)) for address, lines in flagged.items()]
	set_each(DOCTYPE, ("name", "flagged_records"), rows)


def renew(document, reason: SuppressionReason, now: datetime, *, source: str, note: str) -> None:
	"""Suppress an address again whose suppression was lifted."""
	values = {"reason": reason.value, "source": source, "note": note, "suppressed_at": to_site(now)}
	write_fields(document, {**values, "lifted": 0, "lifted_at": None, "lifted_reason": None}, notify=True)
	apply(document, now)


def apply(document, now: datetime) -> None:
	"""Apply a suppression: end enrollments, cancel queued emails, set flags, and log it."""
	reason = SuppressionReason(document.reason)
	exit_address(document.email_address, None, now, EXIT_REASONS[reason])
	if reason is SuppressionReason.OPTED_OUT:
		withdraw_consents(ConsentPurpose.CAMPAIGN, [document.email_address], now)
		flagged = _flag_many([document.email_address], now).get(normalize(document.email_address), ())
		write_fields(document, {"flagged_records": "\n".join(flagged)}, notify=False)
	_log(document, EventType.SUPPRESSED, f"{reason.value}: {document.note or document.source}", now)


def lift(document, because: str, now: datetime) -> None:
	"""Lift a suppression for the reason `because`, and clear the flags that it set."""
	for line in (document.flagged_records or "").splitlines():
		doctype, _tab, name = line.partition("\t")
		if doctype in known_types():
			write_values(doctype, name, {FLAG: 0})
	values = {"lifted": 1, "lifted_at": to_site(now), "lifted_reason": because, "flagged_records": None}
	write_fields(document, values, notify=True)
	_log(document, EventType.LIFTED, because, now)


def apply_to_new_record(document) -> None:
	"""Flag a record that gets an address which has opted out of everything.

	Only when the address changes: a user can clear the flag later, and the address stays suppressed.
	"""
	kind = known_types().get(document.doctype)
	if kind is None or not document.meta.has_field(FLAG) or document.get(FLAG):
		return
	address = document.get(kind.address)
	if not address or not (document.is_new() or document.has_value_changed(kind.address)):
		return
	if find_suppressed([address]).get(normalize(address)) is SuppressionReason.OPTED_OUT:
		document.set(FLAG, 1)
		_note_marked(hash_address(address), f"{document.doctype}\t{document.name}")


def _note_marked(suppression: str, line: str) -> None:
	"""Record which flag to clear when the suppression is lifted; nothing is recorded for an erased person."""
	row = frappe.db.get_value(DOCTYPE, suppression, ["email_address", "flagged_records"], as_dict=True)
	if row.email_address:
		lines = [*(row.flagged_records or "").splitlines(), line]
		write_values(DOCTYPE, suppression, {"flagged_records": "\n".join(lines)})


def _log(document, event: EventType, detail: str, now: datetime) -> None:
	line = {"event_type": event.value, "detail": detail, "email_address": document.email_address}
	record_events([line], to_site(now))
