"""The scope of an opt-out is that of the audience: who came through a list leaves the list, by every way out, and may return."""

import frappe
import pytest

from drip_campaigns.enrollment import unsubscribe
from drip_campaigns.inbound.unsubscribe_mails import unsubscribe_by_subject
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.web import Browser

ADA = f"ada@{DOMAIN}"
AUDIENCE = {"action": "leave", "scope": "audience"}


@pytest.fixture
def news(site):
	"""A list that recipients see, with Ada on it."""
	return factories.make_list(
		"", factories.make_contact("Ada", ADA), show_to_recipients=1, public_title="Monthly news"
	)


@pytest.fixture
def two(web, clock, smtp, news):
	"""Ada in two campaigns of the list, and in one by hand."""
	[member] = frappe.get_all("Drip Target List Member", {"target_list": news.name}, ["recipient"])
	contact = frappe.get_doc("Contact", member.recipient)
	included = [{"target_list": news.name}]
	campaigns = [
		factories.make_active_campaign(clock, name=f"Drip Test {name}", target_lists=included)
		for name in ("Spring", "Autumn")
	]
	enrollments = [factories.enroll(one, contact, clock, target_list=news.name) for one in campaigns]
	by_hand = factories.enroll(factories.make_active_campaign(clock), contact, clock)
	factories.run(clock)
	return [*enrollments, by_hand]


def link_of(enrollment) -> str:
	return Links().unsubscribe(enrollment.name)


def statuses(enrollments) -> list[str]:
	frappe.db.rollback()
	return [one.reload().status for one in enrollments]


def is_opted_out(target_list) -> int:
	return frappe.db.get_value("Drip Target List Member", {"target_list": target_list.name}, "opted_out")


def by_one_click(web, enrollment) -> None:
	Browser(web).post(link_of(enrollment), {"List-Unsubscribe": "One-Click"})


def by_page(web, enrollment) -> None:
	Browser(web).post(link_of(enrollment), AUDIENCE)


def by_mail(_web, enrollment) -> None:
	assert unsubscribe_by_subject(f"unsubscribe {link_of(enrollment).rpartition('/')[2]}")
	frappe.db.commit()


def by_deleted_enrollment(web, enrollment) -> None:
	link = link_of(enrollment)
	frappe.delete_doc("Drip Enrollment", enrollment.name)
	frappe.db.commit()
	Browser(web).post(link, {})


@pytest.mark.parametrize("leave", [by_one_click, by_page, by_mail, by_deleted_enrollment])
def test_leaving_a_campaign_of_a_list_leaves_the_list_and_its_other_campaigns(web, two, news, leave):
	leave(web, two[0])

	frappe.db.rollback()
	assert is_opted_out(news) == 1
	assert statuses(two[1:]) == ["Unsubscribed", "In Progress"]
	assert factories.count("Drip Suppression") == 0


def test_page_names_the_list_and_offers_three_ways_out(web, two):
	page = Browser(web).get(link_of(two[0])).text

	places = [
		page.index(text)
		for text in (
			"Monthly news",
			"Unsubscribe from this series and its lists",
			"Unsubscribe from this series only",
			"Unsubscribe from all marketing emails",
		)
	]
	assert places == sorted(places)
	assert page.count("<form method=") == 3


def test_internal_name_of_a_list_is_shown_to_nobody(web, two, news):
	news.reload().update({"show_to_recipients": 0}).save()
	frappe.db.commit()

	page = Browser(web).get(link_of(two[0])).text

	assert news.name not in page and "Monthly news" not in page
	assert "You get it through a mailing list" in page


def test_this_series_only_stays_a_choice_and_the_lists_can_follow(web, two, news):
	browser = Browser(web)
	answer = browser.post(link_of(two[0]), {"action": "leave", "scope": "campaign"})
	before = statuses(two), is_opted_out(news)

	after = browser.post(link_of(two[0]), AUDIENCE)

	assert before == (["Unsubscribed", "In Progress", "In Progress"], 0)
	assert "Unsubscribe from its lists, too" in answer.text
	assert "this series and its lists:" in after.text
	assert statuses(two) == ["Unsubscribed", "Unsubscribed", "In Progress"]


def test_undo_returns_to_the_lists_that_were_left_with_the_campaign_and_to_no_other(web, two, news):
	member = frappe.get_last_doc("Drip Target List Member", {"target_list": news.name})
	contact = frappe.get_doc("Contact", member.recipient)
	earlier = factories.make_list("", contact)
	campaign = frappe.get_doc("Drip Campaign", two[0].campaign)
	campaign.append("target_lists", {"target_list": earlier.name})
	campaign.save()
	unsubscribe.unsubscribe_from_list(earlier.name, ADA, utc_now())
	frappe.db.commit()
	browser = Browser(web)
	browser.post(link_of(two[0]), AUDIENCE)

	browser.post(link_of(two[0]), {"action": "undo", "scope": "campaign"})

	assert statuses(two) == ["In Progress"] * 3
	assert (is_opted_out(news), is_opted_out(earlier)) == (0, 1)


def test_resubscribing_in_desk_returns_to_the_lists_too(web, two, news):
	by_one_click(web, two[0])
	frappe.db.rollback()

	unsubscribe.resubscribe_enrollment(two[0].reload(), "Asked by phone", utc_now())

	assert (two[0].reload().status, is_opted_out(news)) == ("In Progress", 0)


@pytest.mark.parametrize(
	("site_wide", "own", "suppressed"),
	[
		("", "", 0),
		("Everything from This Sender", "", 1),
		("Everything from This Sender", "This Campaign and Its Lists", 0),
		("This Campaign and Its Lists", "Everything from This Sender", 1),
	],
)
def test_site_or_campaign_says_what_one_click_means(web, two, site_wide, own, suppressed):
	frappe.db.set_single_value("Drip Settings", "unsubscribe_scope", site_wide)
	frappe.db.set_value("Drip Campaign", two[0].campaign, "unsubscribe_scope", own)
	frappe.db.commit()
	frappe.clear_document_cache("Drip Settings", "Drip Settings")

	page = Browser(web).get(link_of(two[0])).text
	by_one_click(web, two[0])

	frappe.db.rollback()
	assert factories.count("Drip Suppression") == suppressed
	first = "all marketing emails" if suppressed else "this series and its lists"
	assert page.index(f"Unsubscribe from {first}") == page.index(
		"Unsubscribe from", page.index('class="choices"')
	)


def test_email_of_no_list_leaves_no_list(web, two, news):
	by_one_click(web, two[2])

	assert statuses(two) == ["In Progress", "In Progress", "Unsubscribed"]
	assert is_opted_out(news) == 0
