"""Unsubscribe and resubscribe people: one campaign, its lists too, or all marketing email. Nothing here commits.

A person is an address: what one record does counts for every record with the same address.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.model import EventType, Status, SuppressionReason, UnsubscribeScope
from drip_campaigns.core.plain_text import one_line
from drip_campaigns.db.bulk_writes import insert_records, set_values, standard_values
from drip_campaigns.db.events import record_events
from drip_campaigns.enrollment.changes import lock_enrollments, make_event
from drip_campaigns.enrollment.exit import end_rows, exit_address
from drip_campaigns.enrollment.list_membership import MEMBER, resubscribe_to_list, unsubscribe_from_list
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError
from drip_campaigns.enrollment.resume import resume_enrollments
from drip_campaigns.enrollment.suppress import lift, suppress
from drip_campaigns.people.addresses import hash_address, normalize, spellings
from drip_campaigns.people.opt_outs import (
	find_opted_out,
	has_opted_out_of_all,
	record_opt_out,
	remove_opt_out,
)
from drip_campaigns.people.suppression import DOCTYPE as SUPPRESSION
from drip_campaigns.people.suppression import find_suppressed
from drip_campaigns.site.clock import to_site

FORMER = "Drip Former Enrollment"
BY_RECIPIENT = "The recipient, by the link in an email"
LONGEST_REASON = 500


@dataclass(frozen=True)
class LinkHolder:
	"""The person who holds a link: an enrollment, or what is kept of a deleted one."""

	name: str
	address: str
	campaign: str
	sender: str
	recipient_type: str = ""
	recipient: str = ""
	target_list: str = ""
	former_title: str = ""

	@property
	def is_former(self) -> bool:
		"""Say whether the enrollment was deleted."""
		return not self.recipient_type

	@property
	def is_erased(self) -> bool:
		"""Say whether the person's data was erased: the address is no longer known, and gets no email."""
		return not self.address


@dataclass(frozen=True)
class ListOfHolder:
	"""A list through which a person gets a campaign: its title for recipients, empty if it has none."""

	name: str
	title: str
	opted_out: bool


@dataclass(frozen=True)
class OptOutState:
	"""What a person has unsubscribed from, what is left to unsubscribe from, and whether they can resubscribe by themselves."""

	campaign: bool
	everything: bool
	may_come_back: bool
	lists: tuple[ListOfHolder, ...] = ()

	@property
	def open_lists(self) -> list[ListOfHolder]:
		"""Return the lists of the campaign that the person is still on."""
		return [one for one in self.lists if not one.opted_out]

	@property
	def left_lists(self) -> list[ListOfHolder]:
		"""Return the lists of the campaign that the person has left."""
		return [one for one in self.lists if one.opted_out]


def find_link_holder(subject: str) -> LinkHolder:
	"""Return the holder of a link; raise DoesNotExistError if nothing is kept of the enrollment."""
	fields = ["name", "email_address as address", "campaign", "sender"]
	more = ["recipient_type", "recipient", "target_list"]
	for doctype, wanted in (
		("Drip Enrollment", fields + more),
		(FORMER, [*fields, "campaign_title as former_title"]),
	):
		rows = frappe.get_all(doctype, filters={"name": subject}, fields=wanted)
		if rows:
			return LinkHolder(**{key: value or "" for key, value in rows[0].items()})
	raise frappe.DoesNotExistError


def decide_scope(leaver: LinkHolder, asked: UnsubscribeScope | None = None) -> UnsubscribeScope:
	"""Return what to unsubscribe from: what the person asked for, else what one click means for the campaign.

	Decides for the page, one-click, an email to the mailto address, and a reply that asks to unsubscribe.
	"""
	if asked:
		return asked
	own = frappe.db.get_value("Drip Campaign", leaver.campaign, "unsubscribe_scope")
	chosen = own or frappe.get_cached_doc("Drip Settings").unsubscribe_scope
	return next((one for one in UnsubscribeScope if one.value == chosen), UnsubscribeScope.AUDIENCE)


