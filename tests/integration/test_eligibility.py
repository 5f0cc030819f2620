"""One eligibility: the form, a bulk run, the preview, Why Not?, and the guard give the same reason for the same person."""

import json
from collections.abc import Callable

import frappe
import pytest

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.dispatch.guard import Guard, Stop
from drip_campaigns.enrollment.eligibility import RULES, RULES_LATER
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.enrollment.preview import preview_audience
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.enrollment.why_not import explain
from drip_campaigns.people.opt_outs import record_opt_out
from drip_campaigns.plans.enrollment_rows import ENROLLMENT_FIELDS
from tests import factories, verbs
from tests.factories import DOMAIN, step

ADA = f"ada@{DOMAIN}"


def opt_out(campaign, _contact, _clock) -> None:
	"""The person unsubscribes, and no enrollment knows of it yet."""
	frappe.get_doc(
		doctype="Email Unsubscribe",
		email=ADA,
		reference_doctype="Drip Campaign",
		reference_name=campaign.name,
	).db_insert()


def suppress_address(_campaign, _contact, clock) -> None:
	"""A user suppresses the address."""
	suppress(ADA, SuppressionReason.MANUAL, clock.now, source="test")


def opt_out_and_suppress(campaign, contact, clock) -> None:
	"""The person unsubscribes, and the address is suppressed because of a complaint."""
	record_opt_out(campaign.name, ADA)
	suppress(ADA, SuppressionReason.COMPLAINT, clock.now, source="test")


def flag(_campaign, contact, _clock) -> None:
	"""The record is marked as unsubscribed."""
	frappe.db.set_value("Contact", contact.name, "unsubscribed", 1)


def flag_and_suppress(campaign, contact, clock) -> None:
	"""The record is marked, and the address is suppressed."""
	flag(campaign, contact, clock)
	suppress_address(campaign, contact, clock)


def exclude(campaign, _contact, _clock) -> None:
	"""The campaign excludes the address."""
	campaign.reload().append("exclusions", {"kind": "Email Address", "value": ADA})
	campaign.save()


def exclude_and_flag(campaign, contact, clock) -> None:
	"""The campaign excludes the address, and the record is marked."""
	exclude(campaign, contact, clock)
	flag(campaign, contact, clock)


def break_address(_campaign, contact, _clock) -> None:
	"""The record has an address that is not valid."""
	frappe.db.set_value("Contact", contact.name, "email_id", "ada@")


def take_address(campaign, contact, clock) -> None:
	"""The record gets the address of another person in the campaign."""
	other = factories.make_contact("Other")
	factories.enroll(campaign, other, clock)
	frappe.db.set_value("Contact", contact.name, "email_id", other.email_id)


SITUATIONS: dict[str, tuple[Callable, str]] = {
	"unsubscribed": (opt_out, "has unsubscribed"),
	"suppressed": (suppress_address, "is suppressed by a user"),
	"both unsubscribed and suppressed": (opt_out_and_suppress, "has unsubscribed"),
	"flagged": (flag, "is marked as unsubscribed"),
	"flagged and suppressed": (flag_and_suppress, "is suppressed by a user"),
	"excluded": (exclude, f"has the address {ADA}, which the campaign excludes"),
	"excluded and flagged": (exclude_and_flag, "is marked as unsubscribed"),
	"no valid address": (break_address, "has no valid email address"),
	"address of another person": (take_address, "has the same address as another record in the campaign"),
}


def as_sentence(cause: str) -> str:
	return cause[:1].upper() + cause[1:]


def reason_of_form(campaign, contact, clock, **options) -> str:
	with pytest.raises(frappe.ValidationError) as caught:
		verbs.enroll(campaign.name, "Contact", contact.name, clock.now, **options)
	return str(caught.value)


def reason_of_bulk(campaign, contact, clock, **options) -> str:
	[result] = enroll_many(campaign.name, "Contact", [contact.name], clock.now, **options)
	[reason] = result.refused
	return reason


def reason_of_preview(campaign, contact, clock) -> str:
	filters = json.dumps([["Contact", "name", "=", contact.name]])
	[row] = preview_audience(campaign.name, "Contact", filters, clock.now)["refused"]
	return row["reason"]


def reason_of_why_not(campaign, contact, clock) -> str:
	checks = explain(campaign.name, "Contact", contact.name, clock.now)["checks"]
	return next(check["finding"] for check in checks if not check["is_met"])


def reason_of_guard(campaign, enrollment) -> str:
	row = frappe.db.get_value("Drip Enrollment", enrollment.name, ENROLLMENT_FIELDS, as_dict=True)
	try:
		stop = Guard(campaign.reload(), [row]).check(row)
	except DripError as error:
		return str(error)
	assert isinstance(stop, Stop)
	return stop.detail


