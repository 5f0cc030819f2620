"""Make real records for tests in one line, with defaults for what the test does not need."""

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import frappe
import frappe.email.queue
from frappe.utils.background_jobs import get_queues, get_redis_conn

from drip_campaigns.campaign import lifecycle
from drip_campaigns.db import doc_event_queue
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.jobs import refresh_lists as lists_refresh
from drip_campaigns.outbox import breaker_hints, site_copy_check
from drip_campaigns.pages.rate_limits import PREFIX
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.site.clock import utc_now
from drip_campaigns.stats import visit_buffer
from drip_campaigns.triggers import trigger_cache
from tests import verbs
from tests.fakes import LOOPBACK, Clock

DOMAIN = "drip-test.example"
EMAIL_ACCOUNT = "Drip Test Outgoing"
POSTAL_ADDRESS = "Test Ltd, 1 Test Street, Testville"
SENDER = f"sales@{DOMAIN}"
TEST_ADDRESS = f"me@{DOMAIN}"  # to which test emails may go

_OURS = (
	"Drip Sending Block",
	"Drip Action",
	"Drip Consent",
	"Drip Event",
	"Drip Suppression",
	"Drip Former Enrollment",
	"Drip Email",
	"Drip Step Version",
	"Drip Proposed Change",
	"Drip Step Variant",
	"Drip Variant Result",
	"Drip Enrollment",
	"Drip Campaign Step",
	"Drip Campaign Sender",
	"Drip Campaign Trigger",
	"Drip Trigger Firing",
	"Drip Campaign",
	"Drip Mailbox",
	"Drip Sending Limit",
	"Drip Bulk Enrollment",
	"Drip Target List Member",
	"Drip Target List Source",
	"Drip Target List Refresh",
	"Drip Target List",
	"Drip Campaign Template",
	"Drip Campaign Target List",
	"Drip Campaign Exclusion",
	"Drip Recipient Preference",
	"Drip Tracking URL",
	"Drip Counter",
)
_numbers = itertools.count(1)


def clear_site() -> None:
	"""Delete what tests make, in a few statements, and commit."""
	for doctype in _OURS:
		frappe.db.delete(doctype)
	frappe.db.delete("Comment", {"reference_doctype": ("in", _OURS)})
	frappe.db.delete("Version", {"ref_doctype": ("in", _OURS)})
	like = ("like", f"%{DOMAIN}")
	for parent, child, filters in (
		("Email Queue", "Email Queue Recipient", {"sender": ("like", f"%@{DOMAIN}%")}),
		("Communication", "Communication Link", {"sender": ("like", f"%@{DOMAIN}%")}),
		("Communication", "Communication Link", {"recipients": ("like", f"%@{DOMAIN}%")}),
		("Email Queue", "Email Queue Recipient", {"message": ("like", f"%@{DOMAIN}%")}),
		# Of a demo, too, whose enrollments have just been deleted
		("Email Queue", "Email Queue Recipient", {"reference_doctype": "Drip Enrollment"}),
		("Communication", "Communication Link", {"reference_doctype": "Drip Enrollment"}),
		("Contact", "Contact Email", {"email_id": like}),
	):
		names = frappe.get_all(parent, filters=filters, pluck="name")
		if names:
			frappe.db.delete(child, {"parent": ("in", names)})
			frappe.db.delete("Dynamic Link", {"parenttype": parent, "parent": ("in", names)})
			frappe.db.delete("Tag Link", {"document_type": parent, "document_name": ("in", names)})
			frappe.db.delete(parent, {"name": ("in", names)})
	_drop_loose_links()
	frappe.db.delete("Email Unsubscribe", {"email": like})
	frappe.db.delete("Email Group Member", {"email": like})
	frappe.db.delete("Email Group", {"name": ("like", "Drip Test%")})
	frappe.db.delete("Notification Log", {"document_type": ("in", _OURS)})
	frappe.db.delete("Error Log", {"method": ("like", "Drip Campaigns%")})
	frappe.db.delete("Email Template", {"name": ("like", "Drip Test%")})
	if frappe.db.exists("DocType", "Lead"):
		frappe.db.delete("Lead", {"email_id": like})
	frappe.db.delete("Singles", {"doctype": "Drip Settings"})
	frappe.db.delete("Drip Allowed Sender")
	frappe.db.set_single_value(
		"Drip Settings", {"postal_address": POSTAL_ADDRESS, "test_addresses": TEST_ADDRESS}
	)
	frappe.clear_document_cache("Drip Settings", "Drip Settings")
	frappe.db.commit()
	frappe.clear_cache(doctype="Drip Settings")
	breaker_hints.take_hints()
	doc_event_queue.forget()
	visit_buffer.clear()
	trigger_cache.forget()  # the triggers of the campaigns that are gone
	site_copy_check.forget_site()  # when this site last sent: the next test may live before that
	frappe.cache.delete_keys("drip_campaigns:policy:")  # what servers said about the accounts
	frappe.cache.delete_keys(PREFIX)  # how often this machine has tried bad tokens, and users have sent tests
	_forget_counts()
	drop_jobs()


