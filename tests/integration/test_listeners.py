"""Frappe's Webhooks, Notifications and Server Scripts on enrollments and events, over a real HTTP receiver."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import frappe
import pytest
from frappe.utils.background_jobs import get_queues

from drip_campaigns.db import doc_event_queue
from drip_campaigns.enrollment.enroll import enroll_many
from tests import factories
from tests.factories import DOMAIN, step
from tests.fakes import LOOPBACK

KINDS = ("Webhook", "Notification", "Server Script")
JOBS = ("drip_campaigns.jobs.doc_event_job.deliver_doc_events", "enqueue_webhook", "make_notification_logs")


@pytest.fixture
def receiver():
	"""An HTTP server on the loopback address, and what was posted to it."""
	received = []

	class Handler(BaseHTTPRequestHandler):
		def do_POST(self) -> None:
			received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
			self.send_response(200)
			self.end_headers()

		def log_message(self, *_args: object) -> None:
			"""Say nothing."""

	server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
	threading.Thread(target=server.serve_forever, daemon=True).start()
	received_at = f"http://{LOOPBACK}:{server.server_port}/hook"
	yield received, received_at
	server.shutdown()
	server.server_close()


pytestmark = [pytest.mark.campaign(step(0)), pytest.mark.usefixtures("no_listeners_left")]


@pytest.fixture
def no_listeners_left(site):
	"""Delete the Webhooks, Notifications, and other listeners of the test."""
	yield
	frappe.db.rollback()
	for kind in KINDS:
		for name in frappe.get_all(kind, filters={"name": ("like", "Drip Test%")}, pluck="name"):
			frappe.delete_doc(kind, name, force=True)
	frappe.db.delete("Webhook Request Log", {"webhook": ("like", "Drip Test%")})
	frappe.db.commit()


def make_webhook(url: str, doctype: str, event: str, condition: str = "", name: str = "Drip Test Hook"):
	"""Insert a Webhook that posts name, email address and one more field."""
	told = {"Drip Event": "event_type", "Drip Enrollment": "status"}[doctype]
	fields = [{"fieldname": field, "key": field} for field in ("name", "email_address", told)]
	webhook = frappe.get_doc(
		doctype="Webhook",
		name=name,
		webhook_doctype=doctype,
		webhook_docevent=event,
		condition=condition,
		request_url=url,
		request_method="POST",
		request_structure="Form URL-Encoded",
		webhook_data=fields,
	)
	webhook.insert(set_name=name)
	frappe.db.commit()
	return webhook


def make_notification(name: str, doctype: str, event: str, **fields):
	"""Insert a Notification that tells every System Manager in the Desk."""
	notification = frappe.get_doc(
		doctype="Notification",
		name=name,
		document_type=doctype,
		event=event,
		channel="System Notification",
		subject="Drip Test: {{ doc.email_address }} is {{ doc.status }}",
		message="-",
		recipients=[{"receiver_by_role": "System Manager"}],
		**fields,
	).insert(set_name=name)
	frappe.db.commit()
	if hasattr(frappe, "client_cache"):  # Frappe 16: each process hears a moment later of what changed
		frappe.client_cache.delete_value(f"notifications::{doctype}")
	return notification


def do_jobs() -> None:
	"""Do what a worker would do for those who listen."""
	for _round in range(3):  # a job may make others
		for queue in get_queues():
			for job in {job.id: job for job in queue.jobs}.values():
				method = job.kwargs.get("method")
				path = method if isinstance(method, str) else ""
				if job.kwargs.get("site") == frappe.local.site and path.endswith(JOBS):
					frappe.get_attr(path)(**job.kwargs["kwargs"])
					frappe.db.commit()
					job.delete()


def enroll_people(campaign, clock, *names: str) -> list[str]:
	"""Enroll new Contacts in bulk, as a list or a trigger does, and return their addresses."""
	contacts = [factories.make_contact(name, f"{name.lower()}@{DOMAIN}") for name in names]
	for _result in enroll_many(campaign.name, "Contact", [contact.name for contact in contacts], clock.now):
		frappe.db.commit()
	return [contact.email_id for contact in contacts]


def test_webhook_hears_of_each_event_that_its_condition_asks_for(campaign, clock, receiver):
	received, url = receiver
	make_webhook(url, "Drip Event", "after_insert", 'doc.event_type == "Sent"')

	people = enroll_people(campaign, clock, "Ada", "Bob", "Cy")
	factories.run(clock)
	assert received == []  # not within the transaction
	do_jobs()

	assert sorted(post["email_address"] for post in received) == people
	assert {post["event_type"] for post in received} == {"Sent"}
	names = frappe.get_all("Drip Event", filters={"event_type": "Sent"}, pluck="name")
	assert sorted(post["name"] for post in received) == sorted(names)


def test_webhook_hears_what_an_enrollment_was_when_it_was_written(campaign, clock, receiver):
	received, url = receiver
	make_webhook(url, "Drip Enrollment", "on_update")

	people = enroll_people(campaign, clock, "Ada", "Bob")
	factories.run(clock)
	do_jobs()

	heard = {who: [p["status"] for p in received if p["email_address"] == who] for who in people}
	assert {statuses[0] for statuses in heard.values()} == {"In Progress"}
	assert {statuses[-1] for statuses in heard.values()} == {"Completed"}


def test_notification_hears_of_a_value_that_changed_in_a_batch_and_by_a_person(campaign, clock):
	factories.make_user("manager", "Drip Manager", "System Manager")  # the Administrator is never told
	make_notification("Drip Test Change", "Drip Enrollment", "Value Change", value_changed="status")

	ada, bob = enroll_people(campaign, clock, "Ada", "Bob")
	gone = frappe.get_doc("Drip Enrollment", {"email_address": bob})
	factories.verbs.remove(gone, clock.now)
	frappe.db.commit()
	factories.run(clock)
	do_jobs()

	told = frappe.get_all("Notification Log", filters={"subject": ("like", "Drip Test%")}, pluck="subject")
	frappe.db.delete("Notification Log", {"subject": ("like", "Drip Test%")})
	assert sorted(set(told)) == [f"Drip Test: {ada} is Completed", f"Drip Test: {bob} is Exited"]


def test_listener_that_fails_stops_nobody(campaign, clock, receiver, monkeypatch):
	monkeypatch.setattr("frappe.utils.safe_exec.is_safe_exec_enabled", lambda: True)
	received, url = receiver
	broken = make_webhook(url, "Drip Event", "after_insert", name="Drip Test Broken")
	broken.db_set("condition", "doc.no_such_thing.at_all")
	broken = make_notification("Drip Test Broken", "Drip Enrollment", "Value Change", value_changed="status")
	broken.db_set("condition", "doc.no_such_thing.at_all")
	frappe.get_doc(
		doctype="Server Script",
		name="Drip Test Broken",
		script_type="DocType Event",
		reference_doctype="Drip Event",
		doctype_event="After Insert",
		script="frappe.throw('Drip Test')",
	).insert()
	make_webhook(url, "Drip Event", "after_insert", 'doc.event_type == "Sent"')
	frappe.clear_cache(doctype="Notification")

	enroll_people(campaign, clock, "Ada", "Bob")
	assert factories.run(clock) == 2
	do_jobs()

	assert len(received) == 2
	assert factories.count("Drip Enrollment", status="Completed") == 2
	errors = frappe.get_all("Error Log", filters={"method": ("like", "Drip Campaigns:%")}, pluck="method")
	assert {kind for kind in KINDS if any(kind in error for error in errors)} == set(KINDS)


def test_what_is_rolled_back_is_told_to_nobody(campaign, clock, receiver):
	received, url = receiver
	make_webhook(url, "Drip Enrollment", "after_insert")

	for _result in enroll_many(campaign.name, "Contact", [factories.make_contact("Ada").name], clock.now):
		frappe.db.rollback()
	frappe.db.commit()
	do_jobs()

	assert received == []


def test_batch_costs_no_statement_where_nobody_listens(campaign, clock):
	doc_event_queue.has_listener(
		"Drip Event"
	)  # asks the database once an hour, or after somebody has changed something
	enroll_people(campaign, clock, "Ada")
	jobs = sum(len(queue.jobs) for queue in get_queues())

	with factories.count_statements() as seen:
		for doctype in doc_event_queue.DOCTYPES:
			doc_event_queue.record_inserts(doctype, ["a", "b"])
			doc_event_queue.record_changes(doctype, ["a", "b"])
	frappe.db.commit()

	assert seen.count == 0
	assert sum(len(queue.jobs) for queue in get_queues()) == jobs
