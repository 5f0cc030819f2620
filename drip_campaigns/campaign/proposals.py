"""Edits of a live campaign by users who may not activate it: kept as proposed changes until someone with the right decides.

The save of the document calls `propose`, so that every way to edit is the same: form, REST, bulk edit, import. A release
goes through the ordinary save. Nothing here commits.
"""

import json
from datetime import datetime
from enum import Enum
from typing import Any

import frappe
from frappe import _

from drip_campaigns.campaign.rights import require_release_right
from drip_campaigns.campaign.snapshots import put_snapshot, restore_stored, take_snapshot
from drip_campaigns.core import campaign_changes as changes_of
from drip_campaigns.core.campaign_changes import Change, Conflict
from drip_campaigns.core.errors import DripError
from drip_campaigns.db.single_writes import write_fields
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import add_note, as_html, bold, refuse, tell
from drip_campaigns.site.notify import find_managers, notify

DOCTYPE = "Drip Proposed Change"
LONGEST_SUMMARY = 500


class ProposalStatus(Enum):
	"""The state of a proposed change."""

	WAITING = "Waiting"
	RELEASED = "Released"
	DECLINED = "Declined"
	WITHDRAWN = "Withdrawn"


class ProposalError(DripError):
	"""The proposed change cannot be decided now."""


def propose(campaign, now: datetime) -> str | None:
	"""Keep what a save would change in a live Drip Campaign document, and set the document back to what is stored.

	The change is added to the one of the session's user that waits, or replaces it if the document was opened from it
	(`__proposal`). Return the name of the proposed change, or None if nothing changes.
	"""
	live = take_snapshot(campaign.get_doc_before_save())
	changes = changes_of.find_changes(live, take_snapshot(campaign))
	continued = campaign.get("__proposal")
	restore_stored(campaign)
	waiting = _find_own(campaign.name)
	if waiting and waiting.name == continued and not changes:
		withdraw(waiting, now)
	elif waiting and waiting.name != continued:
		earlier = read_changes(waiting)
		if changes and changes_of.apply_changes(live, earlier).conflicts:
			raise ProposalError(
				_(
					"The campaign has changed since you proposed your earlier change. Click Continue Editing at the top of the form, then edit and save again."
				)
			)
		changes = changes_of.merge_changes(earlier, changes) if changes else []
	return _keep(waiting, campaign, changes).name if changes else None


def read_changes(proposal) -> list[Change]:
	"""Return the changes that a Drip Proposed Change keeps."""
	return [changes_of.from_json(values) for values in json.loads(proposal.changes)]


def find_waiting(campaign: str) -> list[frappe._dict]:
	"""Return the proposed changes of a campaign that wait, the oldest first, with their author."""
	filters = {"campaign": campaign, "status": ProposalStatus.WAITING.value}
	fields = ["name", "owner", "creation", "modified", "summary"]
	return frappe.get_all(DOCTYPE, filters=filters, fields=fields, order_by="creation asc")


def release(proposal, seen: str, now: datetime) -> None:
	"""Save a proposed change on its live campaign, with the rights of the session's user, who has seen it as of `seen`.

	Raises ProposalError, and changes nothing, if the author changed it since, or if it conflicts with the campaign.
	"""
	campaign = frappe.get_doc("Drip Campaign", proposal.campaign, for_update=True)
	require_release_right(campaign)
	_require_waiting(proposal)
	if str(proposal.modified) != str(seen):
		raise ProposalError(_("The change was edited since you opened it. Open Review Changes again."))
	applied = changes_of.apply_changes(take_snapshot(campaign), read_changes(proposal))
	if applied.conflicts:
		raise ProposalError(_explain_conflicts(campaign, applied.conflicts))
	put_snapshot(campaign, applied.snapshot)
	campaign.save()
	add_note(campaign, _("released a change proposed by {0}"), proposal.owner)
	_decide(proposal, ProposalStatus.RELEASED, now)
	_notify_author(proposal, _("{0} released your change of campaign {1}."))


def decline(proposal, reason: str, now: datetime) -> None:
	"""Decline a proposed change for a reason, which its author is told."""
	require_release_right(frappe.get_doc("Drip Campaign", proposal.campaign))
	_require_waiting(proposal)
	_decide(proposal, ProposalStatus.DECLINED, now, reason)
	_notify_author(proposal, _("{0} declined your change of campaign {1}: {2}"), reason)


