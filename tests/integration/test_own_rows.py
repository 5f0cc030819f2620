"""A save from a request changes neither the owner, on which rights depend, nor the child rows of another record."""

import json

import frappe
import frappe.client
import pytest
from frappe.desk.form.save import savedocs

from drip_campaigns.hooks import doc_events
from drip_campaigns.site.own_rows import check_own_rows
from tests import factories
from tests.matrix_site import Site, own_doctypes

CHECK = f"{check_own_rows.__module__}.{check_own_rows.__qualname__}"


def written_by_users() -> list[str]:
	"""Return the DocTypes of the app whose records a role may write."""
	metas = [frappe.get_meta(doctype) for doctype in own_doctypes()]
	return [meta.name for meta in metas if any(row.write for row in meta.permissions)]


def test_every_doctype_that_a_role_may_write_is_checked(site):
	assert written_by_users() == sorted(
		name for name, events in doc_events.items() if CHECK in events.get("before_validate", ())
	)


def test_owner_from_a_request_is_refused_for_every_doctype(site, clock):
	rows = Site.make(clock)
	accepted = []
	for doctype in written_by_users():
		shown = json.loads(frappe.as_json(frappe.get_doc(doctype, rows.names[doctype]).as_dict()))
		shown["owner"] = rows.users["other"]
		try:
			savedocs(json.dumps(shown), "Save")
			accepted.append(doctype)
		except frappe.PermissionError as error:
			assert "owner" in str(error)
		frappe.db.rollback()

	assert accepted == []


@pytest.mark.parametrize("way", ["client", "set_value"])
def test_owner_of_a_list_stays_when_another_field_is_saved_with_it(site, way):
	user, other = (factories.make_user(name, "Drip User") for name in ("list-owner", "list-other"))
	frappe.set_user(user)
	target_list = factories.make_list("Drip Test Owned")

	with pytest.raises(frappe.PermissionError):
		if way == "client":
			frappe.client.save({**target_list.as_dict(convert_dates_to_str=True), "owner": other})
		else:
			frappe.client.set_value(
				target_list.doctype, target_list.name, {"description": "x", "owner": other}
			)

	assert frappe.db.get_value(target_list.doctype, target_list.name, "owner") == user


def test_source_of_another_list_cannot_be_taken_over(site):
	victim = factories.make_list("Drip Test Victim")
	victim.append("sources", factories.source(filters=[["first_name", "=", "Nobody"]]))
	victim.save()
	frappe.set_user(factories.make_user("list-owner", "Drip User", "Sales User"))
	own = factories.make_list("Drip Test Thief")
	shown = json.loads(frappe.as_json(own.as_dict()))
	shown["sources"] = [{**json.loads(frappe.as_json(victim.sources[0].as_dict())), "parent": own.name}]

	with pytest.raises(frappe.PermissionError, match="another record"):
		savedocs(json.dumps(shown), "Save")

	assert frappe.db.get_value("Drip Target List Source", victim.sources[0].name, "parent") == victim.name


def test_line_breaks_of_names_and_subjects_become_spaces(site):
	campaign = factories.make_campaign(
		factories.step(0, "Hello\r\nBcc: evil@x.example"), name="Drip Test\r\nBcc: evil@x.example"
	)

	assert campaign.name == "Drip Test Bcc: evil@x.example"
	assert campaign.steps[0].subject == "Hello Bcc: evil@x.example"
	campaign.steps[0].subject = "Again\nX: y"
	campaign.save()
	assert campaign.reload().steps[0].subject == "Again X: y"
	with pytest.raises(frappe.ValidationError, match="line break"):
		frappe.rename_doc("Drip Campaign", campaign.name, "Drip Test\nBcc: evil@x.example")
