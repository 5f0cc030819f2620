"""Campaigns that start each other in a circle: stopped after some rounds, whatever the way round is. Commits nothing.

Saving refuses the circle that can be seen, of campaigns that complete each other. One by way of clicks, lists or tags
shows only when it turns: the same person comes to the same campaign again and again.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

import frappe
from frappe import _
from frappe.utils import escape_html

from drip_campaigns.core.flow.triggers import TriggerKind
from drip_campaigns.core.model import ReEnrollment
from drip_campaigns.db.dialect import select_in
from drip_campaigns.site.clock import to_site
from drip_campaigns.site.notify import NOTIFY_AGAIN_SECONDS, find_managers, notify
from drip_campaigns.triggers.find_people import Person

MOST_ROUNDS = 10
WITHIN = timedelta(days=30)
# What our own emails, or what they lead to, can bring about. The others need something to happen outside.
OUR_DOING = frozenset(
	{
		TriggerKind.LINK_CLICKED,
		TriggerKind.EMAIL_OPENED,
		TriggerKind.CAMPAIGN_COMPLETED,
		TriggerKind.JOINED_TARGET_LIST,
		TriggerKind.TAG_ADDED,
		TriggerKind.FIELD_REACHED_VALUE,
	}
)


def find_looping(trigger: frappe._dict, people: Collection[Person], now: datetime) -> dict[Person, str]:
	"""Return those of `people` whom the campaign of a trigger has had too often of late, with the reason for the log.

	Nothing is asked where nobody can be on the campaign twice. The owner and the managers are told, once a day.
	"""
	if not people or TriggerKind(trigger.kind) not in OUR_DOING:
		return {}
	rule = frappe.db.get_value("Drip Campaign", trigger.parent, "re_enrollment")
	if rule != ReEnrollment.RESTART.value:
		return {}
	rounds = _count_rounds(trigger.parent, people, to_site(now - WITHIN))
	caught = [person for person in people if rounds[person[:2]] >= MOST_ROUNDS]
	if caught:
		_tell_once(trigger)
	text = _(
		"Stopped: was on this campaign {0} times in {1} days, as if campaigns started each other in a circle"
	)
	return {person: text.format(rounds[person[:2]], WITHIN.days) for person in caught}


def _count_rounds(campaign: str, people: Collection[Person], since: datetime) -> Counter[tuple[str, str]]:
	rounds: Counter[tuple[str, str]] = Counter()
	for doctype in sorted({person.recipient_type for person in people}):
		names = [person.recipient for person in people if person.recipient_type == doctype]
		whose = {"campaign": campaign, "recipient_type": doctype}
		for row in select_in("Drip Enrollment", ("recipient", "creation"), "recipient", names, **whose):
			rounds[doctype, row.recipient] += row.creation >= since
	return rounds


def _tell_once(trigger: frappe._dict) -> None:
	key = f"drip_campaigns:circle:{trigger.parent}"
	if frappe.cache.get_value(key):
		return
	frappe.cache.set_value(key, 1, expires_in_sec=NOTIFY_AGAIN_SECONDS)
	subject = _(
		"Campaign {0} seems to be in a circle: people come back to it again and again. It takes them in no more; look at its triggers."
	).format(frappe.bold(escape_html(trigger.parent)))
	told = {trigger.owner, *find_managers()}
	frappe.db.after_commit.add(lambda: notify(told, subject, "Drip Campaign", trigger.parent))
