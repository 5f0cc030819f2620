"""Double opt-in: who is asked, that one question and one reminder leave, and that only a confirmation starts the clock."""

import re
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.campaign.replan import replan
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.dispatch import retry
from drip_campaigns.enrollment import confirm as confirming
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.jobs import daily, dispatch_due
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs.repair import repair
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import from_site, to_site
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.processes import run_together
from tests.web import Browser

QUESTION = "Please confirm that you want our emails"
REMINDER = "Reminder: please confirm that you want our emails"
WORDING = "I want them."


pytestmark = pytest.mark.campaign(double_opt_in="Always")


def subjects(smtp) -> list[str]:
	"""Return the subjects of what the mail server got, in order."""
	return [message.message["Subject"] for message in smtp.messages]


def run_days(clock, days: int) -> None:
	"""Let the scheduler do its work, once a day, for so many days."""
	for _ in range(days):
		clock.advance(days=1)
		factories.run(clock)


def confirm(enrollment, clock) -> bool:
	"""Confirm as the page does."""
	locked = frappe.get_doc("Drip Enrollment", enrollment.name, for_update=True)
	was_new = confirming.confirm(locked, WORDING, clock.now)
	frappe.db.commit()
	enrollment.reload()
	return was_new


def test_enrollment_waits_and_gets_one_question_only(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)

	for _ in range(3):
		factories.run(clock)
		clock.advance(hours=5)

	enrollment.reload()
	assert subjects(smtp) == [QUESTION]
	assert (enrollment.status, enrollment.confirmation) == ("Scheduled", "Awaiting")
	assert (enrollment.next_step, enrollment.confirmed_at) == (None, None)


def test_question_names_campaign_and_recipient_and_has_link_button_and_way_out(campaign, smtp, clock):
	factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)

	factories.run(clock)

	[message] = smtp.messages
	html, text = message.part("html"), message.part("plain")
	assert "Hello Ada," in html
	assert campaign.campaign_name in html
	assert re.search(r'<a class="button" href="[^"]+/drip/confirm/[^"]+"', html)
	assert "/drip/confirm/" in text
	assert message.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
	assert "/drip/leave/" in html


def test_question_is_recorded_as_any_e_mail_but_a_colleague_cannot_confirm_with_it(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)

	factories.run(clock)

	mail = frappe.get_doc("Drip Email", f"{enrollment.name}-confirmation")
	shown = frappe.db.get_value("Communication", mail.communication, "content")
	assert (mail.status, mail.subject, mail.tracking_mode) == ("Sent", QUESTION, "None")
	assert "Hello Ada," in shown
	assert "/drip/" not in shown


def test_reminder_comes_once_and_then_the_enrollment_expires(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	factories.run(clock)

	run_days(clock, 13)
	before = enrollment.reload().status
	run_days(clock, 3)

	enrollment.reload()
	assert subjects(smtp) == [QUESTION, REMINDER]
	assert before == "Scheduled"
	assert (enrollment.status, enrollment.exit_reason) == ("Exited", "Not Confirmed")
	assert (enrollment.confirmation, enrollment.next_send_at, enrollment.live_address) == (
		"Expired",
		None,
		None,
	)


def test_settings_say_when_to_remind_and_when_to_give_up(campaign, smtp, clock):
	settings = frappe.get_doc("Drip Settings")
	settings.update({"confirmation_reminder_days": 0, "confirmation_expiry_days": 5})
	settings.save()
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)

	factories.run(clock)
	run_days(clock, 6)

	assert subjects(smtp) == [QUESTION]
	assert enrollment.reload().exit_reason == "Not Confirmed"


def test_clock_of_the_schedule_starts_with_the_confirmation(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=2)
	smtp.reset()

	confirm(enrollment, clock)
	factories.run(clock)
	at_once = subjects(smtp)
	run_days(clock, 4)

	assert (enrollment.confirmation, from_site(enrollment.started_at)) == (
		"Confirmed",
		clock.now - timedelta(days=4),
	)
	assert at_once == ["Day 0"]
	assert subjects(smtp) == ["Day 0", "Day 2", "Day 4"]
	assert enrollment.reload().status == "Completed"


