"""A visitor submits a Web Form."""

import frappe
from frappe import _

from drip_campaigns.triggers.firings import Firing
from drip_campaigns.triggers.kind import WEB_FORMS, TriggerKind, is_new, make_firing, name_type


class WebFormSubmitted(TriggerKind):
	"""Enrolls the record that the form creates; without a form in the row, any form for the type fires it."""

	label = "Web Form Submitted"
	needed = ("recipient_type",)
	optional = ("web_form",)
	watches = WEB_FORMS
	leaves_trace = False

	def describe(self, row) -> str:
		if row.web_form:
			return _("When Web Form {0} is submitted").format(row.web_form)
		return _("When any Web Form that creates a {0} is submitted").format(name_type(row))

	def prepare(self, row) -> None:
		if row.web_form:
			row.recipient_type = frappe.db.get_value("Web Form", row.web_form, "doc_type")

	def match(self, document, trigger) -> Firing | None:
		form = frappe.form_dict.get("web_form")
		is_meant = is_new(document) and trigger.web_form in (None, "", form)
		return make_firing(document, trigger, f"form {form}") if is_meant else None
