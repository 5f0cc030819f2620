"""Who may do what: Drip Managers everything, Drip Users their own campaigns but not activating, others nothing."""

import frappe
import pytest
from frappe.permissions import add_permission, reset_perms, update_permission_property

from drip_campaigns.api import desk
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.site.clock import utc_now
from tests import factories, verbs
from tests.factories import DOMAIN

WRITERS = {"manager", "owner"}
READERS = {"manager", "owner", "other"}
# Who may call a method of api/desk.py: `owner` made the campaign, `other` is a Drip User too, `stranger` has no role of ours.
MAY_CALL = {
	"activate_campaign": {"manager"},
	"resume_campaign": {"manager"},
	"pause_campaign": WRITERS,
	"end_campaign": WRITERS,
	"retry_failed": WRITERS,
	"send_missed": WRITERS,
	"enroll_recipient": READERS,
	"pause_enrollment": WRITERS,
	"resume_enrollment": WRITERS,
	"remove_enrollment": WRITERS,
	"resubscribe_enrollment": {"manager"},
	"lift_suppression": {"manager"},
	"renew_suppression": {"manager"},
	"preview_step": READERS,
	"send_test": WRITERS,
	"get_recipient_types": READERS,
	"count_recipients": READERS,
	"get_campaign_summary": READERS,
	"get_enrollment_schedule": WRITERS,
	"run_dispatch": {"manager"},
}

REASON_OF = {"lift_suppression": "because", "renew_suppression": "note"}


@pytest.fixture
def people(site) -> dict[str, str]:
	"""One user for each part that is played."""
	return {
		"manager": factories.make_user("manager", "Drip Manager", "Sales User"),
		"owner": factories.make_user("owner", "Drip User", "Sales User"),
		"other": factories.make_user("other", "Drip User", "Sales User"),
		"stranger": factories.make_user("stranger", "Sales User"),
		"Guest": "Guest",
	}


@pytest.fixture
def campaign(people, clock):
	"""An active campaign that `owner` made, with one enrollment."""
	campaign = make_campaign_of(people["owner"])
	desk.activate_campaign(campaign.name)
	factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	return campaign.reload()


def make_campaign_of(user: str):
	"""Make a draft as `user`, and go on as Administrator."""
	frappe.set_user(user)
	campaign = factories.make_campaign()
	frappe.set_user("Administrator")
	frappe.db.commit()
	return campaign


def prepare(method: str, campaign) -> dict:
	"""Bring the campaign into the state in which `method` makes sense, and return its arguments."""
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	if method in ("resume_campaign", "activate_campaign") and campaign.reload().status == "Active":
		desk.pause_campaign(campaign.name)
	if method == "resume_enrollment" and enrollment.status != "Paused":
		desk.pause_enrollment(enrollment.name)
	frappe.db.commit()
	if method in ("get_recipient_types", "run_dispatch"):
		return {}
	if method == "count_recipients":
		return {"recipient_type": "Contact"}
	if method == "resubscribe_enrollment":
		verbs.unsubscribe(enrollment, utc_now())
		frappe.db.commit()
		return {"enrollment": enrollment.name, "because": "They asked for it."}
	if method in REASON_OF:
		return {"suppression": suppression_of(enrollment), REASON_OF[method]: "They asked for it."}
	return arguments_of(method, campaign, enrollment)


def arguments_of(method: str, campaign, enrollment) -> dict:
	"""Return the arguments of a method about a campaign or an enrollment."""
	if method.endswith("_enrollment") or method == "get_enrollment_schedule":
		return {"enrollment": enrollment.name}
	step = {"step": campaign.steps[0].name}
	further = {
		"enroll_recipient": {"recipient_type": "Contact", "recipient": factories.make_contact().name},
		"preview_step": step,
		"send_test": {**step, "email_address": f"me@{DOMAIN}"},
	}
	return {"campaign": campaign.name, **further.get(method, {})}


def suppression_of(enrollment) -> str:
	"""Suppress an address of somebody else, once, and return the record's name."""
	suppress(f"other-{enrollment.name}@{DOMAIN}", SuppressionReason.MANUAL, utc_now(), source="test")
	frappe.db.commit()
	return frappe.get_last_doc("Drip Suppression").name


@pytest.mark.parametrize("method", MAY_CALL)
def test_method_of_the_desk_can_be_called_by_those_who_may_and_nobody_else(people, campaign, method):
	allowed = set()
	for name, user in people.items():
		frappe.set_user("Administrator")
		arguments = prepare(method, campaign)
		frappe.set_user(user)
		try:
			getattr(desk, method)(**arguments)
			allowed.add(name)
		except frappe.PermissionError:
			continue
		finally:
			frappe.db.rollback()

	assert allowed == MAY_CALL[method]


