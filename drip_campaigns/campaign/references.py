"""What campaigns and lists refer to outside of link fields: one registry, for renaming, merging, and deleting.

Frappe follows link fields itself. It does not know names in conditions, filters, values, and lists of users. Each place
below reads one field of a row and passes every reference to a function, which returns the name to write. A field that
a user added is a reference to its Custom Field. Expressions and texts are code: saving the campaign checks them.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _

from drip_campaigns.actions.users import read_users
from drip_campaigns.core.flow.condition_kinds.field import FieldTest
from drip_campaigns.core.model import CampaignStatus
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.people.recipient_types import available_types, is_type
from drip_campaigns.plans.condition_registry import CONDITION_KINDS
from drip_campaigns.site.doc_event_guard import is_silent
from drip_campaigns.site.messages import refuse
from drip_campaigns.triggers.trigger_cache import publish_after_commit

Follow = Callable[[str, str], str]  # DocType and name of a reference; returns the name to write
KEY, KEPT_SECONDS = "drip_campaigns:referred types", 3600
CUSTOM_FIELD = "Custom Field"
_PEOPLE = {"owner": "User", "modified_by": "User"}
_NAMES = ("=", "!=", "in", "not in", "equals")


@dataclass(frozen=True)
class Place:
	"""A field of a row that can hold references, and the function that returns its text with each one followed."""

	doctype: str
	field: str
	rewrite: Callable[[Mapping[str, Any], Follow], str]
	needed: tuple[str, ...] = ()  # other fields of the row that tell what the text is about


@dataclass(frozen=True)
class Reference:
	"""A reference to a record, and the place that has it."""

	doctype: str
	name: str
	where: str
	parent: str  # the campaign or the list


def _conditions(row: Mapping[str, Any], follow: Follow) -> str:
	content = json.loads(row["conditions"])
	for test in content.get("tests") or ():
		kind = test.get("kind")
		known = CONDITION_KINDS.find(kind)
		if kind == FieldTest.kind:
			_follow_test(test, follow)
		elif known and getattr(known, "doctype", None) and test.get(kind):
			test[kind] = follow(known.doctype, test[kind])
	return json.dumps(content)


def _follow_test(test: dict[str, Any], follow: Follow) -> None:
	doctypes = [test["doctype"]] if test.get("doctype") else available_types()
	if link := test.get("link"):
		_follow_field(doctypes, link, follow)
		doctypes = [target for doctype in doctypes if (target := _target_of(doctype, link))]
	test["value"] = _follow_value(doctypes, test["field"], test.get("operator"), test.get("value"), follow)


def _filters_on(*types: str) -> Callable[[Mapping[str, Any], Follow], str]:
	"""Return the function for list filters; `types` are the fields that can name the DocType, the first filled one counts."""

	def rewrite(row: Mapping[str, Any], follow: Follow) -> str:
		[field] = [name for name in ("goal_filters", "filters") if name in row]
		filters = json.loads(row[field])
		if not isinstance(filters, list):
			return row[field]
		doctype = next((row[name] for name in types if row.get(name)), None)
		for one in filters:
			if isinstance(one, list) and len(one) >= 3:
				at = 0 if len(one) == 3 else 1
				about = one[0] if at else doctype
				if about:
					one[at + 2] = _follow_value([about], one[at], one[at + 1], one[at + 2], follow)
		return json.dumps(filters)

	return rewrite


def _value_of(value: str, field: str, type_field: str = "") -> Callable[[Mapping[str, Any], Follow], str]:
	"""Return the function for a value that is compared with a field, or written to it."""

	def rewrite(row: Mapping[str, Any], follow: Follow) -> str:
		doctypes = [row[type_field]] if type_field and row.get(type_field) else available_types()
		return _follow_value(doctypes, row.get(field), "=", row[value], follow)

	return rewrite


def _values(row: Mapping[str, Any], follow: Follow) -> str:
	content = json.loads(row["action_values"])
	if not isinstance(content, dict) or not row.get("action_doctype"):
		return row["action_values"]
	about = [row["action_doctype"]]
	return json.dumps(
		{field: _follow_value(about, field, "=", one, follow) for field, one in content.items()}
	)


def _users(row: Mapping[str, Any], follow: Follow) -> str:
	return "\n".join(follow("User", user) for user in read_users(row["action_users"]))


def _field_only(field: str, type_field: str = "") -> Callable[[Mapping[str, Any], Follow], str]:
	def rewrite(row: Mapping[str, Any], follow: Follow) -> str:
		doctypes = [row[type_field]] if type_field and row.get(type_field) else available_types()
		_follow_field(doctypes, row[field], follow)
		return row[field]

	return rewrite


_STEP, _TRIGGER = "Drip Campaign Step", "Drip Campaign Trigger"
PLACES = (
	Place(_STEP, "conditions", _conditions),
	Place(_STEP, "wait_field", _field_only("wait_field")),
	Place(_STEP, "wait_value", _value_of("wait_value", "wait_field"), ("wait_field",)),
	Place(_STEP, "action_tag", lambda row, follow: follow("Tag", row["action_tag"])),
	Place(_STEP, "action_users", _users),
	Place(_STEP, "action_field", _field_only("action_field", "action_doctype"), ("action_doctype",)),
	Place(
		_STEP,
		"action_value",
		_value_of("action_value", "action_field", "action_doctype"),
		("action_field", "action_doctype"),
	),
	Place(_STEP, "action_values", _values, ("action_doctype",)),
	Place(_TRIGGER, "field_name", _field_only("field_name", "recipient_type"), ("recipient_type",)),
	Place(
		_TRIGGER,
		"field_value",
		_value_of("field_value", "field_name", "recipient_type"),
		("field_name", "recipient_type"),
	),
	Place(
		_TRIGGER,
		"filters",
		_filters_on("recipient_type", "purchase_document"),
		("recipient_type", "purchase_document"),
	),
	Place(
		"Drip Campaign",
		"goal_filters",
		_filters_on("goal_recipient_type", "goal_document"),
		("goal_recipient_type", "goal_document"),
	),
	Place("Drip Target List Source", "filters", _filters_on("recipient_type"), ("recipient_type",)),
)


def find_references(doctype: str = "", name: str = "") -> Iterator[Reference]:
	"""Yield the references of campaigns that have not ended, and of lists: all, or those to one record."""
	for place in PLACES:
		for row in _rows(place, "" if doctype == CUSTOM_FIELD else name):
			found: list[tuple[str, str]] = []
			_rewrite(place, row, lambda kind, one, found=found: found.append((kind, one)) or one)
			for kind, one in found:
				if not doctype or (kind == doctype and one.casefold() == name.casefold()):
					yield Reference(kind, one, _describe(place, row), row.get("parent") or row.name)


def follow_rename(document, _event: str | None, old: str, new: str, _merge: bool = False) -> None:
	"""Write the new name of a renamed or merged record wherever a campaign or a list has the old one."""
	doctype, old, new = document.doctype, str(old), str(new)
	if is_silent() or doctype not in _find_types():
		return

	def follow(kind: str, name: str) -> str:
		return new if kind == doctype and name.casefold() == old.casefold() else name

	for place in PLACES:
		for row in _rows(place, old):
			text = _rewrite(place, row, follow)
			if text != _rewrite(place, row, lambda _kind, name: name):
				write_values(place.doctype, row.name, {place.field: text}, update_modified=False)
				frappe.clear_document_cache(
					row.get("parenttype") or place.doctype, row.get("parent") or row.name
				)
	publish_after_commit()


def refuse_deletion(document, _event: str | None = None) -> None:
	"""Refuse to delete what a campaign or a list refers to, and name them. People can always be deleted."""
	doctype = document.doctype
	if is_silent() or is_type(doctype) or doctype not in _find_types():
		return
	name = str(document.name)
	others = [found for found in find_references(doctype, name) if found.parent != name]
	places = list(dict.fromkeys(found.where for found in others))
	if places:
		refuse(
			_("{0} {1} is used by {2}. Change that first, then delete it."),
			_(doctype),
			document.name,
			", ".join(places),
			title=_("In Use"),
			exc=frappe.LinkExistsError,
		)


def forget(_document=None, _event: str | None = None) -> None:
	"""Clear the cache, now and after the commit, because a campaign or a list changed."""
	frappe.cache.delete_value(KEY)
	frappe.db.after_commit.add(lambda: frappe.cache.delete_value(KEY))


def _find_types() -> set[str]:
	"""Return the DocTypes to which something refers: one look-up in Redis, because every deletion asks."""
	found = frappe.cache.get_value(KEY, expires=True)
	if found is None:
		found = sorted({one.doctype for one in find_references()})
		frappe.cache.set_value(KEY, found, expires_in_sec=KEPT_SECONDS)
	return set(found)


def _rows(place: Place, name: str) -> list[frappe._dict]:
	"""Return the rows whose field is filled; with a name, those that can contain it."""
	is_child = place.doctype != "Drip Campaign"
	fields = ["name", place.field, *place.needed, *(("parent", "parenttype") if is_child else ("status",))]
	filters = [[place.doctype, place.field, "is", "set"]]
	rows = frappe.get_all(place.doctype, filters=filters, fields=list(dict.fromkeys(fields)), order_by=None)
	parents = {row.parent for row in rows} if is_child else {row.name for row in rows}
	whole = {"name": ["in", sorted(parents)], "status": CampaignStatus.ENDED.value}
	ended = set(frappe.get_all("Drip Campaign", filters=whole, pluck="name")) if parents else set()
	wanted = json.dumps(name)[1:-1].casefold()
	return [
		row
		for row in rows
		if not (row.get("parenttype") != "Drip Target List" and (row.get("parent") or row.name) in ended)
		and (name.casefold() in row[place.field].casefold() or wanted in row[place.field].casefold())
	]


def _rewrite(place: Place, row: Mapping[str, Any], follow: Follow) -> str:
	try:
		return place.rewrite(row, follow)
	except (
		ValueError,
		TypeError,
		KeyError,
		AttributeError,
	):  # saving the campaign reports what cannot be read
		return row[place.field]


def _describe(place: Place, row: frappe._dict) -> str:
	label = _(frappe.get_meta(place.doctype).get_label(place.field))
	return f"{_(row.get('parenttype') or place.doctype)} {row.get('parent') or row.name} ({label})"


def _follow_field(doctypes: list[str], field: str, follow: Follow) -> None:
	for doctype in doctypes:
		found = frappe.get_meta(doctype).get_field(field) if field else None
		if found and found.get("is_custom_field"):
			follow(CUSTOM_FIELD, f"{doctype}-{field}")


def _target_of(doctype: str, field: str) -> str | None:
	if field in _PEOPLE:
		return _PEOPLE[field]
	found = frappe.get_meta(doctype).get_field(field)
	return found.options if found and found.fieldtype == "Link" else None


def _follow_value(doctypes: list[str], field: str, operator: str | None, value: Any, follow: Follow) -> Any:
	"""Return the value of a comparison with a field, with the names followed if the field is a link."""
	_follow_field(doctypes, field, follow)
	if field == "name":
		target = doctypes[0] if len(doctypes) == 1 else None
	else:
		target = next((found for doctype in doctypes if (found := _target_of(doctype, field))), None)
	if not target or not value or str(operator or "=").lower() not in _NAMES:
		return value
	if isinstance(value, list):
		return [follow(target, str(one)) for one in value]
	if "in" in str(operator).lower().split():
		return ",".join(follow(target, one.strip()) for one in str(value).split(","))
	return follow(target, str(value))
