"""Actions on the recipient's record, and documents made for it. With the rights of the session's user, by Frappe's documents."""

from collections.abc import Iterable

import frappe
from frappe import _

from drip_campaigns.actions.action_texts import read_values
from drip_campaigns.actions.context import ActionContext, ActionResult
from drip_campaigns.actions.errors import ActionError


def set_field(job: ActionContext) -> ActionResult:
	"""Set a field of the recipient's record, as its own form would; records of another kind are passed over.

	The value is filled from the record as it is under its lock, so that a counter that many steps raise misses none.
	"""
	step = job.step
	if job.row.recipient_type != step.action_doctype:
		return ActionResult(_("Passed over: {0} is no {1}").format(job.who, _(step.action_doctype)))
	document = _lock(job)
	value = job.plain(step.action_value, document)
	if not document.meta.has_field(step.action_field):
		raise ActionError(_("{0} has no field {1} any more.").format(_(document.doctype), step.action_field))
	_check_levels(document, [step.action_field])
	document.set(step.action_field, value or None)
	document.save()
	label = _(document.meta.get_label(step.action_field))
	return ActionResult(_("{0} of {1} was set to “{2}”").format(label, job.who, value))


def add_tag(job: ActionContext) -> ActionResult:
	"""Tag the recipient's record."""
	document = _lock(job)
	tag = _known_tag(job.step.action_tag.strip())
	tags = _tags_of(document)
	if tag.lower() not in (known.lower() for known in tags):
		_keep_tags(document, [*tags, tag])
	if not frappe.db.exists("Tag Link", {**_link_of(document), "tag": tag}):
		title = document.get_title() or ""
		frappe.get_doc(doctype="Tag Link", **_link_of(document), tag=tag, title=title).insert(
			ignore_permissions=True
		)
	return ActionResult(_("Tag {0} was added to {1}").format(tag, job.who))


def remove_tag(job: ActionContext) -> ActionResult:
	"""Take a tag off the recipient's record, whatever the case of its letters."""
	document = _lock(job)
	tag = job.step.action_tag.strip()
	_keep_tags(document, [known for known in _tags_of(document) if known.lower() != tag.lower()])
	frappe.db.delete("Tag Link", {**_link_of(document), "tag": tag})
	return ActionResult(_("Tag {0} was removed from {1}").format(tag, job.who))


def create_document(job: ActionContext) -> ActionResult:
	"""Make a document of the step's values, each filled for the recipient."""
	doctype = job.step.action_doctype
	if not frappe.db.exists("DocType", doctype):
		raise ActionError(_("There are no {0} records any more.").format(doctype))
	document = frappe.new_doc(doctype)
	values = read_values(job.step.action_values)
	_check_levels(document, values)
	for field, value in values.items():
		document.set(field, job.plain(value) if isinstance(value, str) else value)
	document.insert()
	text = _("{0} {1} was made for {2}").format(_(doctype), document.name, job.who)
	return ActionResult(text, doctype, document.name)


def _check_levels(document, fieldnames: Iterable[str]) -> None:
	"""Raise frappe.PermissionError for a field of a level that the owner may not write: Frappe would leave it as it was, and say nothing."""
	levels = document.get_permlevel_access("write")
	for name in fieldnames:
		field = document.meta.get_field(name)
		if field and field.permlevel and field.permlevel not in levels:
			raise frappe.PermissionError


def _known_tag(tag: str) -> str:
	"""Return the tag as it is spelled already: Hot and hot are one. A new one is made, if nobody else does at this moment."""
	if known := frappe.db.get_value("Tag", tag, "name"):
		return known
	frappe.get_doc(doctype="Tag", name=tag).insert(ignore_permissions=True, ignore_if_duplicate=True)
	return tag


# Frappe's own DocTags reads the tags, and writes them all, without a lock: of two workers, one would undo the other's.


def _tags_of(document) -> list[str]:
	return [tag for tag in (document.get("_user_tags") or "").split(",") if tag]


def _keep_tags(document, tags: list[str]) -> None:
	frappe.db.set_value(document.doctype, document.name, "_user_tags", ",".join(tags), update_modified=False)


def _link_of(document) -> dict[str, str]:
	return {"document_type": document.doctype, "document_name": document.name}


def _lock(job: ActionContext):
	"""Return the recipient's record as it is now, locked, if the owner may change it."""
	document = frappe.get_doc(job.row.recipient_type, job.row.recipient, for_update=True)
	document.check_permission("write")
	return document
