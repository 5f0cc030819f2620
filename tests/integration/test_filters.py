"""Filters that users choose or type: a bad one is a clear error, and none asks about what the user may not read."""

import json

import frappe
import pytest

from drip_campaigns.api import desk, results
from drip_campaigns.api import enroll as enroll_api
from drip_campaigns.api import lists as lists_api
from drip_campaigns.api import triggers as triggers_api
from drip_campaigns.core.errors import DripError
from drip_campaigns.exit_rules.find_exits import ExitRules
from drip_campaigns.lists.sources import make_source
from drip_campaigns.people.list_filters import InvalidFiltersError, check_filters, read_filters
from drip_campaigns.site.clock import to_site
from tests import factories

BAD = {
	"{": "not JSON",
	"5": "not a list",
	'"name"': "not a list",
	"[5]": "filter 1 is not a list",
	'[["name"]]': "filter 1 is not a list",
	'[["name", "="]]': "filter 1 is not a list",
	'[["nothing", "=", "x"]]': "Contact has no field nothing",
	'[["__class__", "=", "x"]]': "Contact has no field __class__",
	'[["name; drop table", "=", "x"]]': "has no field",
	'[[["name"], "=", "x"]]': "the field is not a name",
	'[["User", "name", "=", "x"]]': "Contact has no table of User",
	'[["Nothing", "name", "=", "x"]]': "Contact has no table of Nothing",
	'[["name", "~", "x"]]': "“~” is not an operator",
	'[["name", ["="], "x"]]': "is not an operator",
	'[["name", null, "x"]]': "is not an operator",
	'[["name", "=", {"a": 1}]]': "needs one value",
	'[["name", "=", ["x"]]]': "needs one value",
	'[["name", "in", [["x"]]]]': "the value is nested",
	'[["name", "in", null]]': "needs a list",
	'[["creation", "between", ["2026-01-01"]]]': "needs two values",
	'[["name", "is", "maybe"]]': "“is” needs",
	'[["creation", "timespan", "last eon"]]': "“last eon” is not a timespan",
	'[["creation", ">", "rubbish"]]': None,
	'[["creation", "between", ["x", "y"]]]': "The filters cannot be used",
	"[" * 3000 + "]" * 3000: "The filters cannot be used",
}


@pytest.mark.parametrize("filters", BAD)
def test_bad_filters_are_a_clear_error_everywhere(site, filters):
	calls = (
		lambda: desk.count_recipients("Contact", filters),
		lambda: enroll_api.preview_enrollment(campaign.name, "Contact", filters),
		lambda: enroll_api.explain_enrollment(campaign.name, "Contact", "x", filters),
		lambda: lists_api.find_everybody_in(
			json.dumps([{"kind": "Filters", "recipient_type": "Contact", "filters": filters}])
		),
		lambda: results.make_list_of_events("Drip Test Bad", filters.replace('"name"', '"enrollment"')),
	)
	campaign = factories.make_campaign()
	for call in calls:
		try:
			call()
		except frappe.ValidationError as error:
			assert str(error)
	if BAD[filters]:
		with pytest.raises(InvalidFiltersError, match=".*Clear them and choose again"):
			check_filters("Contact", filters, "Administrator")
		with pytest.raises(InvalidFiltersError) as caught:
			check_filters("Contact", filters, "Administrator")
		assert BAD[filters] in str(caught.value)


@pytest.mark.parametrize(
	"filters",
	[
		'{"first_name": "Ada"}',
		{"first_name": "Ada"},
		{"first_name": ["like", "Ada%"]},
		'[["first_name", "=", "Ada"]]',
		'[["Contact", "first_name", "=", "Ada", false]]',
		[["Contact Email", "email_id", "like", "ada@%"]],
		[["first_name", "IN", ["Ada", "Bob"]]],
		[["first_name", "in", "Ada,Bob"]],
		[["creation", "Timespan", "today"]],
		[["_user_tags", "is", "not set"]],
	],
)
def test_filters_are_taken_as_lists_take_them(site, filters):
	factories.make_contact("Ada", f"ada@{factories.DOMAIN}")

	rows = check_filters("Contact", filters, "Administrator")

	assert [len(row) for row in rows] == [4]
	assert frappe.get_all("Contact", filters=rows)


