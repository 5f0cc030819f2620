"""Why not? asked of the triggers of a campaign as well: which of them would take a record, which not, and why. Reads only."""

import json
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
from drip_campaigns.triggers.find_people import read_filters
from drip_campaigns.triggers.firing_rows import find_latest_firing
from drip_campaigns.triggers.registry import TRIGGER_KINDS
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
	return {**answer, "triggers": _ask_triggers(campaign, recipient_type, recipient) if is_there else []}


def _ask_triggers(campaign: str, recipient_type: str, recipient: str) -> list[dict[str, Any]]:
	document = frappe.get_doc("Drip Campaign", campaign)
	sentences = {row.name: row.sentence for row in document.triggers}
	for row in document.target_lists:
		sentences[row.name] = _("When somebody joins Target List {0}").format(row.target_list)
	answers = []
	for name, sentence in sentences.items():
		[trigger] = load_rows(trigger=name)
		checks = list(_ask(trigger, recipient_type, recipient))
		answers.append(
			{
				"trigger": name,
				"sentence": sentence,
				"would_take": all(check.is_met for check in checks),
				"checks": [asdict(check) for check in checks],
				"latest": _tell_latest(name, recipient_type, recipient),
			}
		)
	return answers


def _ask(trigger: frappe._dict, recipient_type: str, recipient: str) -> Iterator[Check]:
	finding = _("It is switched off.") if not trigger.enabled else _("The campaign does not run.")
	yield Check(
		_("Is it switched on, in a campaign that runs?"),
		is_running(trigger),
		"" if is_running(trigger) else finding,
	)
	is_type = trigger.recipient_type in (None, "", recipient_type)
	finding = "" if is_type else _("It takes {0} records.").format(_(trigger.recipient_type))
	yield Check(_("Does it take {0} records?").format(_(recipient_type)), is_type, finding)
	if not is_type:
		return
	if TRIGGER_KINDS.get(trigger.kind).leaves_trace:
		audience = ExistingAudience(trigger.parent, trigger.name, recipient_type)
		has_met = audience.has_met(recipient)
		yield Check(_("Has it happened?"), has_met, "" if has_met else _("The records show no sign of it."))
	if trigger.recipient_type:
		yield from why_not.check_filters(recipient_type, recipient, json.dumps(read_filters(trigger)))


def _tell_latest(trigger: str, recipient_type: str, recipient: str) -> str:
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
		return _("It fired on {0}: {1}.").format(fired_at, firing.outcome.rstrip("."))
	due_at = frappe.format(firing.due_at, "Datetime")
	return _("It fired on {0} and enrolls on {1}.").format(fired_at, due_at)
