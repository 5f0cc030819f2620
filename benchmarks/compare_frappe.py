"""Measure the standard path on the same site: a Communication and `frappe.sendmail` for each recipient, as in ERPNext.

If ERPNext is installed, its own job runs too, on its own Email Campaigns.
"""

from collections.abc import Sequence
from unittest import mock

import frappe
from frappe.core.doctype.communication.email import make
from frappe.utils import today

from benchmarks import load
from benchmarks.measure import Reading, reading
from tests import factories

TEMPLATE = "Drip Test Bench"


def make_template() -> None:
	"""Write the text as an Email Template, for the paths that read it from there."""
	frappe.get_doc(
		doctype="Email Template",
		name=TEMPLATE,
		subject=load.SUBJECT.format(day=0),
		use_html=1,
		response_html=load.BODY,
	).insert()
	frappe.db.commit()


def queue_one_by_one(contacts: Sequence[str], campaign: str) -> Reading:
	"""Queue one email for each contact, as ERPNext's send_mail does, but without one background job each."""
	with reading() as result:
		for name in contacts:
			_queue(name, campaign)
		frappe.db.commit()
	return result


def _queue(contact: str, campaign: str) -> None:
	recipients = [frappe.db.get_value("Contact", contact, "email_id")]
	template = frappe.get_cached_doc("Email Template", TEMPLATE)
	context = {"doc": frappe.get_doc("Contact", contact)}
	subject = frappe.render_template(template.subject, context)
	content = frappe.render_template(template.response_html, context)
	communication = make(
		doctype="Drip Campaign",
		name=campaign,
		subject=subject,
		content=content,
		sender=factories.SENDER,
		recipients=recipients,
		communication_medium="Email",
		sent_or_received="Sent",
		send_email=False,
		email_template=template.name,
	)
	frappe.sendmail(
		recipients=recipients,
		subject=subject,
		content=content,
		sender=factories.SENDER,
		communication=communication["name"],
	)


def has_erpnext() -> bool:
	"""Return whether this site has ERPNext's Email Campaign."""
	return bool(frappe.db.exists("DocType", "Email Campaign"))


def queue_with_erpnext(contacts: Sequence[str]) -> Reading:
	"""Run ERPNext's own job over one Email Campaign for each contact, and run what it enqueues immediately."""
	from erpnext.crm.doctype.email_campaign import email_campaign  # only where ERPNext is

	campaign = _make_erpnext_campaign(contacts)
	enqueue = frappe.enqueue
	before = frappe.db.count("Communication", {"reference_doctype": "Email Campaign"})

	def run_now(*args: object, **options: object) -> object:
		return enqueue(*args, **{**options, "now": True})

	try:
		with mock.patch.object(frappe, "enqueue", run_now), reading() as result:
			email_campaign.send_email_to_leads_or_contacts()
			frappe.db.commit()
		queued = frappe.db.count("Communication", {"reference_doctype": "Email Campaign"}) - before
		if queued != len(contacts):
			raise AssertionError(f"ERPNext's job has queued {queued} of {len(contacts)} emails")
	finally:
		frappe.db.delete("Email Campaign", {"campaign_name": campaign})
		frappe.db.delete("Campaign Email Schedule", {"parent": campaign})
		frappe.db.delete("Campaign", {"name": campaign})
		frappe.db.commit()
	return result


def _make_erpnext_campaign(contacts: Sequence[str]) -> str:
	schedule = {"email_template": TEMPLATE, "send_after_days": 0}
	campaign = frappe.get_doc(
		doctype="Campaign", campaign_name="Drip Bench", campaign_schedules=[schedule]
	).insert()
	for contact in contacts:
		frappe.get_doc(
			doctype="Email Campaign",
			campaign_name=campaign.name,
			email_campaign_for="Contact",
			recipient=contact,
			start_date=today(),  # the site's day, with which the job compares
		).insert()
	frappe.db.commit()
	return campaign.name
