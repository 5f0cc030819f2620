"""Target lists over HTTP methods: who may refresh, cancel, resume, read and include them, and what they answer."""

import json

import frappe
import pytest

from drip_campaigns.api import lists as api
from tests import factories
from tests.factories import DOMAIN


@pytest.fixture
def users(site) -> dict[str, str]:
	"""One user for each part that is played."""
	return {
		"manager": factories.make_user("manager", "Drip Manager", "Sales User"),
		"owner": factories.make_user("owner", "Drip User", "Sales User"),
		"other": factories.make_user("other", "Drip User", "Sales User"),
		"stranger": factories.make_user("stranger", "Sales User"),
		"Guest": "Guest",
	}


@pytest.fixture
def target_list(users):
	"""A list that `owner` made, with one member."""
	factories.make_contact("Ada", f"ada@{DOMAIN}")
	frappe.set_user(users["owner"])
	target_list = factories.make_list("Drip Test Owned", sources=[factories.source()])
	frappe.set_user("Administrator")
	factories.refresh(target_list)
	return target_list


WRITERS, READERS = {"manager", "owner"}, {"manager", "owner", "other"}
MAY_CALL = {
	"refresh_list": WRITERS,
	"cancel_refresh": WRITERS,
	"resume_refresh": WRITERS,
	"get_list_state": READERS,
	"find_everybody_in": READERS,
	"include_list": WRITERS,
	"confirm_first_refresh": WRITERS,
	"add_to_list": READERS,
}


def arguments(method: str, target_list, users) -> dict:
	"""Return what a method is called with."""
	if method == "resume_refresh":
		run = frappe.get_last_doc("Drip Target List Refresh")
		run.db_set("status", "Cancelled")
		return {"run": run.name}
	if method == "confirm_first_refresh":
		run = frappe.get_last_doc("Drip Target List Refresh")
		run.db_set("awaiting_decision", 1)
		return {"run": run.name, "enroll": False}
	if method == "add_to_list":
		names = json.dumps([factories.make_contact().name])
		return {"target_list": target_list.name, "recipient_type": "Contact", "names": names}
	if method == "find_everybody_in":
		return {"sources": "[]"}
	if method == "include_list":
		frappe.set_user(users["owner"])
		campaign = factories.make_campaign()
		frappe.set_user("Administrator")
		return {"target_list": target_list.name, "campaign": campaign.name}
	return {"target_list": target_list.name}


@pytest.mark.parametrize("who", ["manager", "owner", "other", "stranger", "Guest"])
@pytest.mark.parametrize("method", MAY_CALL)
def test_methods_are_for_those_who_may(method, who, target_list, users):
	values = arguments(method, target_list, users)
	frappe.set_user(users[who])

	if who in MAY_CALL[method]:
		getattr(api, method)(**values)
		return
	with pytest.raises(frappe.PermissionError):
		getattr(api, method)(**values)


def test_state_says_how_many_are_on_the_list_and_how_the_refresh_went(target_list):
	state = api.get_list_state(target_list.name)

	assert (state["members"], state["opted_out"], state["dropped_out"]) == (1, 0, 0)
	assert state["by_type"] == {"Contact": 1}
	assert (state["run"].status, state["run"].joined) == ("Completed", 1)


def test_including_a_list_twice_is_once_and_says_who_is_on_it(target_list, clock):
	campaign = factories.make_active_campaign(clock)

	first = api.include_list(target_list.name, campaign.name, "Continue")
	second = api.include_list(target_list.name, campaign.name)

	[row] = campaign.reload().target_lists
	assert (row.target_list, row.when_left) == (target_list.name, "Continue")
	assert first == second
	assert [found["count"] for found in first["existing"]] == [1]


@pytest.mark.parametrize(
	("values", "words"),
	[({"when_left": "Explode"}, "“Explode” isn't an option"), ({"status": "Ended"}, "has ended")],
)
def test_including_what_cannot_be_is_refused(target_list, clock, values, words):
	campaign = factories.make_active_campaign(clock)
	campaign.db_set("status", values.pop("status", "Active"))

	with pytest.raises(frappe.ValidationError) as caught:
		api.include_list(target_list.name, campaign.name, **values)

	assert words in str(caught.value)


@pytest.mark.parametrize("sources", ["{", "5", '["x"]'])
def test_sources_that_cannot_be_read_are_an_error_and_not_a_crash(site, sources):
	with pytest.raises(frappe.ValidationError) as caught:
		api.find_everybody_in(sources)

	assert "The sources cannot be read" in str(caught.value)


def test_everybody_is_counted(site, monkeypatch):
	monkeypatch.setattr("drip_campaigns.lists.check.EVERYBODY_FROM", 1)
	monkeypatch.setattr("drip_campaigns.people.audience.EVERYBODY_FROM", 1)
	factories.make_contact()

	found = api.find_everybody_in(json.dumps([factories.source(filters=[])]))

	assert found == {"recipient_type": "Contact", "count": factories.count("Contact")}
