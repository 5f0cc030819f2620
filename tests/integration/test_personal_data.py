"""A copy of what is stored about a person, and its erasure: by the page, and by Frappe's own requests."""

import json
import re
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.api import consents, enroll
from drip_campaigns.core.model import ConsentPurpose
from drip_campaigns.dispatch import retry
from drip_campaigns.enrollment import personal_data
from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.enrollment.sign_up import sign_up
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.consent_records import delete_old_proofs, find_agreed, record_consent
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.people.suppression import find_suppressed
from drip_campaigns.site import settings
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.integration.test_headers import receive
from tests.integration.test_preferences import link_in, press
from tests.trigger_steps import work_off
from tests.web import Browser

ADA, BOB = f"ada@{DOMAIN}", f"bob@{DOMAIN}"


@pytest.fixture
def enrollment(web, clock, smtp):
	"""Ada and Bob on a campaign and a list; Ada has had one email, the second is queued for both."""
	frappe.db.delete("Email Queue Recipient", {"recipient": ["in", [ADA, BOB]]})  # of other tests
	campaign = factories.make_active_campaign(
		clock, factories.step(0, "Hello {{ recipient.first_name }}"), factories.step(2), factories.step(4)
	)
	people = [factories.make_contact(name, address) for name, address in (("Ada", ADA), ("Bob", BOB))]
	ada, _bob = (factories.enroll(campaign, person, clock) for person in people)
	factories.make_list("Drip Test News", *people)
	save_preference(ADA, preferred_language="en")
	factories.run(clock)
	clock.advance(days=2)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	frappe.db.commit()
	return ada


def everything_that_says(word: str) -> dict[str, int]:
	"""Return in how many rows of which tables a word stands, of ours and of those that we write to."""
	frappe.db.rollback()
	ours = frappe.get_all("DocType", filters={"module": "Drip Campaigns", "issingle": 0}, pluck="name")
	found = {}
	for doctype in (*ours, "Communication", "Communication Link", "Email Queue", "Email Queue Recipient"):
		rows = frappe.get_all(doctype, fields=["*"])
		count = sum(word.lower() in json.dumps(row, default=str).lower() for row in rows)
		if count:
			found[doctype] = count
	searched = frappe.db.sql("SELECT COUNT(*) FROM __global_search WHERE content LIKE %s", f"%{word}%")[0][0]
	return {**found, **({"search": searched} if searched else {})}


def test_copy_holds_what_is_stored_about_the_person_and_nothing_of_anybody_else(enrollment, smtp):
	answer = press(link_in(smtp.to(ADA)[0]), "copy")

	data = answer.json()
	assert answer.status == 200
	assert "attachment" in answer.headers["Content-Disposition"]
	assert answer.headers["Cache-Control"] == "no-store"
	assert data["Email address"] == ADA
	assert [row["Campaign"] for row in data["Drip Enrollment"]] == [enrollment.campaign]
	assert {row["Subject"] for row in data["Drip Email"]} == {"Hello Ada", "Day 2"}
	assert data["Drip Recipient Preference"][0]["Language"] == "en"
	assert data["Drip Target List Member"][0]["Target List"] == "Drip Test News"
	assert "Enrolled" in {row["Event"] for row in data["Drip Event"]}
	assert "Bob" not in answer.text
	assert BOB not in answer.text


def test_copy_is_not_made_again_and_again(enrollment, smtp):
	statuses = [press(link_in(smtp.to(ADA)[0]), "copy").status for _ in range(6)]

	assert statuses == [200] * 5 + [429]


def test_erasure_is_asked_about_first(enrollment, smtp):
	answer = press(link_in(smtp.to(ADA)[0]), "ask-to-erase")

	assert "Erase your data?" in answer.text
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "email_address") == ADA
	assert press(link_in(smtp.to(ADA)[0]), "keep").status == 200
	assert factories.count("Drip Suppression") == 0


