"""Uninstalling: the mirror of `install.py`. The site keeps its Communications, its Email Queue and its unsubscribes."""

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
# Records that say something about a record of ours and nothing without it, by the field that names its DocType.
# Frappe leaves them behind when a DocType goes (installer.py, remove_app).
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
	"""Let the site's own records go on without ours, which are about to go, and remove what would refer to nothing.

	Does not commit: Frappe calls this in a dry run as well.
	"""
	withdraw_what_is_queued()
	hand_over_communications()
	forget_queued_references()
	remove_references(frappe.get_all("DocType", filters={"module": MODULE}, pluck="name"))


def after_uninstall() -> None:
	"""Remove what Frappe does not: the roles, and what refers to them or to our jobs. Ends a dry run without a change."""
	if frappe.db.exists("DocType", "Drip Campaign"):
		frappe.db.rollback()  # a dry run: Frappe 15 calls this hook all the same (installer.py, remove_app)
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
	"""Remove what another app has brought along and that is gone with it. Ends a dry run without a change."""
	holiday_field.make_field_or_remove_it()
	frappe.db.commit()


def withdraw_what_is_queued() -> None:
	"""An email whose link would lead nowhere must not leave: what is queued goes, with its Communication."""
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


def hand_over_communications() -> None:
	"""Let the Communications refer to the recipient's record instead of the enrollment."""
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


def forget_queued_references() -> None:
	"""Let the rows of the Email Queue refer to nothing: they are kept as the record of what was sent."""
	queue = frappe.qb.DocType("Email Queue")
	ours = queue.reference_doctype.isin(["Drip Enrollment", "Drip Campaign"])
	frappe.qb.update(queue).set(queue.reference_doctype, None).set(queue.reference_name, None).where(
		ours
	).run()


def remove_references(doctypes: list[str]) -> None:
	"""Remove what people have attached to records of these DocTypes: comments, files, shares, assignments, settings."""
	for name in frappe.get_all("File", filters={"attached_to_doctype": ["in", doctypes]}, pluck="name"):
		frappe.delete_doc("File", name, force=True, ignore_permissions=True)  # which leaves a Comment
	for doctype, field in REFERENCES:
		frappe.db.delete(doctype, {field: ["in", doctypes]})
