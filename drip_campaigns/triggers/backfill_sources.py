"""Where people who met a trigger before are found, by its kind: queries that nobody has run yet."""

import frappe
from frappe.query_builder.functions import Lower
from pypika.queries import QueryBuilder
from pypika.terms import Field

from drip_campaigns.core.flow.triggers import PurchaseDocument, TriggerKind
from drip_campaigns.core.model import EventType, Status
from drip_campaigns.triggers.purchases import with_items, with_paid_items

Source = tuple[QueryBuilder, Field]  # what to select from, and the field with the person's record


def _tagged(trigger: frappe._dict, doctype: str) -> Source:
	link = frappe.qb.DocType("Tag Link")
	query = frappe.qb.from_(link).where(link.document_type == doctype)
	if trigger.tag:
		query = query.where(Lower(link.tag) == trigger.tag.lower())
	return query, link.document_name


def _on_lists(trigger: frappe._dict, doctype: str) -> Source:
	member = frappe.qb.DocType("Drip Target List Member")
	query = frappe.qb.from_(member).where((member.recipient_type == doctype) & (member.opted_out == 0))
	query = query.where(member.removed_at.isnull())
	if trigger.target_list:
		query = query.where(member.target_list == trigger.target_list)
	return query, member.recipient


def _completed(trigger: frappe._dict, doctype: str) -> Source:
	enrollment = frappe.qb.DocType("Drip Enrollment")
	is_done = (enrollment.campaign == trigger.source_campaign) & (enrollment.status == Status.COMPLETED.value)
	return frappe.qb.from_(enrollment).where(
		is_done & (enrollment.recipient_type == doctype)
	), enrollment.recipient


def _reacted(trigger: frappe._dict, doctype: str) -> Source:
	event, enrollment = frappe.qb.DocType("Drip Event"), frappe.qb.DocType("Drip Enrollment")
	is_click = trigger.kind == TriggerKind.LINK_CLICKED
	wanted = EventType.CLICKED if is_click else EventType.OPENED
	query = frappe.qb.from_(event).inner_join(enrollment).on(enrollment.name == event.enrollment)
	query = query.where((event.event_type == wanted.value) & (enrollment.recipient_type == doctype))
	query = query.where(event.is_bot == 0)
	if trigger.source_campaign:
		query = query.where(event.campaign == trigger.source_campaign)
	if is_click and trigger.link_url:
		query = query.where((event.detail == trigger.link_url) | (event.link == trigger.link_url))
	return query, enrollment.recipient


def _bought(trigger: frappe._dict, doctype: str) -> Source | None:
	is_payment = trigger.purchase_document == PurchaseDocument.PAYMENT_ENTRY
	fields = {"Contact": "contact_person", "Customer": "party" if is_payment else "customer"}
	if doctype not in fields:
		return None
	document = frappe.qb.DocType(trigger.purchase_document)
	query = frappe.qb.from_(document).where(document.docstatus == 1)
	if is_payment:
		query = query.where((document.party_type == "Customer") & (document.payment_type == "Receive"))
	if trigger.purchased and is_payment:
		query = with_paid_items(query, document, trigger)
	elif trigger.purchased:
		query = with_items(query, document, trigger)
	return query, document[fields[doctype]]


SOURCES = {
	TriggerKind.TAG_ADDED: _tagged,
	TriggerKind.JOINED_TARGET_LIST: _on_lists,
	TriggerKind.CAMPAIGN_COMPLETED: _completed,
	TriggerKind.LINK_CLICKED: _reacted,
	TriggerKind.EMAIL_OPENED: _reacted,
	TriggerKind.PURCHASE: _bought,
}
