"""Find the people of a company: the same Customer, the same company name, or the same mail domain. Reads only."""

from collections.abc import Sequence

import frappe

from drip_campaigns.core.flow.goals import ReplyScope
from drip_campaigns.core.model import LIVE_STATUSES
from drip_campaigns.exit_rules.documents import Record, find_parties, find_people_of
from drip_campaigns.people.mail_domains import domain_of, is_large_provider
from drip_campaigns.people.recipient_types import known_types
from drip_campaigns.people.recipients import load_recipients

_LIVE = [status.value for status in LIVE_STATUSES]


def find_same_company(enrollment) -> list[str]:
	"""Return the other live enrollments of the campaign from the company of a Drip Enrollment."""
	person = (enrollment.recipient_type, enrollment.recipient)
	customers = {party for party in find_parties([person])[person] if party[0] == "Customer"}
	people = find_people_of(customers) if customers else set()
	loaded = load_recipients(person[0], [person[1]], whole=False).get(person[1])
	people |= _find_by_company(loaded.company) if loaded and loaded.company else set()
	filters = {"campaign": enrollment.campaign, "status": ["in", _LIVE], "name": ["!=", enrollment.name]}
	named = {**filters, "recipient": ["in", sorted({name for _kind, name in people})]}
	fields = ["name", "recipient_type", "recipient"]
	rows = frappe.get_all("Drip Enrollment", filters=named, fields=fields) if people else []
	found = {row.name for row in rows if (row.recipient_type, row.recipient) in people}
	return sorted(found.union(_find_by_domain(enrollment.email_address, filters)))


def find_by_domain(sender: str) -> list[str]:
	"""Return the live enrollments with the sender's mail domain, in campaigns that a company's reply ends."""
	scope = {"reply_scope": ReplyScope.COMPANY.value, "continue_after_reply": 0}
	campaigns = frappe.get_all("Drip Campaign", filters=scope, pluck="name")
	if not campaigns:
		return []
	return _find_by_domain(sender, {"campaign": ["in", campaigns], "status": ["in", _LIVE]})


def _find_by_domain(address: str, filters: dict) -> list[str]:
	domain = domain_of(address)
	if not domain or is_large_provider(domain):
		return []
	alike = {**filters, "email_address": ["like", f"%@{domain}"]}
	rows = frappe.get_all("Drip Enrollment", filters=alike, fields=["name", "email_address"])
	return [row.name for row in rows if domain_of(row.email_address) == domain]


def _find_by_company(company: str) -> set[Record]:
	found: set[Record] = set()
	for doctype, entry in known_types().items():
		if entry.company and frappe.get_meta(doctype).has_field(entry.company):
			rows: Sequence[str] = frappe.get_all(doctype, filters={entry.company: company}, pluck="name")
			found |= {(doctype, name) for name in rows}
	return found
