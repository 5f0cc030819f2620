"""Stop campaigns that start each other in a loop after some rounds. Commits nothing.

Saving a campaign refuses the loop that its triggers and actions show. A loop through clicks, lists or tags shows only
while it runs: the same person is enrolled in the same campaign again and again.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.model import ReEnrollment
from drip_campaigns.people.recipients import load_recipients
from drip_campaigns.plans.past_enrollments import Identity, find_past_enrollments, identify
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import notify_once
from drip_campaigns.triggers.kind import Person
from drip_campaigns.triggers.registry import TRIGGER_KINDS

MOST_ROUNDS = 10
WITHIN = timedelta(days=30)


def find_looping(trigger: frappe._dict, people: Collection[Person], now: datetime) -> dict[Person, str]:
	"""Return the people whom the trigger's campaign enrolled too often lately, with the reason for the log.

	Asks nothing where nobody can be enrolled twice. Notifies the owner and the managers, once a day.
	"""
	if not people or not TRIGGER_KINDS.get(trigger.kind).can_loop:
		return {}
	rule = frappe.db.get_value("Drip Campaign", trigger.parent, "re_enrollment")
	if rule != ReEnrollment.RESTART.value:
		return {}
	rounds = _count_rounds(trigger.parent, people, to_site(now - WITHIN))
	looping = [person for person in people if rounds[person[:2]] >= MOST_ROUNDS]
	if looping:
		_notify_once(trigger)
	text = _(
		"Stopped: was enrolled in this campaign {0} times in {1} days. Campaigns seem to start each other in a loop."
	)
	return {person: text.format(rounds[person[:2]], WITHIN.days) for person in looping}


def _count_rounds(campaign: str, people: Collection[Person], since: datetime) -> Counter[tuple[str, str]]:
	"""Count by record or by address: each round may make a record."""
	identities: dict[tuple[str, str], Identity] = {}
	for doctype in sorted({person.recipient_type for person in people}):
		names = [person.recipient for person in people if person.recipient_type == doctype]
		for one in load_recipients(doctype, names, whole=False).values():
			identities[doctype, one.name] = identify(one)
	past = find_past_enrollments(identities, (), campaign=campaign)
	return Counter({key: sum(row.creation >= since for row in rows) for key, rows in past.items()})


def _notify_once(trigger: frappe._dict) -> None:
	subject = as_html(
		_(
			"Campaign {0} seems to be in a loop: it enrolls the same people again and again. It no longer enrolls them. Check its triggers."
		),
		bold(trigger.parent),
	)
	notify_once(f"circle:{trigger.parent}", trigger.owner, subject, "Drip Campaign", trigger.parent)
