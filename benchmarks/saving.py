"""The cost of triggers for a save that fires none: a Contact, with fifty triggers of other kinds.

Saves with and without our hook alternate, so that a slow second affects both.
"""

import time
from datetime import datetime
from statistics import median

import frappe

from benchmarks import load, setup

TRIGGERS = 50
PAIRS = 300
HOOK = "drip_campaigns.triggers.doc_events.fire_on_change"


def measure(now: datetime) -> float:
	"""Return the milliseconds that our hook adds to saving a Contact: the median over pairs of saves."""
	setup.clear()
	rows = [{"kind": "API Call", "event_name": f"call-{number}"} for number in range(TRIGGERS // 2)]
	rows += [{"kind": "Record Created", "recipient_type": "User"} for _number in range(TRIGGERS // 2)]
	setup.make_campaign(load.steps(1), now, triggers=rows)
	contact = frappe.get_doc("Contact", setup.make_people(1)[0])
	_save(contact, with_hook=True)
	_save(contact, with_hook=False)
	pairs = [_take_pair(contact, number) for number in range(PAIRS)]
	frappe.db.rollback()
	return median(ours - bare for ours, bare in pairs)


def _take_pair(contact, number: int) -> tuple[float, float]:
	if number % 2:
		ours = _save(contact, with_hook=True)
		return ours, _save(contact, with_hook=False)
	bare = _save(contact, with_hook=False)
	return _save(contact, with_hook=True), bare


def _save(contact, *, with_hook: bool) -> float:
	handlers = frappe.get_doc_hooks()["*"]["on_change"]
	if with_hook and HOOK not in handlers:
		handlers.append(HOOK)
	elif not with_hook and HOOK in handlers:
		handlers.remove(HOOK)
	contact.first_name = f"Name {time.perf_counter_ns()}"
	begun = time.perf_counter()
	contact.save()
	return (time.perf_counter() - begun) * 1000
