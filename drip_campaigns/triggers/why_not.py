"""Why Not? for the triggers of a campaign: which of them would enroll a record, which would not, and why. Reads only."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import frappe
from frappe import _

from drip_campaigns.enrollment import why_not
from drip_campaigns.enrollment.list_membership import MEMBER
from drip_campaigns.enrollment.why_not import Check
from drip_campaigns.people.record_scope import filter_readable
from drip_campaigns.triggers.backfill import ExistingAudience
from drip_campaigns.triggers.find_people import read_trigger_filters
from drip_campaigns.triggers.firing_rows import find_latest_firing
from drip_campaigns.triggers.registry import TRIGGER_KINDS
from drip_campaigns.triggers.tracking_gaps import explain_gap_for
from drip_campaigns.triggers.trigger_cache import is_running, load_rows


def explain(
	campaign: str, recipient_type: str, recipient: str, now: datetime, filters: str | None = None
) -> dict[str, Any]:
	"""Return what `enrollment.why_not.explain` does, and under "triggers" what each trigger of the campaign says.

	Of a record that the session's user may not read, the triggers say nothing.
	"""
	answer = why_not.explain(campaign, recipient_type, recipient, now, filters)
	is_there = frappe.db.exists("DocType", recipient_type) and filter_readable(
		frappe.session.user, recipient_type, [recipient]
	)
	return {**answer, "triggers": _check_triggers(campaign, recipient_type, recipient) if is_there else []}


def _check_triggers(campaign: str, recipient_type: str, recipient: str) -> list[dict[str, Any]]:
	document = frappe.get_doc("Drip Campaign", campaign)
	sentences = {row.name: row.sentence for row in document.triggers}
	for row in document.target_lists:
		sentences[row.name] = _("When someone joins Target List {0}").format(row.target_list)
	answers = []
	for name, sentence in sentences.items():
		[trigger] = load_rows(trigger=name)
		checks = list(_check_trigger(trigger, recipient_type, recipient))
		answers.append(
			{
				"trigger": name,
				"sentence": sentence,
				"would_take": all(check.is_met for check in checks),
				"checks": [asdict(check) for check in checks],
				"latest": _describe_latest(name, recipient_type, recipient),
			}
		)
	return answers


def _check_trigger(trigger: frappe._dict, recipient_type: str, recipient: str) -> Iterator[Check]:
	finding = _("The trigger is disabled.") if not trigger.enabled else _("The campaign isn't active.")
	yield Check(
		_("Trigger enabled and campaign active?"),
		is_running(trigger),
		"" if is_running(trigger) else finding,
	)
	is_type = trigger.recipient_type in (None, "", recipient_type)
	finding = "" if is_type else _("This trigger enrolls {0} records.").format(_(trigger.recipient_type))
	yield Check(_("Does the trigger enroll {0} records?").format(_(recipient_type)), is_type, finding)
	if not is_type:
		return
	if TRIGGER_KINDS.get(trigger.kind).leaves_trace:
		audience = ExistingAudience(trigger.parent, trigger.name, recipient_type)
		has_met = audience.has_met(recipient)
		yield Check(_("Event happened?"), has_met, "" if has_met else _("Nothing recorded yet."))
	if TRIGGER_KINDS.get(trigger.kind).needs_tracking:
		gap = explain_gap_for(trigger, recipient_type, recipient)
		yield Check(_("Opens and clicks recorded?"), not gap, gap)
	if trigger.recipient_type:
		yield from why_not.check_filters(recipient_type, recipient, read_trigger_filters(trigger))


def _describe_latest(trigger: str, recipient_type: str, recipient: str) -> str:
	"""Return what became of the latest time that the trigger fired for a record, as far as that is known."""
	person = {"recipient_type": recipient_type, "recipient": recipient}
	names = [recipient]
	for doctype in ("Drip Enrollment", MEMBER):
		names += frappe.get_all(doctype, filters=person, pluck="name")
	firing = find_latest_firing(trigger, names)
	if not firing:
		return ""
	fired_at = frappe.format(firing.fired_at, "Datetime")
	if firing.outcome:
		return _("Triggered on {0}: {1}.").format(fired_at, firing.outcome.rstrip("."))
	due_at = frappe.format(firing.due_at, "Datetime")
	return _("Triggered on {0}. Enrolls on {1}.").format(fired_at, due_at)
