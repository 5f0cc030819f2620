"""Addresses that get no marketing mail at all: who adds and lifts them, what stops, and what goes on as ever."""

import frappe
import pytest
from frappe.core.doctype.communication.email import make as make_communication
from frappe.desk.form.load import run_onload

from drip_campaigns.api import desk
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.suppress import lift, suppress, suppress_refused
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.addresses import hash_address
from drip_campaigns.people.suppression import find_suppressed
from tests import factories
from tests.factories import DOMAIN

ADA = f"ada@{DOMAIN}"


def make_suppression(address: str = ADA, **fields):
	"""Insert a suppression as a manager would, by the form."""
	values = {"reason": "Manual", "note": "She told me on the phone.", **fields}
	document = frappe.get_doc(doctype="Drip Suppression", email_address=address, **values).insert()
	frappe.db.commit()
	return document


@pytest.mark.parametrize(
	("reason", "status", "exit_reason"),
	[
		("Opted Out", "Unsubscribed", None),
		("Hard Bounce", "Exited", "Hard Bounce"),
		("Complaint", "Exited", "Complaint"),
		("Manual", "Exited", "Suppressed"),
	],
)
def test_suppressing_ends_every_enrollment_of_the_address_and_withdraws_what_is_queued(
	site, clock, smtp, reason, status, exit_reason
):
	ada = factories.make_contact("Ada", ADA)
	enrollments = [factories.enroll(factories.make_active_campaign(clock), ada, clock) for _ in range(2)]
	other = factories.enroll(
		frappe.get_doc("Drip Campaign", enrollments[0].campaign), factories.make_contact("Bob"), clock
	)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	make_suppression(ADA.upper(), reason=reason)
	delivery.deliver(clock)

	for enrollment in enrollments:
		enrollment.reload()
		assert (enrollment.status, enrollment.exit_reason) == (status, exit_reason)
	assert factories.count("Drip Email", enrollment=enrollments[0].name, status="Skipped") == 1
	assert [message.recipient for message in smtp.messages] == [other.email_address]
	assert factories.count("Drip Event", event_type="Suppressed", email_address=ADA.upper()) == 1


def test_suppressed_address_is_not_enrolled_by_hand_or_in_bulk_and_the_reason_is_said(site, clock):
	campaign = factories.make_active_campaign(clock)
	ada, bob = factories.make_contact("Ada", ADA), factories.make_contact("Bob")
	make_suppression(reason="Complaint")

	with pytest.raises(frappe.ValidationError, match=r"Ada is suppressed, because of a complaint.*lift it"):
		factories.enroll(campaign, ada, clock)
	[result] = enroll_many(campaign.name, "Contact", [ada.name, bob.name], clock.now)

	assert result.enrolled == 1
	assert dict(result.refused) == {"Is suppressed, because of a complaint": 1}


