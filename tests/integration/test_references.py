"""Names in conditions, filters, values, and actions: a rename is followed, and a deletion is refused with the campaigns."""

import json
import re

import frappe
import pytest

from drip_campaigns.campaign import references
from tests import factories
from tests.factories import step
from tests.trigger_steps import trigger

OLD, NEW = 'Drip Test Old & "Old"', "Drip Test New"


def _tag(name):
	frappe.get_doc(doctype="Tag", name=name).insert(ignore_if_duplicate=True)


def _group(name):
	frappe.get_doc(doctype="Email Group", title=name).insert()


def _salutation(name):
	frappe.get_doc(doctype="Salutation", salutation=name).insert(ignore_if_duplicate=True)


MAKERS = {
	"Tag": _tag,
	"Email Group": _group,
	"Drip Target List": lambda name: factories.make_list(name),
	"Drip Campaign": lambda name: factories.make_campaign(name=name),
	"Salutation": _salutation,
}


def asks(**test) -> str:
	return json.dumps({"match": "all", "tests": [test]})


def action(kind: str, **fields) -> dict:
	return {"step_type": "Action", "action": kind, **fields}


SALUTATION = json.dumps([["Contact", "salutation", "=", OLD]])
# What refers, the DocType of what it refers to, the field of the row that has it, and the values of the campaign
PLACES = {
	"tag of a condition": ("Tag", "conditions", {"steps": [step(0, conditions=asks(kind="tag", tag=OLD))]}),
	"list of a condition": (
		"Drip Target List",
		"conditions",
		{"steps": [step(0, conditions=asks(kind="list", list=OLD, negated=True))]},
	),
	"group of a condition": (
		"Email Group",
		"conditions",
		{"steps": [step(0, conditions=asks(kind="group", group=OLD))]},
	),
	"campaign of a condition": (
		"Drip Campaign",
		"conditions",
		{"steps": [step(0, conditions=asks(kind="campaign", campaign=OLD))]},
	),
	"link of a condition": (
		"Salutation",
		"conditions",
		{
			"steps": [
				step(
					0,
					conditions=asks(
						kind="field", doctype="Contact", field="salutation", operator="=", value=OLD
					),
				)
			]
		},
	),
	"tag of an action": (
		"Tag",
		"action_tag",
		{"steps": [step(0), step(1, **action("Add Tag", action_tag=OLD))]},
	),
	"value of an action": (
		"Salutation",
		"action_value",
		{
			"steps": [
				step(0),
				step(
					1,
					**action(
						"Set Field", action_doctype="Contact", action_field="salutation", action_value=OLD
					),
				),
			]
		},
	),
	"filter of a trigger": (
		"Salutation",
		"filters",
		{"triggers": [trigger("Record Created", filters=SALUTATION)]},
	),
	"value of a trigger": (
		"Salutation",
		"field_value",
		{"triggers": [trigger("Field Reached Value", field_name="salutation", field_value=OLD)]},
	),
	"filter of a goal": (
		"Salutation",
		"goal_filters",
		{"goal": "Record Matches", "goal_recipient_type": "Contact", "goal_filters": SALUTATION},
	),
}


@pytest.fixture(params=PLACES)
def used(request, site):
	"""A record that a campaign refers to: its DocType, the field, and the campaign."""
	doctype, field, values = PLACES[request.param]
	MAKERS[doctype](OLD)
	steps = values.get("steps", [step(0)])
	campaign = factories.make_campaign(*steps, **{key: one for key, one in values.items() if key != "steps"})
	yield doctype, field, campaign
	frappe.db.rollback()
	for name in (OLD, NEW):
		for made in ("Tag", "Salutation"):
			frappe.db.delete(made, {"name": name})
	frappe.db.commit()


def _texts(campaign, field: str) -> list[str]:
	campaign.reload()
	rows = [campaign, *campaign.steps, *campaign.triggers]
	return [str(row.get(field)) for row in rows if row.get(field)]


def test_rename_is_followed(used):
	doctype, field, campaign = used

	frappe.rename_doc(doctype, OLD, NEW, force=True)

	[text] = _texts(campaign, field)
	assert NEW in text and "Drip Test Old" not in text
	campaign.save()  # nothing is missing


def test_deletion_is_refused_and_names_the_campaign(used):
	doctype, _field, campaign = used
	frappe.db.commit()

	with pytest.raises(frappe.LinkExistsError, match=re.escape(campaign.name)):
		frappe.delete_doc(doctype, OLD, force=True)

	frappe.db.rollback()
	assert frappe.db.exists(doctype, OLD)


def test_record_that_only_an_ended_campaign_names_can_be_deleted(used):
	doctype, _field, campaign = used
	campaign.db_set("status", "Ended")

	frappe.delete_doc(doctype, OLD, force=True)

	assert not frappe.db.exists(doctype, OLD)


def test_source_of_a_list_follows_a_rename(site):
	_salutation(OLD)
	target_list = factories.make_list(sources=[factories.source("Contact", json.loads(SALUTATION))])

	frappe.rename_doc("Salutation", OLD, NEW, force=True)

	assert NEW in target_list.reload().sources[0].filters
	with pytest.raises(frappe.LinkExistsError, match=re.escape(target_list.name)):
		frappe.delete_doc("Salutation", NEW, force=True)
	frappe.db.rollback()


def test_field_that_a_condition_asks_for_is_not_deleted(site):
	field = frappe.get_doc(
		doctype="Custom Field", dt="Contact", fieldname="drip_test_level", label="Level", fieldtype="Data"
	).insert()
	try:
		test = asks(kind="field", doctype="Contact", field="drip_test_level", operator="=", value="1")
		campaign = factories.make_campaign(step(0, conditions=test))
		frappe.db.commit()

		with pytest.raises(frappe.LinkExistsError, match=re.escape(campaign.name)):
			field.delete()

		frappe.db.rollback()
		campaign.delete()
		field.delete()
		assert not frappe.db.exists("Custom Field", field.name)
	finally:
		frappe.db.rollback()
		frappe.db.delete("Custom Field", {"name": field.name})
		frappe.clear_cache(doctype="Contact")
		frappe.db.commit()


def test_campaign_that_asks_about_itself_can_be_deleted(site):
	campaign = factories.make_campaign()
	campaign.steps[0].conditions = asks(kind="campaign", campaign=campaign.name)
	campaign.save()

	campaign.delete()

	assert not frappe.db.exists("Drip Campaign", campaign.name)


def test_deletion_of_what_nobody_refers_to_costs_no_statement(site):
	note = frappe.get_doc(doctype="Note", title="Nobody's").insert()
	references.refuse_deletion(note)

	with factories.count_statements() as statements:
		references.refuse_deletion(note)

	assert statements.count == 0
