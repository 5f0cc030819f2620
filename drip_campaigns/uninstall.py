"""Uninstall what `install.py` adds. The site keeps its Communications, its Email Queue, and its unsubscribes."""

import json
from pathlib import Path

import frappe

from drip_campaigns.campaign import holiday_field
from drip_campaigns.db.bulk_writes import set_each, set_where
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.install import ROLES
from drip_campaigns.outbox import site_copy_check
from drip_campaigns.site.signing_keys import forget_keys
from drip_campaigns.stats import visit_buffer
from drip_campaigns.triggers import trigger_cache

APP = "drip_campaigns"
BATCH_SIZE = 500
# DocTypes of records about our records, useless without them, by the field that names the DocType.
# Frappe keeps them when it removes a DocType (installer.py, remove_app).
REFERENCES = (
	("Comment", "reference_doctype"),
	("Custom DocPerm", "parent"),
	("Custom Field", "dt"),
	("Deleted Document", "deleted_doctype"),
	("DocShare", "share_doctype"),
	("Document Follow", "ref_doctype"),
	("Event Participants", "reference_doctype"),
	("List Filter", "reference_doctype"),
	("List View Settings", "name"),
	("Logs To Clear", "ref_doctype"),
	("Notification Log", "document_type"),
	("Property Setter", "doc_type"),
	("Tag Link", "document_type"),
	("ToDo", "reference_type"),
	("User Permission", "allow"),
	("Version", "ref_doctype"),
	("View Log", "reference_doctype"),
)


def before_uninstall() -> None:
	"""Detach the site's own records from ours, which Frappe deletes next.

	Doesn't commit and touches no file: Frappe calls this in a dry run as well.
	"""
	delete_queued_emails()
	if frappe.db.exists("DocType", "Drip Enrollment"):  # gone if an earlier try has stopped halfway
		relink_communications()
	clear_queue_references()


def after_uninstall() -> None:
	"""Remove what Frappe does not: the roles, references to our records, roles, and jobs, and our icons.

	Changes nothing in a dry run, in which Frappe calls this too (installer.py, remove_app). Commits only what it wrote,
	because Frappe has just committed the rest.
	"""
	if frappe.db.exists("DocType", "Drip Campaign"):
		frappe.db.rollback()
		return
	remove_references(find_own_doctypes())
	remove_jobs()
	for doctype in ("Has Role", "Custom DocPerm", "DocPerm"):
		frappe.db.delete(doctype, {"role": ["in", ROLES]})
	for role in ROLES:
		frappe.delete_doc("Role", role, ignore_missing=True, force=True)
	remove_icons()
	frappe.db.delete("Patch Log", {"patch": ["like", f"{APP}.%"]})
	frappe.db.delete("Deleted Document", {"deleted_doctype": "Drip Settings"})
	site_copy_check.forget_site()
	forget_keys()
	visit_buffer.clear()
	trigger_cache.forget()
	frappe.db.commit()


def before_app_uninstall(app: str) -> None:
	"""Remove our field for another app's DocType. Doesn't commit: Frappe does, unless this is a dry run."""
	holiday_field.remove_field_with(app)


def find_own_doctypes() -> list[str]:
	"""Return the names of our DocTypes, also when they are no longer on the site."""
	files = Path(frappe.get_app_path(APP, APP, "doctype")).glob("*/*.json")
	return [json.loads(file.read_text())["name"] for file in files]


def remove_icons() -> None:
	"""Delete our icon and sidebar in Desk. Frappe 16 does so too, but after its last commit (utils/install.py)."""
	for doctype in ("Desktop Icon", "Workspace Sidebar"):
		if not frappe.db.exists("DocType", doctype):
			continue  # Frappe 15 has no Workspace Sidebar
		names = frappe.get_all(doctype, filters={"app": APP}, pluck="name")
		for table in frappe.get_meta(doctype).get_table_fields() if names else ():
			frappe.db.delete(table.options, {"parenttype": doctype, "parent": ["in", names]})
		frappe.db.delete(doctype, {"app": APP})


def remove_jobs() -> None:
	"""Delete our scheduled jobs and their logs, which Frappe leaves to the next migrate."""
	jobs = frappe.get_all("Scheduled Job Type", filters={"method": ["like", f"{APP}.%"]}, pluck="name")
	if jobs:
		frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": ["in", jobs]})
		frappe.db.delete("Scheduled Job Type", {"name": ["in", jobs]})


def delete_queued_emails() -> None:
	"""Delete queued emails and their Communications, whose links would lead nowhere."""
	filters = {"reference_doctype": "Drip Enrollment", "status": "Not Sent"}
	rows = frappe.get_all("Email Queue", filters=filters, fields=["name", "communication"])
	queues, communications = [row.name for row in rows], [row.communication for row in rows]
	for doctype, key, names in (
		("Email Queue Recipient", "parent", queues),
		("Email Queue", "name", queues),
		("Communication Link", "parent", communications),
		("Communication", "name", communications),
	):
		if names:
			frappe.db.delete(doctype, {key: ["in", names]})


def relink_communications() -> None:
	"""Link our Communications to the recipient's record instead of the enrollment."""
	while rows := _find_ours():
		columns = ("name", "reference_doctype", "reference_name")
		set_each("Communication", columns, [(row.name, row.recipient_type, row.recipient) for row in rows])


def _find_ours() -> list[frappe._dict]:
	communication, enrollment = frappe.qb.DocType("Communication"), frappe.qb.DocType("Drip Enrollment")
	return (
		frappe.qb.from_(communication)
		.left_join(enrollment)
		.on(enrollment.name == communication.reference_name)
		.select(communication.name, enrollment.recipient_type, enrollment.recipient)
		.where(communication.reference_doctype == "Drip Enrollment")
		.limit(BATCH_SIZE)
		.run(as_dict=True)
	)


def clear_queue_references() -> None:
	"""Clear the references of our Email Queue rows, which stay as the record of what was sent."""
	queue = frappe.qb.DocType("Email Queue")
	ours = queue.reference_doctype.isin(["Drip Enrollment", "Drip Campaign"])
	set_where("Email Queue", ours, {"reference_doctype": None, "reference_name": None})


def remove_references(doctypes: list[str]) -> None:
	"""Delete what users added to records of these DocTypes: comments, files, shares, assignments, settings."""
	attached = {"attached_to_doctype": ["in", doctypes]}
	files = frappe.get_all("File", filters=attached, pluck="name")
	# Detached first: Frappe would comment on the record, whose DocType is gone (file.py, on_trash)
	write_values("File", attached, {"attached_to_doctype": None, "attached_to_name": None})
	for name in files:
		# nosemgrep: ignore-permissions - runs at uninstall
		frappe.delete_doc("File", name, force=True, ignore_permissions=True)  # also the file on the disk
	for doctype, field in REFERENCES:
		frappe.db.delete(doctype, {field: ["in", doctypes]})
