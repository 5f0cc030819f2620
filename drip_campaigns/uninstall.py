"""Uninstall what `install.py` adds. The site keeps its Communications, its Email Queue, and its unsubscribes."""

import frappe

from drip_campaigns.campaign import holiday_field
from drip_campaigns.db.bulk_writes import set_each
from drip_campaigns.install import ROLES
from drip_campaigns.outbox import site_copy_check
from drip_campaigns.site.signing_keys import forget_keys
from drip_campaigns.stats import visit_buffer
from drip_campaigns.triggers import trigger_cache

MODULE = "Drip Campaigns"
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
	"""Detach the site's own records from ours, which Frappe deletes next, and remove references.

	Does not commit: Frappe calls this in a dry run as well.
	"""
	delete_queued_emails()
	relink_communications()
	clear_queue_references()
	remove_references(frappe.get_all("DocType", filters={"module": MODULE}, pluck="name"))


def after_uninstall() -> None:
	"""Remove what Frappe does not: the roles, and references to them or to our jobs. Changes nothing in a dry run."""
	if frappe.db.exists("DocType", "Drip Campaign"):
		frappe.db.rollback()  # a dry run: Frappe 15 calls this hook too (installer.py, remove_app)
		return
	for doctype in ("Has Role", "Custom DocPerm", "DocPerm"):
		frappe.db.delete(doctype, {"role": ["in", ROLES]})
	jobs = frappe.get_all(
		"Scheduled Job Type", filters={"method": ["like", "drip_campaigns.%"]}, pluck="name"
	)
	if jobs:
		frappe.db.delete("Scheduled Job Log", {"scheduled_job_type": ["in", jobs]})
		frappe.db.delete("Scheduled Job Type", {"name": ["in", jobs]})
	for role in ROLES:
		frappe.delete_doc("Role", role, ignore_missing=True, force=True)
	frappe.db.delete("Deleted Document", {"deleted_doctype": "Drip Settings"})
	site_copy_check.forget_site()
	forget_keys()
	visit_buffer.clear()
	trigger_cache.forget()
	frappe.db.commit()


def after_app_uninstall(_app: str) -> None:
	"""Remove our field for another app's DocType if that is gone. Changes nothing in a dry run."""
	holiday_field.sync_holiday_field()
	frappe.db.commit()


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
	frappe.qb.update(queue).set(queue.reference_doctype, None).set(queue.reference_name, None).where(
		ours
	).run()


def remove_references(doctypes: list[str]) -> None:
	"""Delete what users added to records of these DocTypes: comments, files, shares, assignments, settings."""
	for name in frappe.get_all("File", filters={"attached_to_doctype": ["in", doctypes]}, pluck="name"):
		frappe.delete_doc("File", name, force=True, ignore_permissions=True)  # which leaves a Comment
	for doctype, field in REFERENCES:
		frappe.db.delete(doctype, {field: ["in", doctypes]})