def test_erasure_leaves_neither_address_nor_name_nor_record_of_the_person(enrollment, smtp):
	before = {word: everything_that_says(word) for word in (ADA, enrollment.recipient)}
	bobs = everything_that_says(BOB)

	answer = press(link_in(smtp.to(ADA)[0]), "erase")

	assert answer.status == 200
	assert "Your data was erased" in answer.text
	assert all(before.values())
	assert everything_that_says(ADA) == {}
	assert (
		everything_that_says("Hello Ada") == everything_that_says('"Ada"') == {}
	)  # a token may hold these letters
	assert everything_that_says(BOB) == bobs
	assert frappe.db.exists("Contact", enrollment.recipient)


def test_erasure_forgets_what_frappe_notes_on_the_campaign_about_an_unsubscribe(enrollment, smtp):
	values = {"reference_doctype": "Drip Campaign", "reference_name": enrollment.campaign}
	frappe.get_doc(doctype="Email Unsubscribe", email=ADA, **values).insert()
	frappe.db.commit()
	before = frappe.db.count("Comment", {"comment_email": ADA})

	press(link_in(smtp.to(ADA)[0]), "erase")

	assert before == 1
	assert factories.count("Comment", comment_email=ADA) == 0


def test_erasure_forgets_what_a_run_says_about_the_rows_of_a_file(enrollment, smtp):
	run = frappe.get_doc(
		doctype="Drip Bulk Enrollment",
		campaign=enrollment.campaign,
		recipient_type="Contact",
		recipient_filters=json.dumps([["Contact", "name", "=", "nobody"]]),
		start_date=utc_now().date(),
	).insert()
	others = [[3, f"as {BOB}"], [4, f"as m{ADA}"], [5, f"as {ADA}.org"]]
	mine = [[2, f"no Contact has the address {ADA.upper()}"], [6, f"{ADA}."]]
	run.db_set("row_errors", json.dumps([*mine, *others]))
	frappe.db.commit()

	press(link_in(smtp.to(ADA)[0]), "erase")

	without = [[2, "no Contact has the address —"], [6, "—."]]
	assert json.loads(run.reload().row_errors) == [*without, *others]


def test_figures_of_the_campaign_stay(enrollment, smtp):
	press(link_in(smtp.to(ADA)[0]), "erase")

	assert factories.count("Drip Enrollment", campaign=enrollment.campaign) == 2
	assert factories.count("Drip Email", campaign=enrollment.campaign, status="Sent") == 2


def test_campaign_that_an_erased_person_had_completed_or_failed_is_edited_and_retried_as_ever(
	enrollment, smtp, clock
):
	campaign = frappe.get_doc("Drip Campaign", enrollment.campaign)
	for row in frappe.get_all("Drip Enrollment", filters={"campaign": campaign.name}, pluck="name"):
		status = "Completed" if row == enrollment.name else "Failed"
		keys = {"live_recipient": None, "live_address": None, "next_send_at": None}
		frappe.db.set_value("Drip Enrollment", row, {"status": status, **keys})
	for address in (ADA, BOB):
		personal_data.erase(address, clock.now, source="A test")

	campaign.append("steps", factories.step(40))
	campaign.save()
	retried = retry.retry_failed(campaign, clock.now)

	assert retried["enrollments"] == 0
	assert set(frappe.get_all("Drip Enrollment", pluck="status")) == {"Completed", "Failed"}


def test_nothing_more_is_sent_and_what_is_queued_is_withdrawn(enrollment, smtp, clock):
	press(link_in(smtp.to(ADA)[0]), "erase")

	for _ in range(5):
		factories.run(clock)
		clock.advance(days=1)

	assert len(smtp.to(ADA)) == 1
	assert len(smtp.to(BOB)) == 3


def test_person_who_is_imported_again_is_not_revived(enrollment, smtp, clock):
	press(link_in(smtp.to(ADA)[0]), "erase")
	again = factories.make_contact("Ada", f"Ada@{DOMAIN}")
	other = factories.make_active_campaign(clock)

	with pytest.raises(Exception) as caught:
		factories.enroll(other, again, clock)
	[result] = enroll_many(other.name, "Contact", [again.name], clock.now)

	assert "opted out" in str(caught.value)
	assert result.enrolled == 0
	assert frappe.db.get_value("Drip Suppression", {}, ["email_address", "note"]) == (None, None)