def reason_of_resume(enrollment, clock) -> str:
	with pytest.raises(Exception) as caught:
		verbs.resume(enrollment, clock.now)
	return str(caught.value)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_reason_is_the_same_wherever_a_new_person_is_judged(site, clock, situation):
	bring_about, cause = SITUATIONS[situation]
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", ADA)
	bring_about(campaign, contact, clock)

	reasons = {
		find.__name__: find(campaign, contact, clock)
		for find in (reason_of_bulk, reason_of_preview, reason_of_why_not)
	}
	form = reason_of_form(campaign, contact, clock)

	assert reasons == dict.fromkeys(reasons, as_sentence(cause))
	assert form.startswith(f"Contact Ada {cause}. ")


@pytest.mark.parametrize("situation", SITUATIONS)
def test_reason_is_the_same_before_an_email_and_when_an_enrollment_is_resumed(site, clock, situation):
	bring_about, cause = SITUATIONS[situation]
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", ADA)
	enrollment = factories.enroll(campaign, contact, clock)
	verbs.remove(enrollment, clock.now)
	bring_about(campaign, contact, clock)

	guard, resume = reason_of_guard(campaign, enrollment), reason_of_resume(enrollment, clock)

	assert f" {cause}." in guard
	assert resume.startswith(f"Contact Ada {cause}. ")


def test_list_from_which_a_person_unsubscribed_is_the_same_reason_everywhere(site, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", ADA)
	news = factories.make_list("Drip Test News", contact)
	enrollment = factories.enroll(campaign, contact, clock, target_list=news.name)
	unsubscribe_from_list(news.name, ADA, clock.now)
	through = {"target_list": news.name}
	other = factories.make_active_campaign(clock)

	form = reason_of_form(other, contact, clock, **through)
	bulk = reason_of_bulk(other, contact, clock, **through)
	guard = reason_of_guard(campaign, enrollment)

	cause = f"has unsubscribed from the list {news.name}"
	assert (bulk, guard) == (as_sentence(cause), f"The recipient {cause}.")
	assert form.startswith(f"Contact Ada {cause}. ")


def test_person_who_is_unsubscribed_and_suppressed_ends_as_unsubscribed(site, smtp, clock):
	"""Only the person can undo an Unsubscribed; what a user suppressed, a user may lift."""
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	opt_out(campaign, None, clock)
	frappe.get_doc(doctype="Drip Suppression", email_address=ADA, reason="Manual", note="test").db_insert()
	frappe.db.commit()

	factories.run(clock)

	assert (enrollment.reload().status, enrollment.exit_reason, smtp.messages) == ("Unsubscribed", None, [])


def test_former_member_is_resumed_by_the_form_as_in_bulk(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Resume")
	people = [factories.make_contact(name) for name in ("Form", "Bulk", "Api")]
	former = [factories.enroll(campaign, contact, clock) for contact in people]
	factories.run(clock)
	for enrollment in former:
		verbs.remove(enrollment, clock.now)

	form = frappe.get_doc(
		doctype="Drip Enrollment", campaign=campaign.name, recipient_type="Contact", recipient=people[0].name
	)
	form.flags.now = clock.now
	form.save()
	[bulk] = enroll_many(campaign.name, "Contact", [people[1].name], clock.now)
	api = verbs.enroll(campaign.name, "Contact", people[2].name, clock.now)

	assert (form.name, api.name) == (former[0].name, former[2].name)
	assert (bool(form.is_new()), form.status, bulk.resumed) == (False, "In Progress", 1)
	assert {one.reload().status for one in former} == {"In Progress"}
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 3


def test_former_member_without_a_step_to_come_is_refused_alike(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(2), re_enrollment="Resume")
	contact = factories.make_contact("Ada", ADA)
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	verbs.remove(enrollment, clock.now)
	campaign.reload().steps[1].enabled = 0
	campaign.save()

	reasons = [
		find(campaign, contact, clock) for find in (reason_of_bulk, reason_of_preview, reason_of_why_not)
	]
	form = reason_of_form(campaign, contact, clock)

	assert reasons == ["Was in the campaign before, and no step remains to send"] * 3
	assert form.startswith("Contact Ada was in the campaign before, and no step remains to send. ")


def test_live_member_is_refused_alike_even_when_an_older_enrollment_has_ended(site, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Restart")
	contact = factories.make_contact("Ada", ADA)
	verbs.remove(factories.enroll(campaign, contact, clock), clock.now)
	factories.enroll(campaign, contact, clock)

	reasons = [
		find(campaign, contact, clock) for find in (reason_of_bulk, reason_of_preview, reason_of_why_not)
	]

	assert reasons == ["Is already in the campaign"] * 3
	with pytest.raises(frappe.UniqueValidationError, match="Contact Ada is already in the campaign"):
		verbs.enroll(campaign.name, "Contact", contact.name, clock.now)


def test_later_rules_are_those_of_enrolling_in_the_same_order():
	assert [rule for rule in RULES if rule in RULES_LATER] == list(RULES_LATER)
