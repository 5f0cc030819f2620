"""Fire the triggers that wait for an event of the log, such as a click. A subscriber of the log: see `db/events.py`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import frappe

from drip_campaigns.triggers.firings import Firing, record_firings
from drip_campaigns.triggers.kind import LogEventKind
from drip_campaigns.triggers.registry import TRIGGER_KINDS
from drip_campaigns.triggers.trigger_cache import find_watching

Event = Mapping[str, object]  # the fields of a Drip Event; `detail` of a click is the address of the link


def fire_triggers(events: Sequence[Event], site_now: datetime) -> None:
	"""Record what a batch of Drip Events fires. If no trigger waits for one, this costs one look-up.

	Events of bots fire nothing.
	"""
	kinds = {kind.label: kind for kind in TRIGGER_KINDS.all().values() if kind.event_type}
	awaited = {kind.event_type.value for kind in kinds.values()}
	events = [event for event in events if event["event_type"] in awaited and _is_from_a_person(event)]
	watching = find_watching(LogEventKind.watches) if events else []
	if watching:
		pairs = [(kinds[trigger.kind], trigger) for trigger in watching]
		record_firings(_find_firings(events, pairs, site_now), site_now)


def _is_from_a_person(event: Event) -> bool:
	return bool(event.get("enrollment")) and not event.get("is_bot")


def _find_firings(
	events: Sequence[Event], watching: Sequence[tuple[LogEventKind, frappe._dict]], site_now: datetime
) -> Iterator[Firing]:
	for event in events:
		for kind, trigger in watching:
			if kind.event_type.value == event["event_type"] and kind.is_meant(trigger, event):
				name, detail = event["enrollment"], event.get("detail")
				yield Firing(trigger, "Drip Enrollment", name, kind.occurrence(site_now), detail)