def _forget_counts() -> None:
	"""Reset the frequency caps of the addresses, which several tests share."""
	connection = get_redis_conn()
	keys = connection.keys(f"drip_campaigns:{frappe.conf.db_name}:frequency:*")
	if keys:
		connection.delete(*keys)


def _drop_loose_links() -> None:
	"""Delete the timeline links whose Communication a test has deleted without them."""
	link, communication = frappe.qb.DocType("Communication Link"), frappe.qb.DocType("Communication")
	kept = frappe.qb.from_(communication).select(communication.name)
	frappe.qb.from_(link).delete().where(link.parent.notin(kept)).run()


def drop_jobs() -> None:
	"""Delete this site's background jobs: no worker runs them in a test, and a full queue refuses more."""
	for queue in get_queues():
		# A job that was enqueued twice in a transaction is in the queue twice.
		for job in {job.id: job for job in queue.jobs}.values():
			if job.kwargs.get("site") == frappe.local.site:
				job.delete()


def make_email_account(port: int) -> str | None:
	"""Make our Email Account the default outgoing one, on this port; return the account that was it before."""
	before = frappe.db.get_value("Email Account", {"default_outgoing": 1, "name": ("!=", EMAIL_ACCOUNT)})
	if before:
		frappe.db.set_value("Email Account", before, "default_outgoing", 0)
	if frappe.db.exists("Email Account", EMAIL_ACCOUNT):
		frappe.db.set_value(
			"Email Account", EMAIL_ACCOUNT, {"smtp_port": port, "default_outgoing": 1, "enable_outgoing": 1}
		)
		frappe.clear_document_cache("Email Account", EMAIL_ACCOUNT)
	else:
		frappe.get_doc(
			doctype="Email Account",
			email_account_name=EMAIL_ACCOUNT,
			email_id=SENDER,
			enable_outgoing=1,
			default_outgoing=1,
			smtp_server=LOOPBACK,
			smtp_port=port,
			no_smtp_authentication=1,
		).insert()
	frappe.db.commit()
	return before


def restore_default_account(before: str | None) -> None:
	"""Delete our Email Account, and make the old one the default again."""
	frappe.db.rollback()
	frappe.delete_doc("Email Account", EMAIL_ACCOUNT, force=True)
	if before:
		frappe.db.set_value("Email Account", before, "default_outgoing", 1)
	frappe.db.commit()


def make_user(name: str, *roles: str) -> str:
	"""Return a System User with exactly these roles, made on first use."""
	address = f"{name}@{DOMAIN}"
	if not frappe.db.exists("User", address):
		frappe.get_doc(
			doctype="User",
			email=address,
			first_name=name.title(),
			send_welcome_email=0,
			user_type="System User",
		).insert(ignore_permissions=True)
	user = frappe.get_doc("User", address)
	user.set("roles", [])
	user.unsubscribed = 0
	user.add_roles(*roles)
	frappe.db.commit()
	return address


def make_contact(first_name: str = "", address: str | None = "", **fields: Any):
	"""Insert a Contact; with `address` None it has no address, with an empty one it gets one."""
	number = next(_numbers)
	first_name = first_name or f"Person {number}"
	if address == "":
		address = f"person{number}@{DOMAIN}"
	emails = [{"email_id": address, "is_primary": 1}] if address else []
	return frappe.get_doc(doctype="Contact", first_name=first_name, email_ids=emails, **fields).insert()


def make_lead(first_name: str = "", address: str = "", **fields: Any):
	"""Insert a Lead (ERPNext)."""
	number = next(_numbers)
	return frappe.get_doc(
		doctype="Lead",
		first_name=first_name or f"Lead {number}",
		email_id=address or f"lead{number}@{DOMAIN}",
		**fields,
	).insert()


def step(
	days: int = 0, subject: str = "", message: str = "<p>Hello {{ recipient.first_name }}</p>", **fields: Any
) -> dict:
	"""Return the values of one step."""
	return {"send_after_days": days, "subject": subject or f"Day {days}", "message": message, **fields}


def make_campaign(*steps: dict, name: str = "", **fields: Any):
	"""Insert a draft campaign; without steps it gets days 0, 2 and 4."""
	rows = [dict(row) for row in steps] or [step(0), step(2), step(4)]
	return frappe.get_doc(
		doctype="Drip Campaign", campaign_name=name or f"Drip Test {next(_numbers)}", steps=rows, **fields
	).insert()