def find_lists(leaver: LinkHolder) -> tuple[ListOfHolder, ...]:
	"""Return the lists that the scope Audience includes: those of the campaign, and of the enrollment, that the person is on.

	The page announces them, and unsubscribing leaves them.
	"""
	included = frappe.get_all(
		"Drip Campaign Target List",
		filters={"parent": leaver.campaign, "parenttype": "Drip Campaign"},
		pluck="target_list",
	)
	names = sorted({*included, leaver.target_list} - {""})
	whose = {"target_list": ["in", names], "address_hash": hash_address(leaver.address)}
	members = frappe.get_all(MEMBER, filters=whose, fields=["target_list", "opted_out"]) if names else []
	if not members:
		return ()
	shown = {"name": ["in", [row.target_list for row in members]], "show_to_recipients": 1}
	fields = ["name", "public_title"]
	titles = dict(frappe.get_all("Drip Target List", filters=shown, fields=fields, as_list=True))
	found = [
		ListOfHolder(row.target_list, titles.get(row.target_list) or "", bool(row.opted_out))
		for row in members
	]
	return tuple(sorted(found, key=lambda one: (one.title, one.name)))


def find_opt_out_state(leaver: LinkHolder) -> OptOutState:
	"""Return what the person has unsubscribed from already."""
	left = normalize(leaver.address) in find_opted_out(leaver.campaign, [leaver.address])
	reason = find_suppressed([leaver.address]).get(normalize(leaver.address))
	forbidden = reason not in (None, SuppressionReason.OPTED_OUT) or has_opted_out_of_all(leaver.address)
	return OptOutState(left, bool(reason), not forbidden, find_lists(leaver))


def lock_address(leaver: LinkHolder) -> None:
	"""Serialize requests about one person. Starts a new transaction, so that later reads are not older than the lock."""
	frappe.db.rollback()
	enrollment = frappe.qb.DocType("Drip Enrollment")
	query = frappe.qb.from_(enrollment).select(enrollment.name)
	query = query.where(enrollment.email_address.isin(spellings(leaver.address)))
	query.orderby(enrollment.name).for_update().run()


def unsubscribe_holder(
	leaver: LinkHolder, scope: UnsubscribeScope, now: datetime, source: str = BY_RECIPIENT
) -> None:
	"""Record the opt-out, end enrollments, and cancel what is queued. Idempotent."""
	if scope is UnsubscribeScope.EVERYTHING:
		suppress(leaver.address, SuppressionReason.OPTED_OUT, now, source=source)
		return
	if scope is UnsubscribeScope.AUDIENCE:
		for one in find_lists(leaver):
			unsubscribe_from_list(one.name, leaver.address, now, leaver.name)
	if leaver.is_former:
		_opt_out(leaver.address, leaver.campaign, now)
	else:
		unsubscribe_enrollments([leaver.name], now)


def unsubscribe_enrollments(names: Sequence[str], now: datetime) -> int:
	"""Record that the recipients unsubscribed from the campaigns of these enrollments; return for how many that was new.

	Every enrollment of the address in the campaign ends, and what is queued is canceled. Repeating it changes nothing.
	"""
	rows = lock_enrollments(names)
	new = [row for row in rows if row.status != Status.UNSUBSCRIBED.value]
	end_rows(new, None, None, now)
	for address, campaign in dict.fromkeys((row.email_address, row.campaign) for row in rows):
		_opt_out(address, campaign, now)
	return len(new)


def _opt_out(address: str, campaign: str, now: datetime) -> None:
	exit_address(address, campaign, now)
	record_opt_out(campaign, address)


def resubscribe(
	leaver: LinkHolder, scope: UnsubscribeScope, now: datetime, because: str = BY_RECIPIENT
) -> None:
	"""Undo an opt-out: delete its record, and resume the enrollments that it ended with the rest of their delay.

	The lists that were left with the campaign come back with it; others stay left. A recipient cannot undo a suppression for another reason (a complaint, a bounce, a user).
	"""
	if scope is UnsubscribeScope.EVERYTHING:
		_opt_in(leaver, because, now)
		return
	resubscribe_to_campaign(leaver.campaign, leaver.address, because, now, leaver.name)


def resubscribe_to_campaign(
	campaign: str, address: str, because: str, now: datetime, enrollment: str = ""
) -> None:
	"""Undo the opt-out from a campaign, and from the lists that were left with it.

	`enrollment` names a deleted one, which is not found by its address.
	"""
	remove_opt_out(campaign, address)
	lists = _return_to_lists(campaign, address, enrollment)
	resume_ended(address, {"campaign": campaign}, because, now)
	for name in lists:
		resume_ended(address, {"target_list": name}, because, now)


