"""A record gets a tag."""

import frappe
from frappe import _
from frappe.query_builder.functions import Lower
from frappe.utils import cstr

from drip_campaigns.core.flow.triggers import is_tag
from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import Source, TriggerKind, is_new, name_type


class TagAdded(TriggerKind):
	"""Enrolls the record that was tagged; without a tag in the row, any tag fires it."""

	label = "Tag Added"
	needed = ("recipient_type",)
	optional = ("tag",)
	watches = "Tag Link"
	is_portable = True
	can_loop = True

	def describe(self, row) -> str:
		if row.tag:
			return _("When a {0} gets the tag {1}").format(name_type(row), row.tag)
		return _("When a {0} gets any tag").format(name_type(row))

	def match(self, document, trigger) -> Firing | None:
		is_type = trigger.recipient_type in (None, "", document.document_type)
		if not is_new(document) or not is_type or not is_tag(trigger.tag, document.tag):
			return None
		return Firing(trigger, document.document_type, cstr(document.document_name), document.name)

	def find_existing(self, trigger, doctype: str) -> Source:
		link = frappe.qb.DocType("Tag Link")
		query = frappe.qb.from_(link).where(link.document_type == doctype)
		if trigger.tag:
			query = query.where(Lower(link.tag) == trigger.tag.lower())
		return query, link.document_name
