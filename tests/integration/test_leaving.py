"""What a recipient leaves by the page, how far it reaches, and the way back: over HTTP, with a real mail server."""

import threading
import urllib.request

import frappe
import pytest

from drip_campaigns.api import desk
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.jobs import daily, dispatch_due
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.rendering.links import Links
from tests import factories
from tests.factories import DOMAIN
from tests.web import Browser

ADA = f"ada@{DOMAIN}"
EVERYTHING = {"action": "leave", "scope": "everything"}


@pytest.fixture
def two(web, clock, smtp):
	"""Ada on two active campaigns, of which the first emails were sent."""
	ada = factories.make_contact("Ada", ADA)
	enrollments = [
		factories.enroll(factories.make_active_campaign(clock, name=f"Drip Test {name}"), ada, clock)
		for name in ("Spring", "Autumn")
	]
	factories.run(clock)
	return enrollments


def link_of(enrollment) -> str:
	"""Return the link in the first email of an enrollment."""
	return Links().unsubscribe(enrollment.name)


def statuses(*enrollments) -> list[str]:
	"""Return what the enrollments are now."""
	frappe.db.rollback()
	return [enrollment.reload().status for enrollment in enrollments]


def test_page_says_what_from_whom_and_offers_both_ways_out(web, two):
	page = Browser(web).get(link_of(two[0]))

	assert "Drip Test Spring" in page.text
	this, everything = (
		page.text.index("Unsubscribe from this series"),
		page.text.index("Unsubscribe from all marketing"),
	)
	assert this < everything
	assert page.text.count("<form method=") == 2


def test_campaign_says_which_way_out_stands_first_and_what_one_click_does(web, two, smtp):
	frappe.db.set_value("Drip Campaign", two[0].campaign, "unsubscribe_scope", "Everything from This Sender")
	frappe.db.commit()
	page = Browser(web).get(link_of(two[0]))

	Browser(web).post(link_of(two[0]), {"List-Unsubscribe": "One-Click"})

	assert page.text.index("Unsubscribe from all marketing") < page.text.index(
		"Unsubscribe from this series only"
	)
	assert statuses(*two) == ["Unsubscribed"] * 2


def test_leaving_one_campaign_leaves_the_other_alone(web, two):
	Browser(web).post(link_of(two[0]), {"action": "leave", "scope": "campaign"})

	assert statuses(*two) == ["Unsubscribed", "In Progress"]
	assert factories.count("Drip Suppression") == 0


def test_opting_out_of_everything_ends_all_and_withdraws_what_is_queued(web, two, smtp, clock):
	clock.advance(days=2)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	answer = Browser(web).post(link_of(two[0]), EVERYTHING)
	delivery.deliver(clock)

	assert answer.status == 200
	assert "You will get no more marketing emails from us." in answer.text
	assert statuses(*two) == ["Unsubscribed"] * 2
	assert factories.count("Email Queue", reference_doctype="Drip Enrollment", status="Not Sent") == 0
	assert frappe.db.get_value("Contact", two[0].recipient, "unsubscribed") == 1
	assert len(smtp.messages) == 2


@pytest.mark.parametrize("scope", ["campaign", "everything"])
def test_undo_brings_everything_back_that_this_leaving_ended(web, two, smtp, clock, scope):
	browser = Browser(web)
	before = [(row.reload().status, row.next_send_at) for row in two]
	browser.post(link_of(two[0]), {"action": "leave", "scope": scope})

	answer = browser.post(link_of(two[0]), {"action": "undo", "scope": scope})

	assert "You are subscribed again" in answer.text
	assert statuses(*two) == ["In Progress"] * 2
	assert two[1].next_send_at == before[1][1] or scope == "everything"
	assert factories.count("Email Unsubscribe", email=ADA) == 0
	assert frappe.db.get_value("Contact", two[0].recipient, "unsubscribed") == 0
	assert factories.count("Drip Event", event_type="Resubscribed") == (1 if scope == "campaign" else 2)


def test_undoing_the_opting_out_leaves_what_was_left_before(web, two):
	browser = Browser(web)
	browser.post(link_of(two[1]), {"action": "leave", "scope": "campaign"})
	browser.post(link_of(two[0]), EVERYTHING)

	browser.post(link_of(two[0]), {"action": "undo", "scope": "everything"})

	assert statuses(*two) == ["In Progress", "Unsubscribed"]


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.MANUAL])
def test_what_others_decided_is_not_undone_by_the_link(web, two, clock, reason):
	suppress(ADA, reason, clock.now, source="test", note="test")
	frappe.db.commit()

	answer = Browser(web).post(link_of(two[0]), {"action": "undo", "scope": "everything"})

	assert "You cannot undo this here" in answer.text
	assert "undo it" not in answer.text
	assert statuses(*two) == ["Exited"] * 2


def test_reason_is_kept_as_plain_text_and_html_does_no_harm(web, two):
	browser, evil = Browser(web), "<script>alert(1)</script> & more\r\nX-Evil: 1 " + "a" * 2000
	browser.post(link_of(two[0]), {})

	answer = browser.post(
		link_of(two[0]), {"action": "reason", "reason": "I get too many emails", "comment": evil}
	)

	frappe.db.rollback()
	kept = frappe.db.get_value("Drip Enrollment", two[0].name, "unsubscribe_reason")
	assert kept.startswith("I get too many emails:") and "more X-Evil: 1 aaa" in kept  # on one line
	assert "script" not in kept
	assert len(kept) <= 500
	assert "Thank you for your feedback." in answer.text
	assert "alert(1)" not in answer.text
	assert frappe.get_last_doc("Drip Event", {"event_type": "Feedback"}).detail == kept