@pytest.mark.parametrize(
	("reason", "skipped_because"),
	[("Manual", "Suppressed"), ("Complaint", "Complaint"), ("Opted Out", "Unsubscribed")],
)
def test_suppression_that_came_without_our_verbs_is_found_right_before_the_mail_server(
	site, clock, smtp, reason, skipped_because
):
	factories.enroll(factories.make_active_campaign(clock), factories.make_contact("Ada", ADA), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	document = make_suppression(f"other@{DOMAIN}", reason=reason)
	frappe.db.set_value("Drip Suppression", document.name, {"address_hash": hash_address(ADA)})
	frappe.db.commit()

	delivery.deliver(clock)

	assert smtp.messages == []
	assert factories.count("Drip Email", status="Skipped", reason=skipped_because) == 1
	assert factories.count("Email Queue", reference_doctype="Drip Enrollment") == 0


def test_address_whose_record_changes_to_a_suppressed_one_gets_nothing(site, clock, smtp):
	ada = factories.make_contact("Ada", f"old@{DOMAIN}")
	enrollment = factories.enroll(factories.make_active_campaign(clock), ada, clock)
	make_suppression()
	ada.email_ids[0].email_id = ADA
	ada.save()
	frappe.db.commit()

	factories.run(clock)

	assert smtp.messages == []
	assert (enrollment.reload().status, enrollment.exit_reason) == ("Exited", "Suppressed")


@pytest.mark.parametrize(
	("stored", "asked"),
	[
		("Ada@Drip-Test.example", "aDA@drip-test.EXAMPLE"),
		("ada@müller.drip-test.example", "ada@xn--mller-kva.drip-test.example"),
		("ada@xn--mller-kva.drip-test.example", "ada@MÜLLER.drip-test.example"),
	],
)
def test_spellings_of_one_address_are_one(site, clock, stored, asked):
	suppress(stored, SuppressionReason.OPTED_OUT, clock.now, source="test")

	assert list(find_suppressed([asked]).values()) == [SuppressionReason.OPTED_OUT]


@pytest.mark.parametrize(
	("stored", "asked"),
	[
		("ada@muller.drip-test.example", "ada@müller.drip-test.example"),
		("ada@strasse.drip-test.example", "ada@straße.drip-test.example"),
		("ada@drip-test.example", "ada+erp@drip-test.example"),
	],
)
def test_addresses_that_only_look_alike_are_two(site, clock, stored, asked):
	suppress(stored, SuppressionReason.OPTED_OUT, clock.now, source="test")

	assert find_suppressed([asked]) == {}


def test_suppressing_twice_is_suppressing_once(site, clock):
	first = suppress(ADA, SuppressionReason.OPTED_OUT, clock.now, source="page")
	second = suppress(ADA, SuppressionReason.OPTED_OUT, clock.now, source="page")

	assert (first, second) == (True, False)
	assert factories.count("Drip Suppression") == 1
	assert factories.count("Drip Event", event_type="Suppressed") == 1


def test_opting_out_marks_the_records_and_lifting_unmarks_only_those(site, clock):
	ada, same = factories.make_contact("Ada", ADA), factories.make_contact("Same", ADA.title())
	before = factories.make_contact("Before", ADA, unsubscribed=1)
	suppress(ADA, SuppressionReason.OPTED_OUT, clock.now, source="page")
	marked = [contact.reload().unsubscribed for contact in (ada, same, before)]

	document = frappe.get_last_doc("Drip Suppression")
	desk.lift_suppression(document.name, "She wrote to us.")

	assert marked == [1, 1, 1]
	assert [contact.reload().unsubscribed for contact in (ada, same, before)] == [0, 0, 1]
	assert document.reload().lifted_reason == "She wrote to us."
	assert find_suppressed([ADA]) == {}
	assert frappe.get_last_doc("Drip Event", {"event_type": "Lifted"}).detail == "She wrote to us."


def test_record_that_comes_later_is_marked_too_and_unmarked_with_the_others(site, clock):
	suppress(ADA, SuppressionReason.OPTED_OUT, clock.now, source="test")
	other = factories.make_contact("Bob")

	later = factories.make_contact("Ada", ADA.upper())
	other.email_ids[0].email_id = ADA
	other.save()

	assert (later.unsubscribed, other.unsubscribed) == (1, 1)
	other.unsubscribed = 0  # a user takes the mark off, for a reason of theirs
	other.save()
	assert other.unsubscribed == 0
	lift(frappe.get_doc("Drip Suppression", {}), "She asked for it", clock.now)
	assert frappe.db.get_value("Contact", later.name, "unsubscribed") == 0


@pytest.mark.parametrize("reason", [SuppressionReason.HARD_BOUNCE, SuppressionReason.MANUAL])
def test_record_of_an_address_that_has_not_opted_out_is_not_marked(site, clock, reason):
	suppress(ADA, reason, clock.now, source="test", note="test")

	assert not factories.make_contact("Ada", ADA).unsubscribed


def test_lifted_suppression_can_be_set_again_and_a_second_row_cannot(site, clock):
	document = make_suppression()
	desk.lift_suppression(document.name, "A mistake.")
	with pytest.raises(frappe.DuplicateEntryError, match="Open it and click Suppress Again"):
		make_suppression(ADA.upper())

	desk.renew_suppression(document.name, "No mistake.")

	assert find_suppressed([ADA]) == {ADA: SuppressionReason.MANUAL}
	with pytest.raises(frappe.DuplicateEntryError, match="You don't need to do anything"):
		make_suppression()


@pytest.mark.parametrize(
	("values", "message"),
	[
		({"note": ""}, "Enter in Note who asked for it"),
		({"address": "nobody"}, "“nobody” isn't an email address"),
		({"address": f"a@{DOMAIN}, b@{DOMAIN}"}, "isn't an email address"),
	],
)
def test_bad_suppression_is_refused_in_words(site, values, message):
	with pytest.raises(frappe.ValidationError, match=message):
		make_suppression(**values)


def test_suppression_is_neither_deleted_nor_changed_by_saving(site):
	document = make_suppression()
	document.lifted = 1

	with pytest.raises(frappe.ValidationError, match="Lifted cannot be changed here"):
		document.save()
	with pytest.raises(frappe.ValidationError, match="cannot be deleted. Lift it"):
		frappe.delete_doc("Drip Suppression", document.name)
	with pytest.raises(frappe.ValidationError, match="Enter who asked for it"):
		desk.lift_suppression(document.name, "  ")


def test_ordinary_mail_to_a_suppressed_address_is_sent_as_ever(site, clock, smtp):
	suppress(ADA, SuppressionReason.OPTED_OUT, clock.now, source="page")
	frappe.db.commit()

	queue = frappe.sendmail(
		recipients=[ADA], sender=factories.SENDER, subject="Your invoice", message="12 EUR"
	)
	frappe.db.commit()
	queue.send()

	assert [message.message["Subject"] for message in smtp.messages] == ["Your invoice"]


def test_form_of_a_record_says_that_its_address_is_suppressed_to_those_who_may_know(site, clock):
	contact = factories.make_contact("Ada", ADA.upper())
	suppress(ADA, SuppressionReason.HARD_BOUNCE, clock.now, source="test", note="550 no such user")
	told = {}

	for user in (factories.make_user("manager", "Drip Manager"), factories.make_user("clerk", "Sales User")):
		frappe.set_user(user)
		document = frappe.get_doc("Contact", contact.name)
		run_onload(document)
		told[user.partition("@")[0]] = document.get("__onload").get("drip_suppression")

	assert told["manager"]["note"] == "550 no such user"
	assert told["clerk"] is None


def test_group_of_refused_addresses_is_suppressed_in_a_handful_of_statements(site, clock):
	campaign = factories.make_active_campaign(clock, factories.step(1))
	people = [factories.make_contact(f"P{n}", f"p{n}@{DOMAIN}") for n in range(20)]
	for _result in enroll_many(campaign.name, "Contact", [person.name for person in people], clock.now):
		frappe.db.commit()
	answers = {person.email_id.upper(): "550 5.1.1 no such user" for person in people}
	counts = []

	for group in (list(answers)[:2], list(answers)[2:], list(answers)):
		with factories.count_statements() as seen:
			suppress_refused({address: answers[address] for address in group}, clock.now)
		counts.append(seen.count)
		frappe.db.commit()

	assert counts[1] <= counts[0] + 1 and counts[2] <= counts[0]
	assert factories.count("Drip Suppression", reason="Hard Bounce", lifted=0) == 20
	assert factories.count("Drip Enrollment", exit_reason="Hard Bounce") == 20
	assert factories.count("Drip Event", event_type="Suppressed") == 20
	assert frappe.get_last_doc("Drip Suppression").note == "550 5.1.1 no such user"


def test_password_mail_and_a_reply_by_hand_reach_who_has_opted_out_of_everything(site, clock, smtp):
	contact = factories.make_contact("Ada", ADA)
	user = frappe.get_doc("User", factories.make_user("ada"))
	suppress(ADA, SuppressionReason.OPTED_OUT, clock.now, source="page")
	frappe.db.commit()

	reset = "reset_password" if hasattr(user, "reset_password") else "_reset_password"  # Frappe 16, Frappe 15
	getattr(user.reload(), reset)(send_email=True)
	make_communication(
		"Contact", contact.name, subject="Re: your question", content="Yes.", recipients=ADA, send_email=True
	)
	frappe.db.commit()
	factories.flush_email_queue()

	subjects = sorted(message.message["Subject"] for message in smtp.to(ADA))
	assert contact.reload().unsubscribed == 1
	assert len(subjects) == 2
	assert subjects[1] == "Re: your question"
	assert "Password" in subjects[0]
