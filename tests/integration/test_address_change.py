"""A change of address: nothing changes before the new one confirms, and then everything does that it should."""

import re
from datetime import timedelta

import frappe
import pytest

from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment import address_change
from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.jobs import daily
from drip_campaigns.people.opt_outs import find_opted_out, record_opt_out
from drip_campaigns.people.preferences import load_preference, save_preference
from drip_campaigns.people.suppression import find_suppressed
from drip_campaigns.site.clock import to_site, utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.integration.test_preferences import link_in, press
from tests.web import Browser

ADA, NEW = f"ada@{DOMAIN}", f"lovelace@{DOMAIN}"


@pytest.fixture
def enrollment(web, clock, smtp):
	"""Ada on a campaign, after the first email."""
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	factories.run(clock)
	return enrollment


def send_queued(address: str):
	"""Send what Frappe has queued for an address, and return the last message."""
	frappe.db.rollback()
	queues = frappe.get_all("Email Queue Recipient", filters={"recipient": address}, pluck="parent")
	for name in frappe.get_all("Email Queue", {"name": ["in", queues], "status": "Not Sent"}, pluck="name"):
		frappe.get_doc("Email Queue", name).send()


def ask(smtp, new: str = NEW, old: str = ADA):
	"""Ask on the page, and return the answer and the path of the link that the new address got."""
	answer = press(link_in(smtp.to(old)[0]), "change-address", new_address=new)
	send_queued(new)
	found = [re.search(r'href="[^"]*(/drip/address/[^"]*)"', m.part("html")) for m in smtp.to(new)]
	return answer, found[-1].group(1) if found else None


def address_of(contact: str) -> str:
	frappe.db.rollback()
	return frappe.db.get_value("Contact", contact, "email_id")


def test_nothing_changes_until_the_new_address_confirms(enrollment, smtp, web):
	answer, link = ask(smtp)

	looked = [Browser(web).get(link, method=method).status for method in ("GET", "HEAD", "GET")]

	assert answer.status == 200
	assert "We sent an email to the new address." in answer.text
	assert looked == [200] * 3
	assert address_of(enrollment.recipient) == ADA
	assert NEW not in link
	assert NEW not in answer.text


def test_confirming_changes_record_enrollment_and_list_and_tells_the_old_address(
	enrollment, smtp, clock, web
):
	contact = frappe.get_doc("Contact", enrollment.recipient)
	factories.make_list("Drip Test News", contact)
	save_preference(ADA, preferred_language="de")
	frappe.db.commit()
	_answer, link = ask(smtp)

	answer = Browser(web).post(link, {})
	send_queued(ADA)
	clock.advance(days=2)
	factories.run(clock)

	assert answer.status == 200
	assert address_of(contact.name) == NEW
	assert [row.email_id for row in contact.reload().email_ids] == [NEW]
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "email_address") == NEW
	assert frappe.db.get_value("Drip Target List Member", {}, "email_address") == NEW
	assert (load_preference(NEW).language, load_preference(ADA).language) == ("de", "")
	assert smtp.to(ADA)[-1].message["Subject"] == "Ihre E-Mail-Adresse wurde geändert"
	assert NEW not in smtp.to(ADA)[-1].part("html")
	assert smtp.to(NEW)[-1].message["Subject"] == "Day 2"
	comment = frappe.get_last_doc("Comment", {"reference_doctype": "Contact", "reference_name": contact.name})
	assert ADA in comment.content
	assert NEW in comment.content


def test_link_works_once(enrollment, smtp, web):
	_answer, link = ask(smtp)

	statuses = [Browser(web).post(link, {}).status for _ in range(2)] + [Browser(web).get(link).status]

	assert statuses == [200, 404, 404]


def test_later_request_takes_the_place_of_the_earlier_one(enrollment, smtp, web):
	_answer, first = ask(smtp, f"first@{DOMAIN}")
	_answer, second = ask(smtp)

	assert Browser(web).post(first, {}).status == 404
	assert Browser(web).post(second, {}).status == 200
	assert address_of(enrollment.recipient) == NEW


def test_link_is_valid_for_three_days(enrollment, smtp, web):
	_answer, link = ask(smtp)
	long_ago = to_site(utc_now() - address_change.VALID_FOR)
	frappe.db.set_value("Drip Recipient Preference", {"new_address": NEW}, "change_asked_at", long_ago)
	frappe.db.commit()

	assert Browser(web).post(link, {}).status == 404
	assert address_of(enrollment.recipient) == ADA


def test_address_of_a_request_that_nobody_confirmed_is_forgotten(enrollment, smtp):
	ask(smtp)
	daily.run(utc_now() + timedelta(days=2), enqueue_delivery=False)
	kept = frappe.db.get_value("Drip Recipient Preference", {}, "new_address")

	daily.run(utc_now() + timedelta(days=4), enqueue_delivery=False)

	fields = ["new_address", "change_key", "change_asked_at"]
	assert kept == NEW
	assert frappe.db.get_value("Drip Recipient Preference", {}, fields) == (None, None, None)


