"""Drip Target List: people of any recipient type, who can leave the list on their own."""

import frappe
from frappe import _
from frappe.model.document import Document

from drip_campaigns.core.model import LIVE_STATUSES
from drip_campaigns.enrollment.target_lists import forget_list


class DripTargetList(Document):
	"""A list by its name; its members are records of their own, for there may be millions."""

	def validate(self) -> None:
		if self.show_to_recipients and not (self.public_title or "").strip():
			frappe.throw(
				_("List {0} is shown to recipients. Enter the title that they read.").format(self.list_name),
				title=_("Title missing"),
			)

	def on_trash(self) -> None:
		live = [status.value for status in LIVE_STATUSES]
		count = frappe.db.count("Drip Enrollment", {"target_list": self.name, "status": ["in", live]})
		if count:
			frappe.throw(
				_(
					"{0} live enrollments came through list {1}. Remove them first, or keep the list: who leaves it must be heard."
				).format(count, self.name),
				title=_("List in use"),
			)
		forget_list(self.name)
