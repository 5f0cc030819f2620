"""Actions on the recipient's record, and documents made for it. With the rights of the session's user, by Frappe's documents."""

import frappe
from frappe import _
from frappe.desk.doctype.tag.tag import DocTags

from drip_campaigns.actions.errors import ActionError
from drip_campaigns.actions.outcome import Done, Job
from drip_campaigns.actions.texts import read_values


def set_field(job: Job) -> Done:
	"""Set a field of the recipient's record, as its own form would; records of another kind are passed over."""
	step = job.step
	if job.row.recipient_type != step.action_doctype:
		return Done(_("Passed over: {0} is no {1}").format(job.who, _(step.action_doctype)))
	value = job.plain(step.action_value)
	document = _get(job, "write")
	if not document.meta.has_field(step.action_field):
		raise ActionError(_("{0} has no field {1} any more.").format(_(document.doctype), step.action_field))
	document.set(step.action_field, value or None)
	document.save()
	label = _(document.meta.get_label(step.action_field))
	return Done(_("{0} of {1} was set to “{2}”").format(label, job.who, value))


def add_tag(job: Job) -> Done:
	"""Tag the recipient's record."""
	document = _get(job, "write")
	tag = _known_tag(job.step.action_tag.strip())
	DocTags(document.doctype).add(document.name, tag)
	return Done(_("Tag {0} was added to {1}").format(tag, job.who))


def remove_tag(job: Job) -> Done:
	"""Take a tag off the recipient's record, whatever the case of its letters."""
	document = _get(job, "write")
	tag = job.step.action_tag.strip()
	DocTags(document.doctype).remove(document.name, tag)
	return Done(_("Tag {0} was removed from {1}").format(tag, job.who))


def create_document(job: Job) -> Done:
	"""Make a document of the step's values, each filled for the recipient."""
	doctype = job.step.action_doctype
	if not frappe.db.exists("DocType", doctype):
		raise ActionError(_("There are no {0} records any more.").format(doctype))
	document = frappe.new_doc(doctype)
	for field, value in read_values(job.step.action_values).items():
		document.set(field, job.plain(value) if isinstance(value, str) else value)
	document.insert()
	text = _("{0} {1} was made for {2}").format(_(doctype), document.name, job.who)
	return Done(text, doctype, document.name)


def _known_tag(tag: str) -> str:
	"""Return the tag as it is spelled already: Hot and hot are one."""
	return frappe.db.get_value("Tag", tag, "name") or tag


def _get(job: Job, right: str):
	document = frappe.get_doc(job.row.recipient_type, job.row.recipient)
	document.check_permission(right)
	return document
