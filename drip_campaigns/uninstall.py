"""Uninstalling: the mirror of `install.py`. The site keeps its Communications, its Email Queue and its unsubscribes."""

import frappe

from drip_campaigns.dispatch.mail_store import set_each
from drip_campaigns.install import ROLES

BATCH_SIZE = 500


def before_uninstall() -> None:
	"""Let the Communications refer to the recipient's record, for the enrollment they refer to is about to go.

	Does not commit: Frappe calls this in a dry run as well.
	"""
	withdraw_what_is_queued()
	while rows := _find_ours():
		columns = ("name", "reference_doctype", "reference_name")
		set_each("Communication", columns, [(row.name, row.recipient_type, row.recipient) for row in rows])
	queue = frappe.qb.DocType("Email Queue")
	ours = queue.reference_doctype.isin(["Drip Enrollment", "Drip Campaign"])
	frappe.qb.update(queue).set(queue.reference_doctype, None).set(queue.reference_name, None).where(
		ours
	).run()


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


def withdraw_what_is_queued() -> None:
	"""An e-mail whose link would lead nowhere must not leave: what is queued goes, with its Communication."""
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


def after_uninstall() -> None:
	"""Remove what Frappe does not: the roles, and what refers to them or to our job methods."""
	for doctype in ("Has Role", "Custom DocPerm", "DocPerm"):
		frappe.db.delete(doctype, {"role": ["in", ROLES]})
	frappe.db.delete("Scheduled Job Type", {"method": ["like", "drip_campaigns.%"]})
	for role in ROLES:
		frappe.delete_doc("Role", role, ignore_missing=True, force=True)
	frappe.db.commit()
