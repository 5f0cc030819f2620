"""Set up a run: connect to a site that may be emptied, use the sink for email, and make campaigns and people."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import frappe
from frappe.utils import create_batch

from drip_campaigns.campaign import lifecycle
from drip_campaigns.db.dialect import insert_rows
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.site.clock import to_site
from tests import factories

ROWS_A_STATEMENT = 2000
_STANDARD = ("name", "owner", "creation", "modified", "modified_by", "docstatus", "idx")
_CONTACT = (*_STANDARD, "first_name", "last_name", "full_name", "company_name", "email_id", "status")

_CONTACT_EMAIL = (*_STANDARD, "parent", "parenttype", "parentfield", "email_id", "is_primary")


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
	now = to_site(datetime.now().astimezone())
	standard = ("Administrator", now, now, "Administrator", 0, 0)
	names = [f"drip-bench-{number:07}" for number in range(count)]
	for batch in create_batch(names, ROWS_A_STATEMENT):
		rows = [
			(
				name,
				*standard,
				f"First{name[-7:]}",
				"Last",
				f"First{name[-7:]} Last",
				"Example Ltd",
				address(name),
				"Open",
			)
			for name in batch
		]
		insert_rows("Contact", _CONTACT, rows)
	frappe.db.commit()
	return names


def keep_addresses(names: Sequence[str]) -> None:
	"""Insert the Contact Email rows that saving a Contact reads its address from, and commit."""
	now = to_site(datetime.now().astimezone())
	rows = [
		(
			f"{name}-mail",
			"Administrator",
			now,
			now,
			"Administrator",
			0,
			1,
			name,
			"Contact",
			"email_ids",
			address(name),
			1,
		)
		for name in names
	]
	insert_rows("Contact Email", _CONTACT_EMAIL, rows)
	frappe.db.commit()


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