def _return_to_lists(campaign: str, address: str, enrollment: str) -> list[str]:
	filters = {"campaign": campaign, "email_address": ["in", spellings(address)]}
	own = {enrollment, *frappe.get_all("Drip Enrollment", filters=filters, pluck="name")} - {""}
	left = {"address_hash": hash_address(address), "opted_out": 1, "opted_out_with": ["in", sorted(own)]}
	names = frappe.get_all(MEMBER, filters=left, pluck="target_list") if own else []
	return [name for name in names if resubscribe_to_list(name, address)]


def _opt_in(leaver: LinkHolder, because: str, now: datetime) -> None:
	name = hash_address(leaver.address)
	filters = {"name": name, "reason": SuppressionReason.OPTED_OUT.value, "lifted": 0}
	if not frappe.db.exists(SUPPRESSION, filters):
		return
	document = frappe.get_doc(SUPPRESSION, name)
	lift(document, because, now)
	# The enrollments that this opt-out ended, not those that ended before it.
	since = {"event_type": EventType.UNSUBSCRIBED.value, "occurred_at": [">=", document.suppressed_at]}
	whose = {"email_address": ["in", spellings(leaver.address)]}
	ended = frappe.get_all("Drip Event", filters={**since, **whose}, pluck="enrollment")
	resume_ended(leaver.address, {"name": ["in", ended]}, because, now)


def resume_ended(address: str, filters: dict, because: str, now: datetime) -> None:
	"""Resume the enrollments of `address` that ended because the person unsubscribed; log what a rule refuses."""
	for name in _find_ended(address, filters):
		result = resume_enrollments([name], now, event=EventType.RESUBSCRIBED)
		for row in lock_enrollments(result.refusals):
			_log_resubscription(row, f"{because}. {result.refusals[name].explanation}", now)


def _find_ended(address: str, filters: dict) -> list[str]:
	"""Return the latest first: of two enrollments in one campaign, the latest is resumed."""
	whose = {"email_address": ["in", spellings(address)], "status": Status.UNSUBSCRIBED.value}
	fields = ["name", "email_address"]
	rows = frappe.get_all(
		"Drip Enrollment", filters={**whose, **filters}, fields=fields, order_by="creation desc"
	)
	return [row.name for row in rows if normalize(row.email_address) == normalize(address)]


def _log_resubscription(row, detail: str, now: datetime) -> None:
	record_events([make_event(row, EventType.RESUBSCRIBED, detail)], to_site(now))


def resubscribe_enrollment(document, because: str, now: datetime) -> None:
	"""Resubscribe a recipient who asks a user; `because` is the proof. Raises EnrollmentRefusedError with the remedy."""
	address = document.email_address
	if find_suppressed([address]):
		raise EnrollmentRefusedError(
			_("{0} is suppressed for all campaigns. Lift the Drip Suppression of this address first.").format(
				address
			)
		)
	remove_opt_out(document.campaign, address)
	_return_to_lists(document.campaign, address, document.name)
	resume_enrollments([document.name], now, event=EventType.RESUBSCRIBED).require_done()
	_log_resubscription(document.as_dict(), because, now)


def record_reason(leaver: LinkHolder, reason: str, now: datetime) -> None:
	"""Record the reason that a person gives for unsubscribing, as plain text; the latest one counts."""
	text = one_line(reason, LONGEST_REASON)
	if not text:
		return
	line = {"event_type": EventType.FEEDBACK.value, "detail": text, "email_address": leaver.address}
	if not leaver.is_former:
		set_values("Drip Enrollment", [leaver.name], {"unsubscribe_reason": text}, to_site(now))
		line.update(campaign=leaver.campaign, enrollment=leaver.name)
	record_events([line], to_site(now))


def keep_former_enrollment(document, now: datetime) -> None:
	"""Keep what the links of a deleted enrollment need, if an email was sent: its recipient can still unsubscribe."""
	if not frappe.db.exists("Drip Email", {"enrollment": document.name}):
		return
	title = frappe.db.get_value("Drip Campaign", document.campaign, "campaign_name")
	record = {
		**standard_values(frappe.session.user, to_site(now)),
		"name": document.name,
		"email_address": document.email_address,
		"campaign": document.campaign,
		"campaign_title": title,
		"sender": document.sender,
	}
	insert_records(FORMER, [record])