def make_active_campaign(clock: Clock, *steps: dict, name: str = "", **fields: Any):
	"""Insert a campaign and activate it at the clock's time."""
	campaign = make_campaign(*steps, name=name, **fields)
	lifecycle.activate(campaign, clock.now)
	frappe.db.commit()
	return campaign


def make_email_template(name: str, subject: str, response: str):
	"""Insert an Email Template and return it."""
	return frappe.get_doc(doctype="Email Template", name=name, subject=subject, response=response).insert()


def make_list(name: str = "", *records: Any, **fields: Any):
	"""Insert a target list with these records on it."""
	target_list = frappe.get_doc(
		doctype="Drip Target List", list_name=name or f"Drip Test List {next(_numbers)}", **fields
	).insert()
	for record in records:
		add_to_list(target_list, record)
	return target_list


def add_to_list(target_list, record):
	"""Put a record on a list."""
	return frappe.get_doc(
		doctype="Drip Target List Member",
		target_list=target_list.name,
		recipient_type=record.doctype,
		recipient=record.name,
	).insert()


def source(doctype: str = "Contact", filters: list | None = None, **fields: Any) -> dict:
	"""Return the values of one source of a target list: by default the Contacts of the tests' domain."""
	chosen = [["email_id", "like", f"%@{DOMAIN}"]] if filters is None else filters
	return {"kind": "Filters", "recipient_type": doctype, "filters": json.dumps(chosen), **fields}


def refresh(target_list) -> Any:
	"""Refresh a list as a worker would; return the run."""
	name = lists_refresh.start(target_list.name, utc_now())
	frappe.db.commit()
	lists_refresh.run(name)
	return frappe.get_doc("Drip Target List Refresh", name)


def enroll(campaign, record, clock: Clock, **options: Any):
	"""Enroll a record at the clock's time and return the Drip Enrollment."""
	enrollment = verbs.enroll(campaign.name, record.doctype, record.name, clock.now, **options)
	frappe.db.commit()
	return enrollment


def send_tracked(campaign, people: Iterable, clock: Clock) -> None:
	"""Enroll people who agreed to tracking, and send what is due today and tomorrow."""
	for contact in people:
		save_preference(contact.email_id, tracking_consent=1, tracking_consent_at=frappe.utils.now())
		enroll(campaign, contact, clock)
	run(clock)
	clock.advance(days=1)
	run(clock)


def run(clock: Clock) -> int:
	"""Dispatch and deliver at the clock's time, as the scheduler and a worker would; return how many were accepted."""
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	return delivery.deliver(clock)


def flush_email_queue() -> None:
	"""Send the due rows of Frappe's queue, as its scheduler does. Frappe 16 skips rows of the last seconds."""
	earlier = frappe.utils.now_datetime() - timedelta(minutes=1)
	frappe.db.set_value("Email Queue", {"status": "Not Sent"}, "creation", earlier, update_modified=False)
	frappe.db.commit()
	frappe.email.queue.flush()


def notifications_of(user: str) -> list[str]:
	"""Return the subjects of the notifications of `user` in Desk, after running their background jobs."""
	for queue in get_queues():
		for job in queue.jobs:
			is_ours = job.kwargs.get("site") == frappe.local.site
			if is_ours and str(job.kwargs.get("method")).endswith("make_notification_logs"):
				frappe.get_attr(job.kwargs["method"])(**job.kwargs["kwargs"])
				job.delete()
	return frappe.get_all("Notification Log", filters={"for_user": user}, pluck="subject")


def count(doctype: str, **filters: Any) -> int:
	"""Return how many records match."""
	return frappe.db.count(doctype, filters)


@contextmanager
def without_account() -> Iterator[None]:
	"""The site has no outgoing Email Account for a `with` block."""
	frappe.db.set_value("Email Account", EMAIL_ACCOUNT, {"enable_outgoing": 0, "default_outgoing": 0})
	forget_accounts()
	frappe.db.commit()
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.db.set_value("Email Account", EMAIL_ACCOUNT, {"enable_outgoing": 1, "default_outgoing": 1})
		forget_accounts()
		frappe.db.commit()


def forget_accounts() -> None:
	"""Clear the Email Accounts that Frappe caches per request, because all tests are one request."""
	frappe.clear_document_cache("Email Account", EMAIL_ACCOUNT)
	frappe.local.outgoing_email_account = {}


class Statements:
	"""How many statements a `with` block of `count_statements` has sent."""

	count = 0


@contextmanager
def count_statements() -> Iterator[Statements]:
	"""Count the statements that the session's connection sends."""
	seen, send = Statements(), frappe.db.sql

	def counted(*args: Any, **kwargs: Any) -> Any:
		seen.count += 1
		return send(*args, **kwargs)

	frappe.db.sql = counted
	try:
		yield seen
	finally:
		frappe.db.sql = send