def test_confirming_before_the_start_date_keeps_the_start_date(campaign, smtp, clock):
	day = (clock.now + timedelta(days=3)).date()
	enrollment = factories.enroll(campaign, factories.make_contact(), clock, start_date=day)
	factories.run(clock)

	confirm(enrollment, clock)
	run_days(clock, 2)
	before = subjects(smtp)
	run_days(clock, 2)

	assert (enrollment.start_date, enrollment.status) == (day, "Scheduled")
	assert before == [QUESTION]
	assert subjects(smtp) == [QUESTION, "Day 0"]


def test_confirming_keeps_the_proof_and_twice_is_once(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"Ada@{DOMAIN}"), clock)
	factories.run(clock)

	answers = [confirm(enrollment, clock), confirm(enrollment, clock)]

	fields = ["email_address", "consent_to", "campaign", "given_at", "withdrawn_at", "wording", "language"]
	assert answers == [True, False]
	assert frappe.get_all("Drip Consent", fields=fields) == [
		{
			"email_address": f"ada@{DOMAIN}",
			"consent_to": "Campaign",
			"campaign": campaign.name,
			"given_at": to_site(clock.now),
			"withdrawn_at": None,
			"wording": WORDING,
			"language": "en",
		}
	]
	assert factories.count("Drip Event", event_type="Confirmed") == 1