@pytest.mark.parametrize(
	"wrong",
	["", "nobody", "a@b@c", f"{NEW},x@y.example", f"{NEW}\r\nBcc: victim@{DOMAIN}", "x" * 300 + "@y.example"],
)
def test_what_is_no_address_is_refused_in_words_and_nothing_is_sent(enrollment, smtp, wrong):
	answer, link = ask(smtp, wrong)

	assert answer.status == 422
	assert "This is not a valid email address." in answer.text
	assert link is None
	assert factories.count("Drip Recipient Preference") == 0
	assert factories.count("Email Queue", reference_doctype=["is", "not set"], status="Not Sent") == 0


def test_present_address_is_not_a_new_one(enrollment, smtp):
	assert (
		"We already use this address."
		in press(link_in(smtp.messages[0]), "change-address", new_address=f"ADA@{DOMAIN}").text
	)


def test_address_that_wants_no_mail_gets_none_and_nobody_is_told(enrollment, smtp):
	known, _link = ask(smtp, f"other@{DOMAIN}")
	suppress(NEW, SuppressionReason.COMPLAINT, utc_now(), source="Test")
	frappe.db.commit()

	answer, link = ask(smtp)

	assert link is None
	assert strip(answer.text) == strip(known.text)


def strip(page: str) -> str:
	"""Return a page without what is new in each."""
	return re.sub(r'nonce="[^"]*"', "", page)


def test_another_is_not_flooded_with_requests(enrollment, smtp):
	statuses = [ask(smtp, f"victim@{DOMAIN}")[0].status for _ in range(4)]

	assert statuses == [200, 200, 200, 429]


def test_records_with_the_address_are_all_changed(enrollment, smtp, web, clock):
	twins = [factories.make_contact(f"Twin {n}", f"ADA@{DOMAIN}") for n in range(4)]
	for twin in twins:
		factories.enroll(factories.make_active_campaign(clock), twin, clock)
	_answer, link = ask(smtp)

	Browser(web).post(link, {})

	assert {address_of(contact) for contact in (enrollment.recipient, *(twin.name for twin in twins))} == {
		NEW
	}
	assert factories.count("Drip Enrollment", email_address=NEW) == 5


def test_login_of_a_user_is_not_changed_but_the_managers_are_told(web, smtp, clock):
	manager = factories.make_user("manager", "Drip Manager")
	user = factories.make_user("login", "Sales User")
	enrollment = factories.enroll(factories.make_active_campaign(clock), frappe.get_doc("User", user), clock)
	factories.run(clock)
	_answer, link = ask(smtp, old=user)

	Browser(web).post(link, {})

	frappe.db.rollback()
	assert frappe.db.get_value("User", user, "email") == user
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "email_address") == user
	comment = frappe.get_last_doc("Comment", {"reference_doctype": "User", "reference_name": user})
	assert f"wants emails at {NEW}" in comment.content
	assert any(user in subject for subject in factories.notifications_of(manager))


def test_what_was_left_at_the_old_address_stays_left_at_the_new_one(enrollment, smtp, web, clock):
	contact = frappe.get_doc("Contact", enrollment.recipient)
	left = factories.make_active_campaign(clock)
	news = factories.make_list("Drip Test News", contact)
	record_opt_out(left.name, ADA)
	unsubscribe_from_list(news.name, ADA, utc_now())
	frappe.db.commit()
	_answer, link = ask(smtp)

	Browser(web).post(link, {})

	frappe.db.rollback()
	assert find_opted_out(left.name, [NEW]) == {NEW}
	assert factories.count("Drip Target List Member", email_address=NEW, opted_out=1) == 1


def test_who_opted_out_of_everything_has_done_so_at_the_new_address_as_well(enrollment, smtp, web):
	_answer, link = ask(smtp)
	suppress(ADA, SuppressionReason.OPTED_OUT, utc_now(), source="Test")
	frappe.db.commit()

	Browser(web).post(link, {})

	frappe.db.rollback()
	assert find_suppressed([NEW]) == {NEW: SuppressionReason.OPTED_OUT}


def test_new_address_that_is_on_the_campaign_and_the_list_already_stays_there_once(
	enrollment, smtp, web, clock
):
	contact, other = frappe.get_doc("Contact", enrollment.recipient), factories.make_contact("Other", NEW)
	kept = factories.enroll(frappe.get_doc("Drip Campaign", enrollment.campaign), other, clock)
	news = factories.make_list("Drip Test News", contact, other)
	unsubscribe_from_list(news.name, ADA, utc_now())
	frappe.db.commit()
	_answer, link = ask(smtp)

	answer = Browser(web).post(link, {})

	frappe.db.rollback()
	assert answer.status == 200
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, ["status", "exit_reason"]) == (
		"Exited",
		"Removed",
	)
	assert frappe.db.get_value("Drip Enrollment", kept.name, "status") == "In Progress"
	assert factories.count("Drip Target List Member") == 1
	assert factories.count("Drip Target List Member", email_address=NEW, opted_out=1) == 1