@pytest.mark.parametrize(
	("permission", "who"),
	[
		("create", {"manager", "owner", "other"}),
		("read", {"manager", "owner", "other"}),
		("write", {"manager", "owner"}),
		("delete", {"manager", "owner"}),
	],
)
def test_campaigns_are_read_by_all_users_and_written_by_their_owner(people, permission, who):
	campaign = make_campaign_of(people["owner"])

	allowed = {
		name
		for name, user in people.items()
		if frappe.has_permission("Drip Campaign", permission, campaign, user=user)
	}

	assert allowed == who


def test_user_saves_and_deletes_an_own_campaign(people):
	campaign = make_campaign_of(people["owner"])
	frappe.set_user(people["owner"])

	campaign.description = "changed"
	campaign.save()
	frappe.delete_doc("Drip Campaign", campaign.name)

	assert not frappe.db.exists("Drip Campaign", campaign.name)


def test_user_does_not_save_the_campaign_of_another(people):
	campaign = make_campaign_of(people["owner"])
	frappe.set_user(people["other"])

	campaign.description = "changed"
	with pytest.raises(frappe.PermissionError):
		campaign.save()
	with pytest.raises(frappe.PermissionError):
		frappe.delete_doc("Drip Campaign", campaign.name)

	assert not frappe.db.get_value("Drip Campaign", campaign.name, "description")


@pytest.mark.parametrize("who", ["manager", "owner", "Administrator"])
def test_new_campaign_is_a_draft_whoever_makes_it_and_whatever_the_request_says(people, who):
	frappe.set_user(people.get(who, who))

	campaign = factories.make_campaign(status="Active")

	assert frappe.db.get_value("Drip Campaign", campaign.name, "status") == "Draft"


def test_copy_of_an_active_campaign_is_a_draft_without_people(people, campaign):
	copy = frappe.copy_doc(campaign)
	copy.campaign_name = "Drip Test Copy"

	copy.insert()

	assert copy.status == "Draft"
	assert factories.count("Drip Enrollment", campaign=copy.name) == 0
	assert {row.name for row in copy.steps}.isdisjoint(row.name for row in campaign.steps)


def test_user_does_not_activate_by_saving_the_form(people):
	campaign = make_campaign_of(people["owner"])
	frappe.set_user(people["owner"])

	campaign.status = "Active"
	campaign.save()

	assert frappe.db.get_value("Drip Campaign", campaign.name, "status") == "Draft"


def test_manager_does_not_go_round_the_checks_of_activating_by_saving_the_form(people):
	campaign = make_campaign_of(people["owner"])
	frappe.set_user(people["manager"])

	campaign.status = "Active"
	with pytest.raises(frappe.ValidationError) as caught:
		campaign.save()

	assert "Activate" in str(caught.value)
	assert frappe.db.get_value("Drip Campaign", campaign.name, "status") == "Draft"


def test_user_is_told_whom_to_ask_for_activating(people):
	campaign = make_campaign_of(people["owner"])
	frappe.set_user(people["owner"])

	with pytest.raises(frappe.PermissionError) as caught:
		desk.activate_campaign(campaign.name)

	assert f"You may not activate campaigns. Ask a Drip Manager to activate {campaign.name}." in str(
		caught.value
	)


@pytest.fixture
def activating_for_users(people):
	"""Write permission on level 1 of Drip Campaign for Drip Users, given as an administrator gives it."""
	add_permission("Drip Campaign", "Drip User", 1)
	update_permission_property("Drip Campaign", "Drip User", 1, "write", 1, validate=False)
	frappe.clear_cache(doctype="Drip Campaign")
	yield
	frappe.set_user("Administrator")
	reset_perms("Drip Campaign")
	frappe.db.commit()
	frappe.clear_cache(doctype="Drip Campaign")


def test_user_activates_once_the_right_is_given_in_role_permissions(people, activating_for_users):
	campaign = make_campaign_of(people["owner"])
	frappe.set_user(people["owner"])

	desk.activate_campaign(campaign.name)

	assert frappe.db.get_value("Drip Campaign", campaign.name, "status") == "Active"


def enroll_as(user: str, campaign, contact, **fields):
	"""Enroll by the form: insert a Drip Enrollment with the rights of `user`."""
	frappe.set_user(user)
	return frappe.get_doc(
		doctype="Drip Enrollment",
		campaign=campaign.name,
		recipient_type="Contact",
		recipient=contact.name,
		**fields,
	).insert()


@pytest.mark.parametrize("who", ["manager", "owner", "other"])
def test_user_enrolls_into_any_campaign(people, campaign, who):
	contact = factories.make_contact("Bob")

	enrollment = enroll_as(people[who], campaign, contact)

	assert (enrollment.status, enrollment.email_address, enrollment.owner) == (
		"In Progress",
		contact.email_id,
		people[who],
	)
	assert enrollment.sender == people[who]


@pytest.mark.parametrize("who", ["stranger", "Guest"])
def test_others_enroll_nobody(people, campaign, who):
	contact = factories.make_contact("Bob")

	with pytest.raises(frappe.PermissionError):
		enroll_as(people[who], campaign, contact)

	frappe.set_user("Administrator")
	assert factories.count("Drip Enrollment", recipient=contact.name) == 0