def test_erased_person_is_not_revived_whichever_way_the_address_comes_again(enrollment, smtp, clock):
	press(link_in(smtp.to(ADA)[0]), "erase")
	trigger = {"kind": "Record Created", "recipient_type": "Contact"}
	news = factories.make_list("Drip Test Back", sources=[factories.source()])
	rows = [{"target_list": news.name, "when_left": "End"}]
	other = factories.make_active_campaign(
		clock, triggers=[trigger], target_lists=rows, accept_sign_ups=1, name="Drip Test Other"
	)
	file = frappe.get_doc(
		doctype="File",
		file_name="drip-test-back.csv",
		is_private=1,
		content=f"Name,Email\nAda,{ADA.title()}\n",
	).insert()
	mapping = json.dumps({"first_name": "Name", "email_address": "Email"})

	again = factories.make_contact("Ada Again", f"ADA@{DOMAIN}")  # by import, form or API: a record is made
	bob = factories.make_contact("Bob Again", f"bob2@{DOMAIN}")
	factories.refresh(news)
	sign_up(other.name, ADA)
	work_off(clock)
	preview = enroll.preview_people_file(other.name, "Contact", file.file_url, mapping, create_missing=True)
	factories.run(clock)
	frappe.db.commit()
	file.delete()

	on_board = frappe.get_all("Drip Enrollment", {"campaign": other.name}, pluck="recipient")
	assert bob.name in on_board
	assert again.name not in on_board
	assert again.unsubscribed == 1
	assert preview["enrolled"] == 0
	assert smtp.to(ADA)[1:] == smtp.to(f"ADA@{DOMAIN}") == []
	assert everything_that_says("ada@").keys() <= {"Drip Target List Member", "search"}


def test_proof_of_consent_outlives_the_erasure_without_the_person_and_ends_after_three_years(
	enrollment, smtp, clock
):
	record_consent(
		ConsentPurpose.CAMPAIGN,
		ADA,
		"I agree.",
		utc_now(),
		campaign=enrollment.campaign,
		enrollment=enrollment.name,
		recipient_type="Contact",
		recipient=enrollment.recipient,
	)
	frappe.db.commit()

	answer = press(link_in(smtp.to(ADA)[0]), "erase")
	frappe.db.rollback()

	assert "Your data was erased" in answer.text
	[name] = consents.find_consents(f"Ada@{DOMAIN}")["consents"]
	proof = frappe.get_doc("Drip Consent", name)
	assert (proof.wording, proof.campaign, bool(proof.given_at)) == ("I agree.", enrollment.campaign, True)
	assert (proof.email_address, proof.recipient, proof.enrollment) == (None, None, None)
	assert proof.withdrawn_at
	assert not find_agreed(ConsentPurpose.CAMPAIGN, [ADA])
	with pytest.raises(frappe.PermissionError):
		frappe.set_user("Guest")
		consents.find_consents(ADA)
	frappe.set_user("Administrator")
	delete_old_proofs(utc_now() + timedelta(days=1094), settings.consent_proof_retention())
	assert frappe.db.exists("Drip Consent", name)
	delete_old_proofs(utc_now() + timedelta(days=1096), settings.consent_proof_retention())
	assert not frappe.db.exists("Drip Consent", name)


def test_fingerprint_is_no_use_without_the_secret_of_the_site(enrollment, smtp):
	press(link_in(smtp.to(ADA)[0]), "erase")
	before = frappe.conf.get("drip_address_key")

	assert find_suppressed([ADA])
	try:
		frappe.local.conf.drip_address_key = "another site"
		assert not find_suppressed([ADA])
	finally:
		frappe.local.conf.drip_address_key = before


def test_erasing_twice_is_erasing_once_and_the_link_opens_nothing_afterwards(enrollment, smtp, web):
	link = link_in(smtp.to(ADA)[0])
	press(link, "erase")

	assert press(link, "erase").status == 404
	assert Browser(web).get(link).status == 404
	personal_data.erase(ADA, utc_now(), source="Test")
	assert factories.count("Drip Suppression") == 1
	assert everything_that_says(ADA) == {} or frappe.db.rollback()


