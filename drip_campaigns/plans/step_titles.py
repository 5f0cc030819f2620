"""What a step is called where a record knows it only by the ID of its row."""

import frappe
from frappe import _

from drip_campaigns.plans.campaign_plan import step_subject


def find_step_title(step: str | None) -> str:
	"""Return a step's number with its label, its subject, or what it does, such as "2: Welcome"; empty without a step."""
	if not step:
		return ""
	if not frappe.db.exists("Drip Campaign Step", step):
		return _("Deleted step")
	row = frappe.get_doc("Drip Campaign Step", step)
	return f"{row.idx}: {row.label or step_subject(row)}"
