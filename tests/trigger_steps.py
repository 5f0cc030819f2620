"""What tests of triggers do and see: a campaign with triggers, the work of the job, who was enrolled and why not."""

import frappe

from drip_campaigns.jobs import run_triggers
from drip_campaigns.site.clock import utc_now
from tests import factories


def trigger(kind: str, **fields) -> dict:
	"""Return the values of a trigger's row."""
	return {"kind": kind, "recipient_type": "Contact", **fields}


def make_campaign(clock, *triggers: dict, **fields):
	"""Insert a campaign with triggers and activate it."""
	return factories.make_active_campaign(clock, triggers=list(triggers), **fields)


def work_off(clock) -> int:
	"""Commit, as a request does at its end, and do what the worker would."""
	frappe.db.commit()
	return run_triggers.run(utc_now() if clock.now < utc_now() else clock.now)


def enrolled(campaign) -> list[str]:
	"""Return the records on a campaign, in the order in which they came."""
	filters = {"campaign": campaign.name}
	return frappe.get_all("Drip Enrollment", filters=filters, pluck="recipient", order_by="creation, name")


def outcomes(campaign) -> list[str]:
	"""Return what became of each firing."""
	filters = {"campaign": campaign.name}
	return frappe.get_all("Drip Trigger Firing", filters=filters, pluck="outcome", order_by="creation")