@pytest.mark.parametrize(
	"form", [{"action": "burn"}, {"scope": "world"}, {"reason": "x" * 100_000}, {"scope": "list"}]
)
def test_form_with_nonsense_in_it_leaves_the_campaign_and_nothing_else(web, two, form):
	answer = Browser(web).post(link_of(two[0]), form)

	assert answer.status == 200
	assert statuses(*two) == ["Unsubscribed", "In Progress"]


def test_five_records_with_one_address_are_one_person(web, clock, smtp):
	spelled = [ADA, ADA.upper(), ADA.title(), ADA.replace("ada", "aDa"), ADA.replace("drip", "DRIP")]
	people = [factories.make_contact(f"Ada {number}", address) for number, address in enumerate(spelled)]
	enrollments = [
		factories.enroll(factories.make_active_campaign(clock), person, clock) for person in people
	]
	plus = factories.enroll(
		frappe.get_doc("Drip Campaign", enrollments[0].campaign),
		factories.make_contact("Plus", ADA.replace("ada", "ada+erp")),
		clock,
	)
	factories.run(clock)

	Browser(web).post(link_of(enrollments[2]), EVERYTHING)

	assert statuses(*enrollments) == ["Unsubscribed"] * 5
	assert statuses(plus) == ["In Progress"]
	assert [person.reload().unsubscribed for person in people] == [1] * 5


def test_links_work_after_enrollment_and_campaign_were_deleted(web, two, clock):
	link, campaign = link_of(two[0]), two[0].campaign
	two[0].delete()
	frappe.delete_doc("Drip Campaign", campaign)
	frappe.db.commit()
	browser = Browser(web)

	page = browser.get(link)
	answers = [browser.post(link, {"List-Unsubscribe": "One-Click"}), browser.post(link, EVERYTHING)]

	assert "Drip Test Spring" in page.text
	assert [answer.status for answer in answers] == [200, 200]
	assert statuses(two[1]) == ["Unsubscribed"]


def test_deleted_enrollment_to_which_nothing_was_sent_is_forgotten_and_others_after_400_days(
	web, two, clock, smtp
):
	new = factories.enroll(
		frappe.get_doc("Drip Campaign", two[0].campaign), factories.make_contact("Bob"), clock
	)
	two[0].delete()
	new.delete()
	frappe.db.commit()
	kept = frappe.get_all("Drip Former Enrollment", pluck="name")
	link = link_of(two[0])

	clock.advance(days=800)
	daily.run(clock.now, enqueue_delivery=False)

	assert kept == [two[0].name]
	assert factories.count("Drip Former Enrollment") == 0
	assert Browser(web).get(link).status == 404


def test_two_who_post_at_once_leave_once(web, two):
	answers = []
	threads = [
		threading.Thread(target=lambda link=link: answers.append(Browser(web).post(link, EVERYTHING).status))
		for link in [link_of(two[0]), link_of(two[1])] * 3
	]

	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()

	assert answers == [200] * 6
	assert statuses(*two) == ["Unsubscribed"] * 2
	assert factories.count("Drip Suppression") == 1
	assert factories.count("Drip Event", event_type="Suppressed") == 1
	assert factories.count("Drip Event", event_type="Unsubscribed") == 2


def test_leaving_one_campaign_by_two_posts_at_once_is_one_record(web, two):
	link, answers = link_of(two[0]), []
	threads = [
		threading.Thread(target=lambda: answers.append(Browser(web).post(link, {}).status)) for _ in range(5)
	]

	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()

	assert answers == [200] * 5
	assert statuses(two[0]) == ["Unsubscribed"]
	assert factories.count("Email Unsubscribe", email=ADA) == 1
	assert factories.count("Drip Event", event_type="Unsubscribed") == 1


def test_manager_brings_somebody_back_who_asks_with_the_proof_in_the_log(web, two):
	Browser(web).post(link_of(two[0]), {})
	frappe.db.rollback()

	desk.resubscribe_enrollment(two[0].name, "He called us.")

	assert two[0].reload().status == "In Progress"
	assert factories.count("Drip Event", event_type="Resubscribed", detail="He called us.") == 1
	assert factories.count("Email Unsubscribe", email=ADA) == 0


def test_manager_is_told_to_lift_the_suppression_first(web, two):
	Browser(web).post(link_of(two[0]), EVERYTHING)
	frappe.db.rollback()

	with pytest.raises(frappe.ValidationError, match="Lift the Drip Suppression"):
		desk.resubscribe_enrollment(two[0].name, "He called us.")


def test_page_speaks_the_language_of_the_browser_and_else_that_of_the_site(web, two):
	def language_for(accepted: str) -> str:
		request = urllib.request.Request(link_of(two[0]), headers={"Accept-Language": accepted})
		with urllib.request.urlopen(request) as response:
			return response.headers["Content-Language"]

	assert language_for("tlh, ar-EG;q=0.8, de;q=0.5") == "ar"
	assert language_for("tlh") == "en"


@pytest.mark.parametrize("language", ["de", "ar"])
def test_page_speaks_the_language_of_the_record_before_that_of_the_browser(web, clock, language):
	user = frappe.get_doc("User", factories.make_user("reader", "Sales User"))
	user.db_set("language", language)
	enrollment = factories.enroll(factories.make_active_campaign(clock), user, clock)

	page = Browser(web).get(link_of(enrollment))

	assert f'lang="{language}"' in page.text
	assert ('dir="rtl"' in page.text) == (language == "ar")