@pytest.mark.parametrize("field", ["api_key", "reset_password_key", "new_password", "api_secret"])
def test_nobody_asks_about_secrets(site, field):
	with pytest.raises(InvalidFiltersError) as caught:
		check_filters("User", [[field, "like", "a%"]], "Administrator")

	assert "holds a secret" in str(caught.value)


def test_field_on_a_level_that_the_user_may_not_read_is_refused(site):
	user = factories.make_user("filter-user", "Drip User")

	with pytest.raises(InvalidFiltersError) as caught:
		check_filters("User", [["restrict_ip", "=", "10.0.0.1"]], user)

	assert f"{user} may not read the field Restrict IP of User. Remove the filter." in str(caught.value)
	assert check_filters("User", [["restrict_ip", "=", "10.0.0.1"]], "Administrator")


def test_trigger_that_asks_about_a_forbidden_field_is_not_saved(site):
	frappe.set_user(factories.make_user("filter-user", "Drip User"))

	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(triggers=[new_users([["User", "api_key", "like", "a%"]])])

	assert "holds a secret" in str(caught.value)


def test_owner_counts_too_when_a_manager_chooses_the_filters(site):
	frappe.set_user(factories.make_user("filter-user", "Drip User"))
	campaign = factories.make_campaign()
	frappe.set_user("Administrator")
	campaign.append("triggers", new_users([["User", "restrict_ip", "=", "10.0.0.1"]]))

	with pytest.raises(frappe.ValidationError) as caught:
		campaign.save()

	assert "filter-user@" in str(caught.value)


def test_counting_who_met_a_trigger_counts_only_who_may_be_read(site):
	user = factories.make_user("filter-user", "Drip User")
	frappe.set_user(user)
	campaign = factories.make_campaign(triggers=[new_users([["User", "email", "!=", user]])])

	assert triggers_api.count_existing(campaign.name) == []

	frappe.set_user("Administrator")
	assert triggers_api.count_existing(campaign.name) == []  # the owner may still read nobody
	campaign.db_set("owner", "Administrator")
	[found] = triggers_api.count_existing(campaign.name)
	assert found["count"] > 1


def new_users(filters: list) -> dict:
	return {"kind": "Record Created", "recipient_type": "User", "enabled": 1, "filters": json.dumps(filters)}


def test_source_of_a_list_whose_owner_lost_the_right_is_an_error_and_not_empty(site):
	"""An empty source would remove everyone from the list."""
	frappe.set_user(factories.make_user("filter-user", "Drip User"))
	row = frappe._dict(kind="Email Group", email_group="Drip Test Group")

	with pytest.raises(DripError) as caught:
		make_source(row)

	assert "may not read Email Group Member records" in str(caught.value)


def test_filters_that_no_longer_work_say_so_when_a_rule_runs(site, clock):
	campaign = factories.make_active_campaign(clock)
	campaign.goal, campaign.goal_recipient_type = "Record Matches", "Contact"
	campaign.goal_filters = '[["Contact", "gone", "=", 1]]'
	row = {"name": "x", "recipient_type": "Contact", "recipient": "y", "target_list": None}
	row |= dict.fromkeys(("started_at", "creation"), to_site(clock.now))

	with pytest.raises(DripError) as caught:
		ExitRules(campaign).find([row], clock.now)

	assert "Contact has no field gone" in str(caught.value)


def test_reading_filters_of_a_doctype_that_is_gone_is_an_error(site):
	with pytest.raises(InvalidFiltersError, match="this site has no Nothing records"):
		read_filters("Nothing", "[]")