def test_record_that_a_user_may_not_read_is_not_enrolled_and_not_shown(people, campaign):
	contact = factories.make_contact("Secret", f"secret@{DOMAIN}")
	frappe.db.commit()
	blind = factories.make_user("blind", "Drip User")

	with pytest.raises(frappe.PermissionError) as caught:
		enroll_as(blind, campaign, contact)
	with pytest.raises(frappe.PermissionError):
		desk.preview_step(campaign.name, campaign.steps[0].name, "Contact", contact.name)

	assert "secret@" not in str(caught.value)


def test_user_of_an_enrollment_may_not_delete_it(people, campaign):
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	frappe.set_user(people["owner"])

	with pytest.raises(frappe.PermissionError):
		frappe.delete_doc("Drip Enrollment", enrollment.name)

	assert frappe.db.exists("Drip Enrollment", enrollment.name)


@pytest.mark.parametrize(
	("field", "value"),
	[
		("status", "Completed"),
		("next_send_at", "2030-01-01 00:00:00"),
		("live_address", None),
		("email_address", f"else@{DOMAIN}"),
		("attempts", 3),
	],
)
def test_state_of_an_enrollment_is_not_changed_by_saving_it(people, campaign, field, value):
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	before = enrollment.get(field)
	frappe.set_user(people["manager"])

	enrollment.set(field, value)
	with pytest.raises(frappe.ValidationError) as caught:
		enrollment.save()

	assert enrollment.meta.get_label(field) in str(caught.value)
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, field) == before


def test_sender_of_an_enrollment_can_be_changed_by_who_may_write_the_campaign(people, campaign):
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	frappe.set_user(people["manager"])

	enrollment.sender = people["manager"]
	enrollment.save()

	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "sender") == people["manager"]


@pytest.mark.parametrize("doctype", ["Drip Email", "Drip Event"])
@pytest.mark.parametrize("permission", ["create", "write", "delete"])
def test_log_is_read_only_for_every_role(people, doctype, permission):
	system_manager = factories.make_user("admin", "System Manager")
	users = [*people.values(), system_manager]

	allowed = [user for user in users if frappe.has_permission(doctype, permission, user=user)]

	assert allowed == []


def test_settings_are_read_by_users_and_written_by_managers(people):
	write, read = (
		{name for name, user in people.items() if frappe.has_permission("Drip Settings", right, user=user)}
		for right in ("write", "read")
	)

	assert (write, read) == ({"manager"}, {"manager", "owner", "other"})


def test_app_stands_on_the_screen_of_those_who_have_a_role_of_it(people):
	seen = set()
	for name, user in people.items():
		frappe.set_user(user)
		if desk.may_open_app():
			seen.add(name)

	assert seen == {"manager", "owner", "other"}


@pytest.fixture
def signed_in(web, people):
	"""A browser in which the manager has signed in."""
	from frappe.utils.password import update_password

	from tests.web import Browser

	update_password(people["manager"], "drip-test-pass")
	frappe.db.commit()
	return Browser(web).sign_in(people["manager"], "drip-test-pass")


READS = ("get_recipient_types", "count_recipients", "get_campaign_summary", "get_enrollment_schedule")


def test_what_writes_is_not_done_by_get_and_nothing_is_done_for_guests(web, signed_in, campaign):
	from tests.web import Browser

	before = frappe.db.get_value("Drip Campaign", campaign.name, "modified")

	for method in MAY_CALL:
		path = f"/api/method/drip_campaigns.api.desk.{method}?campaign={campaign.name}"
		if method not in READS:
			assert signed_in.get(path).status == 403, method
		assert Browser(web).get(path).status == 403, method
		assert Browser(web).post(path, {}).status == 403, method

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Campaign", campaign.name, "modified") == before


def test_reading_method_answers_a_get_over_http(signed_in, campaign):
	answer = signed_in.get(
		f"/api/method/drip_campaigns.api.desk.get_campaign_summary?campaign={campaign.name}"
	)

	assert answer.status == 200
	assert answer.json()["message"]["enrollments"] == {"In Progress": 1}


def test_refusal_reaches_the_desk_as_a_message_with_title_and_remedy(signed_in, campaign):
	answer = signed_in.post(
		"/api/method/drip_campaigns.api.desk.activate_campaign", {"campaign": campaign.name}
	)

	assert answer.status == 417
	assert "Not possible" in answer.text
	assert "is Active and cannot be activated. Reload the form to see its state." in answer.text


def test_wrong_kind_of_argument_is_refused_before_anything_is_done(signed_in, campaign):
	answer = signed_in.post(
		"/api/method/drip_campaigns.api.desk.pause_campaign", {"campaign": ["a", "b"]}, as_json=True
	)

	assert answer.status in (400, 417)
	assert frappe.db.get_value("Drip Campaign", campaign.name, "status") == "Active"
