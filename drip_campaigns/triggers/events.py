"""Drip Events that fire triggers: clicked, opened, completed. Called with each batch of the log as it is written."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import frappe

from drip_campaigns.core.flow.triggers import TriggerKind
from drip_campaigns.core.model import EventType
from drip_campaigns.triggers.firings import Firing, record_firings
from drip_campaigns.triggers.trigger_cache import find_watching

KINDS = {
	EventType.CLICKED.value: TriggerKind.LINK_CLICKED.value,
	EventType.OPENED.value: TriggerKind.EMAIL_OPENED.value,
	EventType.COMPLETED.value: TriggerKind.CAMPAIGN_COMPLETED.value,
}
Event = Mapping[str, object]  # the fields of a Drip Event; `detail` of a click is the address of the link


def fire_triggers(events: Sequence[Event], site_now: datetime) -> None:
	"""Write down what a batch of Drip Events fires: nothing but one look-up, if no trigger waits for any.

	What a machine did fires nothing.
	"""
	waited_for = [event for event in events if event["event_type"] in KINDS and _is_a_persons(event)]
	watching = find_watching("Drip Event") if waited_for else []
	if watching:
		record_firings(_find_firings(waited_for, watching, site_now), site_now)


def _is_a_persons(event: Event) -> bool:
	return bool(event.get("enrollment")) and not event.get("is_bot")


def _find_firings(
	events: Sequence[Event], watching: Sequence[frappe._dict], site_now: datetime
) -> Iterator[Firing]:
	for event in events:
		kind = KINDS[event["event_type"]]
		# Of clicks and opens only the first counts; a campaign may be completed again after it was reopened.
		occurrence = str(site_now) if kind == TriggerKind.CAMPAIGN_COMPLETED else "first"
		for trigger in watching:
			if trigger.kind == kind and _is_meant(trigger, event):
				yield Firing(trigger, "Drip Enrollment", event["enrollment"], occurrence, event.get("detail"))


def _is_meant(trigger: frappe._dict, event: Event) -> bool:
	is_link = trigger.kind != TriggerKind.LINK_CLICKED or trigger.link_url in (
		*(None, ""),
		*(event.get("detail"), event.get("link")),
	)
	return is_link and trigger.source_campaign in (None, "", event["campaign"])