def test_proof_outlives_enrollment_and_campaign(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	confirm(enrollment, clock)

	frappe.delete_doc("Drip Enrollment", enrollment.name)
	frappe.delete_doc("Drip Campaign", campaign.name)

	assert factories.count("Drip Consent", enrollment=enrollment.name) == 1


def test_reminder_that_is_queued_does_not_leave_after_the_confirmation(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=3)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	confirm(enrollment, clock)
	delivery.deliver(clock)

	reminder = frappe.get_doc("Drip Email", f"{enrollment.name}-confirmation-reminder")
	assert subjects(smtp) == [QUESTION]
	assert (reminder.status, reminder.reason) == ("Skipped", "Confirmed")


def test_two_dispatches_at_a_time_ask_once(campaign, smtp, clock):
	for _ in range(20):
		factories.enroll(campaign, factories.make_contact(), clock)

	run_together(_dispatch, [(clock.now,)] * 3)
	delivery.deliver(clock)

	assert len(smtp.messages) == 20
	assert len({message.recipient for message in smtp.messages}) == 20


def _dispatch(now) -> None:
	dispatch_due.dispatch(now, enqueue_delivery=False)


def test_nothing_else_moves_somebody_who_waits(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	fields = ("status", "confirmation", "next_send_at", "next_step", "live_address")
	before = [enrollment.reload().get(field) for field in fields]

	lifecycle.start_scheduled(clock.now)
	replan(campaign.reload(), clock.now)
	repair(clock.now)
	daily.run(clock.now, enqueue_delivery=False)

	assert [enrollment.reload().get(field) for field in fields] == before
	assert subjects(smtp) == [QUESTION]


def test_question_that_left_late_does_not_start_the_schedule(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	smtp.answer(enrollment.email_address, "451 4.3.0 later")
	factories.run(clock)
	smtp.reset()
	clock.advance(minutes=20)

	factories.run(clock)
	clock.advance(hours=1)
	factories.run(clock)

	enrollment.reload()
	assert subjects(smtp) == [QUESTION]
	assert (enrollment.status, enrollment.confirmation, enrollment.next_step) == (
		"Scheduled",
		"Awaiting",
		None,
	)


def test_draft_campaign_asks_nobody_before_it_is_activated(site, smtp, clock):
	campaign = factories.make_campaign(double_opt_in="Always")
	factories.enroll(campaign, factories.make_contact(), clock)

	factories.run(clock)
	before = subjects(smtp)
	lifecycle.activate(campaign.reload(), clock.now)
	frappe.db.commit()
	factories.run(clock)

	assert before == []
	assert subjects(smtp) == [QUESTION]


def test_one_who_is_held_while_waiting_goes_on_waiting_with_the_rest_of_the_time(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clock.advance(days=1)

	verbs.pause(enrollment.reload(), clock.now)
	clock.advance(days=30)
	verbs.resume(enrollment, clock.now)
	frappe.db.commit()
	factories.run(clock)
	at_once = subjects(smtp)
	run_days(clock, 2)

	assert at_once == [QUESTION]
	assert subjects(smtp) == [QUESTION, REMINDER]
	assert enrollment.reload().status == "Scheduled"


def test_one_who_confirms_while_held_starts_when_it_is_resumed(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	verbs.pause(enrollment.reload(), clock.now)
	frappe.db.commit()

	confirm(enrollment, clock)
	run_days(clock, 3)
	held = (enrollment.reload().status, subjects(smtp))
	verbs.resume(enrollment, clock.now)
	frappe.db.commit()
	factories.run(clock)
	run_days(clock, 2)

	assert held == ("Paused", [QUESTION])
	assert subjects(smtp) == [QUESTION, "Day 0", "Day 2"]


def test_it_is_too_late_to_confirm_when_the_enrollment_has_ended(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	verbs.remove(enrollment, clock.now)

	with pytest.raises(DripError, match="cannot happen"):
		confirm(enrollment, clock)

	assert factories.count("Drip Consent") == 0


def test_whoever_never_confirmed_is_asked_anew_when_enrolled_again(campaign, smtp, clock):
	contact = factories.make_contact()
	first = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	run_days(clock, 15)
	smtp.reset()

	second = factories.enroll(campaign, contact, clock)
	factories.run(clock)

	assert second.name != first.name
	assert subjects(smtp) == [QUESTION]
	with pytest.raises(DripError, match="did not confirm in time"):
		verbs.resume(first.reload(), clock.now)


def test_whoever_confirmed_before_is_not_asked_again_even_as_another_record(campaign, smtp, clock):
	first = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	confirm(first, clock)
	verbs.remove(first, clock.now)

	second = factories.enroll(campaign, factories.make_contact("Countess", f"ADA@{DOMAIN}"), clock)
	factories.run(clock)

	assert second.confirmation in (None, "", "Confirmed")  # a person who comes back continues where they were
	assert subjects(smtp) == ["Day 0"]


def test_whoever_left_after_confirming_has_taken_the_consent_back_and_comes_back_as_no_other_record(
	campaign, smtp, clock
):
	first = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	confirm(first, clock)
	verbs.unsubscribe(first, clock.now)
	frappe.db.delete("Email Unsubscribe", {"email": f"ada@{DOMAIN}"})  # asked to come back

	with pytest.raises(frappe.ValidationError, match="has unsubscribed"):
		factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)

	[proof] = frappe.get_all("Drip Consent", fields=["withdrawn_at", "given_at"])
	assert proof.withdrawn_at


def test_opting_out_of_everything_takes_every_consent_back(campaign, smtp, clock):
	confirm(factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock), clock)

	suppress(f"ada@{DOMAIN}", SuppressionReason.OPTED_OUT, clock.now, source="test")

	assert frappe.get_all("Drip Consent", pluck="withdrawn_at") == [to_site(clock.now)]


def test_who_confirmed_leaves_as_often_as_they_like(campaign, smtp, clock, web):
	enrollment = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	confirm(enrollment, clock)
	link = Links().unsubscribe(enrollment.name)

	answers = [
		Browser(web).post(link, {"scope": scope}) for scope in ("everything", "campaign", "everything")
	]

	assert [answer.status for answer in answers] == [200] * 3
	frappe.db.rollback()
	assert factories.count("Email Unsubscribe", email=enrollment.email_address) == 1


def test_confirmation_counts_for_its_own_campaign_only(campaign, smtp, clock):
	contact = factories.make_contact()
	confirm(factories.enroll(campaign, contact, clock), clock)
	other = factories.make_active_campaign(clock, double_opt_in="Always")

	enrollment = factories.enroll(other, contact, clock)

	assert enrollment.confirmation == "Awaiting"


@pytest.mark.parametrize(
	("domains", "asked"),
	[("", {"gmail.com", "yahoo.co.uk"}), (f"@{DOMAIN}\nmüller.example, gmail.*", {DOMAIN, "gmail.com"})],
)
def test_named_mail_domains_say_who_is_asked(site, clock, domains, asked):
	campaign = factories.make_active_campaign(clock, double_opt_in="For Listed Domains")
	frappe.db.set_single_value("Drip Settings", "opt_in_domains", domains)
	addresses = [f"ada@{domain}" for domain in ("gmail.com", "yahoo.co.uk", DOMAIN, "mail.gmail.com")]

	found = confirming.find_who_must_confirm(campaign, addresses)

	assert {address.partition("@")[2] for address in found} == asked


def test_domain_in_its_own_letters_is_the_one_on_the_wire(site):
	frappe.db.set_single_value("Drip Settings", "opt_in_domains", "Müller.example")

	assert confirming.named_domains() == ("xn--mller-kva.example",)


def test_bulk_enrolling_asks_those_who_must_confirm_and_sends_to_the_others(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, double_opt_in="For Listed Domains")
	frappe.db.set_single_value("Drip Settings", "opt_in_domains", f"ask.{DOMAIN}")
	contacts = [
		factories.make_contact("", f"p{number}@{'ask.' if number % 2 else ''}{DOMAIN}") for number in range(6)
	]

	names = [contact.name for contact in contacts]
	enrolled = sum(result.enrolled for result in enroll_many(campaign.name, "Contact", names, clock.now))
	frappe.db.commit()
	factories.run(clock)

	assert enrolled == 6
	assert sorted(subjects(smtp)) == ["Day 0"] * 3 + [QUESTION] * 3
	assert {message.recipient for message in smtp.messages if message.message["Subject"] == QUESTION} == {
		f"p{number}@ask.{DOMAIN}" for number in (1, 3, 5)
	}


def test_who_enrolls_may_ask_for_a_confirmation_that_the_campaign_does_not(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")

	one = factories.enroll(campaign, ada, clock, require_confirmation=True)
	list(enroll_many(campaign.name, "Contact", [bob.name], clock.now, require_confirmation=True))
	frappe.db.commit()
	factories.run(clock)

	assert one.confirmation == "Awaiting"
	assert subjects(smtp) == [QUESTION] * 2


def test_own_template_is_used_and_gets_a_button_when_it_has_no_link(site, smtp, clock):
	template = factories.make_email_template(
		"Drip Test Opt-in", "One click, {{ recipient.first_name }}", "<p>Dear {{ recipient.first_name }}</p>"
	)
	campaign = factories.make_active_campaign(
		clock, double_opt_in="Always", confirmation_template=template.name
	)
	factories.enroll(campaign, factories.make_contact("Ada"), clock)

	factories.run(clock)
	run_days(clock, 3)

	assert subjects(smtp) == ["One click, Ada", "Reminder: One click, Ada"]
	assert "Dear Ada" in smtp.messages[0].part("html")
	assert "/drip/confirm/" in smtp.messages[0].part("html")


def test_campaign_with_a_broken_confirmation_text_is_not_saved(site):
	factories.make_email_template("Drip Test Broken", "Hello", "{{ nobody.knows }}")

	with pytest.raises(frappe.ValidationError, match="Confirmation Email.*nobody"):
		factories.make_campaign(double_opt_in="Always", confirmation_template="Drip Test Broken")


def test_question_to_an_address_that_bounces_ends_the_enrollment(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	smtp.answer(enrollment.email_address, "550 5.1.1 no such user")

	factories.run(clock)

	assert (enrollment.reload().status, enrollment.exit_reason) == ("Exited", "Hard Bounce")


def test_one_that_failed_before_it_was_asked_is_asked_when_tried_again(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	enrollment.db_set(
		{"status": "Failed", "next_send_at": None, "live_address": None, "live_recipient": None}
	)
	frappe.db.commit()

	retry.retry_failed(campaign, clock.now)
	frappe.db.commit()
	factories.run(clock)

	assert subjects(smtp) == [QUESTION]
	assert (enrollment.reload().status, enrollment.confirmation) == ("Scheduled", "Awaiting")


def test_who_leaves_instead_of_confirming_hears_nothing_more(campaign, smtp, clock):
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	verbs.unsubscribe(enrollment.reload(), clock.now)
	frappe.db.commit()
	run_days(clock, 20)

	assert subjects(smtp) == [QUESTION]
	assert enrollment.reload().status == "Unsubscribed"


def test_question_speaks_the_recipients_language(campaign, smtp, clock):
	user = factories.make_user("hans", "Drip User")
	frappe.db.set_value("User", user, {"language": "de", "first_name": "Hans"})
	factories.enroll(campaign, frappe.get_doc("User", user), clock)

	factories.run(clock)

	[message] = smtp.messages
	assert message.message["Subject"] == "Bitte bestätigen Sie, dass Sie unsere E-Mails möchten"
	assert "Hallo Hans," in message.part("html")
	assert '<html lang="de"' in message.part("html")
