"""What the database itself refuses, and what the DocTypes must have in common with the core."""

import click
import frappe
import pytest
from frappe.model import data_fieldtypes

from drip_campaigns import install
from drip_campaigns.campaign import proposals
from drip_campaigns.core import lists, model
from drip_campaigns.core.flow import actions, goals, operators, step_flow, triggers, variants, wait_kind
from drip_campaigns.core.flow.wait_kinds import event
from drip_campaigns.core.inbound import response_words
from drip_campaigns.core.schedule import confirmation, sending_limits
from drip_campaigns.core.tracking import tracking_mode
from drip_campaigns.db import columns
from drip_campaigns.outbox import sending_blocks
from drip_campaigns.site import settings as options
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.settings import Breaker, breaker, soft_series
from drip_campaigns.triggers.registry import TRIGGER_KINDS
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.processes import run_together

SELECTS = (
	("Drip Bulk Enrollment", "status", model.RunStatus),
	("Drip Campaign", "unsubscribe_scope", model.OneClickScope),
	("Drip Settings", "unsubscribe_scope", model.OneClickScope),
	("Drip Campaign", "sender_rule", model.SenderRule),
	("Drip Campaign", "status", model.CampaignStatus),
	("Drip Campaign", "if_late", model.IfLate),
	("Drip Campaign", "re_enrollment", model.ReEnrollment),
	("Drip Campaign Step", "counted_from", model.CountedFrom),
	("Drip Campaign Step", "winner_by", variants.Criterion),
	("Drip Campaign Step", "no_winner_fallback", variants.NoWinnerFallback),
	("Drip Campaign Step", "action", actions.ActionKind),
	("Drip Campaign Step", "run_when", actions.RunWhen),
	("Drip Campaign Step", "on_exit_reason", actions.OnExitReason),
	("Drip Campaign Step", "assign_to", actions.AssignTo),
	("Drip Action", "action", actions.ActionKind),
	("Drip Action", "status", actions.ActionStatus),
	("Drip Campaign Step", "step_type", model.StepType),
	("Drip Campaign Step", "otherwise", step_flow.Otherwise),
	("Drip Campaign Step", "wait_for", wait_kind.WaitFor),
	("Drip Campaign Step", "wait_since", event.WaitSince),
	("Drip Campaign Step", "wait_operator", operators.Operator),
	("Drip Campaign Step", "on_timeout", wait_kind.OnTimeout),
	("Drip Campaign", "double_opt_in", confirmation.OptIn),
	("Drip Campaign", "tracking_mode", tracking_mode.TrackingMode),
	("Drip Campaign", "goal", goals.GoalKind),
	("Drip Campaign", "goal_document", goals.GoalDocument),
	("Drip Campaign", "reply_scope", goals.ReplyScope),
	("Drip Consent", "consent_to", model.ConsentPurpose),
	("Drip Sending Block", "state", sending_blocks.BlockState),
	("Drip Email", "bounce", response_words.Severity),
	("Drip Email", "bounce_reason", response_words.Category),
	("Drip Email", "status", model.EmailStatus),
	("Drip Email", "tracking_mode", tracking_mode.TrackingMode),
	("Drip Enrollment", "confirmation", confirmation.Confirmation),
	("Drip Enrollment", "status", model.Status),
	("Drip Enrollment", "exit_reason", model.ExitReason),
	("Drip Event", "event_type", model.EventType),
	("Drip Proposed Change", "status", proposals.ProposalStatus),
	("Drip Sending Limit", "scope", sending_limits.LimitScope),
	("Drip Campaign Trigger", "kind", TRIGGER_KINDS),
	("Drip Campaign Trigger", "days_from", triggers.DaysFrom),
	("Drip Campaign Trigger", "repeat", triggers.Repeat),
	("Drip Campaign Trigger", "local_day", triggers.LocalDay),
	("Drip Campaign Trigger", "purchase_document", triggers.PurchaseDocument),
	("Drip Campaign Trigger", "purchased", triggers.Purchased),
	("Drip Trigger Firing", "status", triggers.FiringStatus),
	("Drip Target List Source", "kind", lists.SourceKind),
	("Drip Target List Source", "log_event", lists.LogQuestion),
	("Drip Target List Refresh", "status", lists.RefreshStatus),
	("Drip Campaign Target List", "when_left", lists.WhenLeft),
	("Drip Campaign Exclusion", "kind", lists.ExclusionKind),
	("Drip Suppression", "reason", model.SuppressionReason),
)


@pytest.mark.parametrize(
	("doctype", "field", "enum"), SELECTS, ids=lambda value: getattr(value, "__name__", value)
)
def test_options_of_a_select_field_are_the_labels_of_the_core(site, doctype, field, enum):
	options = frappe.get_meta(doctype).get_field(field).options

	labels = list(enum.all()) if enum is TRIGGER_KINDS else [member.value for member in enum]
	assert [option for option in options.split("\n") if option] == labels


def test_every_select_field_is_compared_with_an_enum(site):
	doctypes = frappe.get_all("DocType", filters={"module": "Drip Campaigns"}, pluck="name")

	found = {
		(doctype, field.fieldname)
		for doctype in doctypes
		for field in frappe.get_meta(doctype).get_select_fields()
	}

	assert found == {(doctype, field) for doctype, field, _enum in SELECTS}


