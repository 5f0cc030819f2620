"""Set up a run: connect to a site that may be emptied, use the sink for email, and make campaigns and people."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.campaign import lifecycle
from drip_campaigns.db.bulk_writes import insert_records, standard_values
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.site.clock import to_site
from tests import factories


class NotATestSiteError(Exception):
	"""The site must not be emptied."""


def connect() -> None:
	"""Connect this process to the site that DRIP_SITES_PATH and DRIP_SITE name, as Administrator."""
	os.chdir(os.environ["DRIP_SITES_PATH"])
	frappe.init(os.environ["DRIP_SITE"], sites_path=".")
	frappe.connect()
	frappe.set_user("Administrator")


@contextmanager
def connected_site(port: int) -> Iterator[None]:
	"""Connect and send through `port` in a `with` block; then empty the site and restore its Email Account."""
	connect()
	if not frappe.conf.allow_tests:
		raise NotATestSiteError(
			f"{frappe.local.site} would be emptied. To allow it, set allow_tests in its site_config.json."
		)
	before = factories.make_email_account(port)
	try:
		yield
	finally:
		frappe.db.rollback()
		clear()
		factories.restore_default_account(before)
		frappe.destroy()


def clear() -> None:
	"""Delete every enrollment, email and person of earlier runs, however many, and commit."""
	for doctype in ("Drip Event", "Drip Email", "Drip Enrollment"):
		frappe.db.truncate(doctype)
	factories.clear_site()


def make_people(count: int) -> list[str]:
	"""Insert `count` Contacts in large statements, commit, and return their names."""
	names = [f"drip-bench-{number:07}" for number in range(count)]
	same = {**_standard(), "last_name": "Last", "company_name": "Example Ltd", "status": "Open"}
	named = [(name, f"First{name[-7:]}") for name in names]
	insert_records(
		"Contact",
		[
			{
				"name": name,
				"first_name": first,
				"full_name": f"{first} Last",
				"email_id": address(name),
				**same,
			}
			for name, first in named
		],
	)
	frappe.db.commit()
	return names


def keep_addresses(names: Sequence[str]) -> None:
	"""Insert the Contact Email rows that saving a Contact reads its address from, and commit."""
	same = {"parenttype": "Contact", "parentfield": "email_ids", "idx": 1, "is_primary": 1, **_standard()}
	rows = [{"name": f"{name}-mail", "parent": name, "email_id": address(name), **same} for name in names]
	insert_records("Contact Email", rows)
	frappe.db.commit()


def _standard() -> dict[str, Any]:
	return standard_values("Administrator", to_site(datetime.now().astimezone()))


def address(name: str) -> str:
	"""Return the email address of a person that `make_people` made."""
	return f"{name}@{factories.DOMAIN}"


def make_campaign(steps: Sequence[dict], now: datetime, **fields: object):
	"""Insert and activate a campaign, and commit."""
	campaign = factories.make_campaign(*steps, **fields)
	lifecycle.activate(campaign, now)
	frappe.db.commit()
	return campaign


def enroll_all(campaign: str, names: Sequence[str], now: datetime) -> None:
	"""Enroll people in bulk and commit after each batch."""
	for result in enroll_many(campaign, "Contact", names, now):
		if result.refused:
			raise AssertionError(f"no one should have been refused: {dict(result.refused)}")
		frappe.db.commit()


def set_options(**values: object) -> None:
	"""Set fields of Drip Settings and commit, so that every process sees them."""
	for field, value in values.items():
		frappe.db.set_single_value("Drip Settings", field, value)
	frappe.db.commit()
	frappe.clear_document_cache("Drip Settings", "Drip Settings")