@pytest.mark.parametrize("form", [{}, {"scope": "everything"}, {"action": "undo"}, {"action": "reason"}])
@pytest.mark.parametrize("status", ["In Progress", "Completed"])
def test_link_to_leave_says_after_the_erasure_that_nothing_is_sent_and_changes_nothing(
	enrollment, smtp, web, form, status
):
	link = re.search(r"<(http[^>]+)>", smtp.to(ADA)[0].message["List-Unsubscribe"]).group(1)
	enrollment.db_set("status", status)
	frappe.db.commit()
	press(link_in(smtp.to(ADA)[0]), "erase")
	before = frappe.get_all("Drip Event", pluck="name")

	answers = [Browser(web).get(link), Browser(web).post(link, form)]

	frappe.db.rollback()
	assert [answer.status for answer in answers] == [200, 200]
	assert all("You will get no more marketing emails from us." in answer.text for answer in answers)
	assert frappe.get_all("Drip Event", pluck="name") == before
	assert factories.count("Drip Suppression", lifted=0) == 1


def test_e_mail_that_leaves_is_received_after_the_erasure_as_any_other(enrollment, smtp):
	token = smtp.to(ADA)[0].message["List-Unsubscribe"].partition(">")[0].rpartition("/")[2]
	press(link_in(smtp.to(ADA)[0]), "erase")

	received = receive(f"unsubscribe {token}")

	assert frappe.db.exists("Communication", received.name)


def test_erasure_forgets_who_has_asked_for_the_address(enrollment, smtp):
	press(link_in(smtp.to(BOB)[0]), "change-address", new_address=f"Ada@{DOMAIN}")
	before = frappe.get_all("Drip Recipient Preference", {"new_address": ["is", "set"]}, pluck="new_address")

	press(link_in(smtp.to(ADA)[0]), "erase")

	assert before == [f"Ada@{DOMAIN}"]
	assert everything_that_says(ADA).keys() <= {
		"Email Queue Recipient"
	}  # of Frappe's own email with the link


def test_managers_are_told_which_record_is_left(enrollment, smtp):
	manager = factories.make_user("manager", "Drip Manager")
	told = []
	frappe.db.delete("Notification Log", {"for_user": manager})
	frappe.db.commit()

	personal_data.erase(ADA, utc_now(), source="Test")
	frappe.db.commit()

	told = factories.notifications_of(manager)
	assert any(enrollment.recipient in subject for subject in told), told


def test_what_a_manager_can_lift_after_the_erasure_is_lifted_without_the_address(enrollment, smtp):
	from drip_campaigns.api import desk

	press(link_in(smtp.to(ADA)[0]), "erase")
	[name] = frappe.get_all("Drip Suppression", pluck="name")

	desk.lift_suppression(name, "Ada wrote to us")

	assert not find_suppressed([ADA])


@pytest.fixture
def user(web, clock, smtp):
	"""A User who is on a campaign."""
	address = factories.make_user("leaving", "Sales User")
	user = frappe.get_doc("User", address)
	enrollment = factories.enroll(factories.make_active_campaign(clock), user, clock)
	factories.run(clock)
	yield user, enrollment
	frappe.db.rollback()
	for name in frappe.get_all("User", filters={"name": ["like", "deleted-user-%"]}, pluck="name"):
		frappe.delete_doc("User", name, force=True)
	frappe.db.delete("Personal Data Deletion Request", {"email": user.name})
	frappe.db.commit()


def test_personal_data_download_request_holds_our_records(user):
	from frappe.website.doctype.personal_data_download_request.personal_data_download_request import (
		get_user_data,
	)

	data = json.loads(get_user_data(user[0].name))

	assert data["Drip Enrollment"][0]["name"] == user[1].name
	assert {"Drip Email", "Drip Event"} <= data.keys()


def test_personal_data_deletion_request_erases_our_records_too(user):
	person, enrollment = user
	request = frappe.get_doc(doctype="Personal Data Deletion Request", email=person.name)
	request.insert(ignore_permissions=True)
	request.db_set("status", "Pending Approval")

	request.reload()._anonymize_data()

	assert request.status == "Deleted"
	assert find_suppressed([person.name])
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, ["email_address", "status"]) == (
		None,
		"Unsubscribed",
	)
	assert not frappe.get_all("Drip Event", filters={"email_address": person.name})