def test_same_record_is_not_enrolled_twice_at_a_time(site, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada")
	factories.enroll(campaign, contact, clock)

	with pytest.raises(frappe.UniqueValidationError) as caught:
		factories.enroll(campaign, contact, clock)

	assert "Contact Ada is already in the campaign. Open that enrollment instead." in str(caught.value)


def test_two_records_with_one_address_are_one_person_whatever_the_case_of_the_letters(site, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	user = frappe.get_doc("User", factories.make_user("ADA", "Drip User"))

	with pytest.raises(frappe.UniqueValidationError) as caught:
		factories.enroll(campaign, user, clock)

	assert "has the same address as another record in the campaign" in str(caught.value)
	assert factories.count("Drip Enrollment") == 1


def test_index_itself_refuses_a_second_live_key(site, clock):
	campaign = factories.make_active_campaign(clock)
	first, second = (factories.enroll(campaign, factories.make_contact(), clock) for _ in range(2))

	for column in ("live_recipient", "live_address"):
		with pytest.raises(Exception) as caught:
			frappe.db.set_value("Drip Enrollment", second.name, column, first.get(column))
		frappe.db.rollback()
		assert frappe.db.is_duplicate_entry(caught.value) or frappe.db.is_unique_key_violation(caught.value)


def test_somebody_may_be_on_two_campaigns_at_a_time(site, smtp, clock):
	contact = factories.make_contact("Ada")

	for _ in range(2):
		factories.enroll(factories.make_active_campaign(clock), contact, clock)
	factories.run(clock)

	assert len(smtp.to(contact.email_id)) == 2


def test_second_e_mail_of_a_step_is_refused_by_the_database_under_any_name(site, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	made = frappe.get_last_doc("Drip Email", {"enrollment": enrollment.name})

	for name in (made.name, "another name"):
		with pytest.raises((frappe.DuplicateEntryError, frappe.UniqueValidationError)):
			frappe.get_doc(
				doctype="Drip Email",
				name=name,
				enrollment=made.enrollment,
				campaign=made.campaign,
				step=made.step,
			).insert(set_name=name)
		frappe.db.rollback()


def test_of_enrollments_that_race_for_one_address_one_wins(site, clock):
	campaign = factories.make_active_campaign(clock)
	contacts = [factories.make_contact("Ada", address) for address in (f"ada@{DOMAIN}", f"Ada@{DOMAIN}")]
	frappe.db.commit()

	answers = run_together(_enroll, [(campaign.name, contact.name) for contact in contacts * 2])

	refused = [answer for answer in answers if answer != "enrolled"]
	assert len(refused) == 3, answers
	assert all("in the campaign" in str(answer) for answer in refused), refused
	assert factories.count("Drip Enrollment", campaign=campaign.name) == 1


def _enroll(campaign: str, contact: str) -> str:
	verbs.enroll(campaign, "Contact", contact, utc_now())
	return "enrolled"


def test_settings_that_nobody_has_saved_show_their_defaults_and_what_was_set_stays(site):
	frappe.db.delete("Singles", {"doctype": "Drip Settings"})
	frappe.db.set_single_value(
		"Drip Settings",
		{"confirmation_expiry_days": 30, "breaker_bounce_rate": 0, "postal_address": "1 Test Street"},
	)

	for _ in range(2):
		install.after_migrate()
	settings = frappe.get_doc("Drip Settings")
	settings.postal_address = "2 Test Street"
	settings.save()

	assert (settings.confirmation_expiry_days, settings.confirmation_reminder_days) == (30, 3)
	assert (settings.batch_size, settings.release_after_minutes, settings.max_attempts) == (500, 10, 5)
	assert options.confirmation_times().expire_after.days == 30
	assert options.tracking_needs_consent()
	assert breaker() == Breaker(bounce_rate=0, complaint_rate=0.3, sample=100)


def test_settings_of_a_new_site_are_what_the_code_does_without_them(site):
	frappe.db.delete("Singles", {"doctype": "Drip Settings"})
	without = _what_holds()

	install.after_install()

	assert _what_holds() == without


def _what_holds() -> tuple:
	"""Return what the code does by its settings, where an empty one has a meaning."""
	frappe.clear_document_cache("Drip Settings", "Drip Settings")
	return (
		*(options.batch_size(), options.dispatch_workers(), options.release_after(), options.max_attempts()),
		*(options.confirmation_times(), options.tracking_needs_consent(), breaker(), soft_series()),
	)


@pytest.mark.parametrize(
	("doctype", "known"),
	[
		(
			"Drip Enrollment",
			(*columns.ENROLLMENT_ORIGIN, *columns.ENROLLMENT_STATE, *columns.ENROLLMENT_OTHER),
		),
		("Drip Event", (*columns.EVENT, *columns.EVENT_OTHER)),
	],
)
def test_columns_of_batches_are_those_of_the_doctype(doctype, known):
	fields = {
		field.fieldname
		for field in frappe.get_meta(doctype).fields
		if field.fieldtype in data_fieldtypes and not field.is_virtual  # which has no column
	}

	assert set(known) - set(columns.STANDARD) == fields, "Add the field to db/columns.py"
	assert len(known) == len(set(known))


@pytest.mark.parametrize("earlier", install.EARLIER_DOCTYPES)
def test_site_of_an_earlier_version_is_not_migrated_and_says_to_reinstall(site, earlier):
	install.before_migrate()
	frappe.get_doc(doctype="DocType", name=earlier, module="Drip Campaigns").db_insert()

	with pytest.raises(click.ClickException, match="uninstall the app"):
		install.before_migrate()