def withdraw(proposal, now: datetime) -> None:
	"""Withdraw a proposed change: its author only."""
	if proposal.owner != frappe.session.user:
		refuse(_("Only the author of a change can withdraw it."), exc=frappe.PermissionError)
	_require_waiting(proposal)
	_decide(proposal, ProposalStatus.WITHDRAWN, now)


def edit_further(proposal) -> tuple[Any, list[str]]:
	"""Return the campaign of a waiting change as a document with the change in it, not saved, and the labels of its conflicts.

	What conflicts with the campaign is not in the document; the proposed change keeps it until the author saves again.
	"""
	_require_waiting(proposal)
	campaign = frappe.get_doc("Drip Campaign", proposal.campaign)
	applied = changes_of.apply_changes(take_snapshot(campaign), read_changes(proposal))
	put_snapshot(campaign, applied.snapshot)
	return campaign, _name_conflicts(campaign, applied.conflicts)


def forget(campaign: str) -> None:
	"""Delete the proposed changes of a campaign that is deleted."""
	frappe.db.delete(DOCTYPE, {"campaign": campaign})


def _find_own(campaign: str):
	filters = {
		"campaign": campaign,
		"status": ProposalStatus.WAITING.value,
		"owner": frappe.session.user,
	}
	name = frappe.db.get_value(DOCTYPE, filters)
	return frappe.get_doc(DOCTYPE, name, for_update=True) if name else None


def _keep(waiting, campaign, changes: list[Change]):
	document = waiting or frappe.new_doc(DOCTYPE, campaign=campaign.name, status=ProposalStatus.WAITING.value)
	document.changes = json.dumps([changes_of.to_json(change) for change in changes])
	document.summary = _summarize(campaign, changes)
	# nosemgrep: ignore-permissions - no role may write proposed changes; who may save the campaign may propose
	document.save(ignore_permissions=True)
	tell(
		_("Your change is not live yet. It waits until a Drip Manager releases it."),
		title=_("Waiting for Release"),
		indicator="orange",
		alert=True,
	)
	text = _("{0} proposes a change of campaign {1}: {2}")
	subject = as_html(text, bold(document.owner), bold(campaign.name), document.summary)
	frappe.db.after_commit.add(lambda: notify(find_managers(), subject, "Drip Campaign", campaign.name))
	return document


def _summarize(campaign, changes: list[Change]) -> str:
	"""Return "Subject, Message, Triggers": the labels of what changes."""
	labels = [name_field(campaign, change) for change in changes]
	return ", ".join(dict.fromkeys(labels))[:LONGEST_SUMMARY]


def name_field(campaign, change: Change) -> str:
	"""Return the label of the field that a change is about, or of its table for a whole row."""
	if not change.table:
		return _(campaign.meta.get_label(change.field))
	if not change.field:
		return _(campaign.meta.get_label(change.table))
	child = frappe.get_meta(campaign.meta.get_field(change.table).options)
	return _(child.get_label(change.field))


def _explain_conflicts(campaign, conflicts: list[Conflict]) -> str:
	head = _(
		"The campaign has changed since this was proposed, so nothing was released. Both texts are kept; Review Changes shows them. Ask {0} to edit the change again, or decline it. It conflicts at: {1}."
	)
	return head.format(_("the author"), ", ".join(_name_conflicts(campaign, conflicts)))


def _name_conflicts(campaign, conflicts: list[Conflict]) -> list[str]:
	return list(dict.fromkeys(name_field(campaign, conflict.change) for conflict in conflicts))


def _require_waiting(proposal) -> None:
	if proposal.status != ProposalStatus.WAITING.value:
		raise ProposalError(
			_("This change is {0} already. Reload the form.").format(_(proposal.status).lower())
		)


def _decide(proposal, status: ProposalStatus, now: datetime, reason: str = "") -> None:
	decision = {"status": status.value, "decided_by": frappe.session.user, "decided_at": to_site(now)}
	write_fields(proposal, {**decision, "reason": reason}, notify=True)


def _notify_author(proposal, text: str, *details: str) -> None:
	subject = as_html(text, bold(frappe.session.user), bold(proposal.campaign), *details)
	author, campaign = proposal.owner, proposal.campaign
	frappe.db.after_commit.add(lambda: notify([author], subject, "Drip Campaign", campaign))
