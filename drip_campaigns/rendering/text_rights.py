"""Whose right to read fields counts when the texts and conditions of a campaign are checked or previewed."""

import frappe
from frappe.model import default_fields

from drip_campaigns.people.field_rights import FieldRights


def rights_of(campaign, row=None) -> FieldRights:
	"""Return the rights of the campaign's owner; also those of the session's user, if that user has changed `row`.

	Otherwise a user who may write a campaign could make it tell what only its owner may read.
	"""
	user = frappe.session.user
	users = [campaign.owner or user]
	if row is not None and is_changed(campaign, row):
		users.append(user)
	return FieldRights(*users)


def is_changed(campaign, row) -> bool:
	"""Return whether a row of a campaign is new, or differs from what is stored."""
	before = campaign.get_doc_before_save()
	rows = before.get(row.parentfield) if before and row.get("parentfield") else None
	was = next((old for old in rows or [] if old.name == row.name), None)
	fields = set(row.meta.get_valid_columns()).difference(default_fields)
	return was is None or any((was.get(field) or None) != (row.get(field) or None) for field in fields)


def rights_to_preview(campaign) -> FieldRights:
	"""Return the rights of the campaign's owner and of the user who looks at the preview."""
	return FieldRights(campaign.owner, frappe.session.user)
