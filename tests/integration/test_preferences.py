"""The preferences page over HTTP: what a person gets, a pause, the language, everything, and nothing of anybody else."""

import re

import frappe
import pytest

from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.list_membership import unsubscribe_from_list
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.preferences import load_preference
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.web import Browser

ADA, BOB = f"ada@{DOMAIN}", f"bob@{DOMAIN}"
TABLES = (
	"Drip Enrollment",
	"Drip Email",
	"Drip Event",
	"Drip Target List Member",
	"Drip Recipient Preference",
	"Drip Suppression",
	"Email Queue",
	"Email Unsubscribe",
)


@pytest.fixture
def ada(web):
	"""Ada, a Contact."""
	return factories.make_contact("Ada", ADA)


@pytest.fixture
def news(ada):
	"""A list with Ada on it, which she can see."""
	return factories.make_list(
		"Drip Test Internal Name",
		ada,
		show_to_recipients=1,
		public_title="Product news",
		public_description="Once a month.",
	)


pytestmark = pytest.mark.campaign(name="Drip Test Spring Offers")


@pytest.fixture
def enrollment(campaign, ada, news, clock, smtp):
	"""Ada, who has had the first email of three."""
	enrollment = factories.enroll(campaign, ada, clock)
	factories.run(clock)
	return enrollment


def link_in(message) -> str:
	"""Return the address of the preferences page in an email."""
	return re.search(r'href="([^"]*/drip/preferences/[^"]*)"', message.part("html")).group(1)


def press(link: str, action: str, **fields: str):
	"""Press a button of the page in a fresh browser."""
	answer = Browser(link.partition("/drip/")[0]).post(link, {"action": action, **fields})
	frappe.db.rollback()
	return answer


def boxes(page) -> dict[str, tuple[str, bool]]:
	"""Return the boxes of the page: title -> (key, whether it is ticked)."""
	found = re.findall(
		r'<input type="checkbox" id="get-(\w+)"[^>]*?value="1"( checked)?>\s*<label[^>]*><span dir="auto">([^<]*)',
		page.text,
	)
	return {title: (key, bool(checked)) for key, checked, title in found}


def save(link: str, *ticked: str, language: str = ""):
	"""Open the page, tick the boxes with these titles and no others, and press Save."""
	shown = boxes(Browser(link.partition("/drip/")[0]).get(link))
	fields = {f"shown-{key}": "1" for key, _on in shown.values()}
	fields |= {f"get-{shown[title][0]}": "1" for title in ticked}
	return press(link, "save", language=language, **fields)


def status_of(enrollment) -> str:
	frappe.db.rollback()
	return frappe.db.get_value("Drip Enrollment", enrollment.name, "status")


def state_of_the_site() -> dict:
	frappe.db.rollback()
	return {
		doctype: frappe.get_all(doctype, fields=["name", "modified"], order_by="name") for doctype in TABLES
	}


def test_page_is_linked_in_the_foot_of_the_e_mail_in_html_and_in_plain_text(enrollment, smtp):
	[message] = smtp.messages

	assert "Manage your email preferences" in message.part("html")
	assert link_in(message) in message.part("plain")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_page_changes_nothing(enrollment, smtp, web, method):
	before = state_of_the_site()

	answers = [Browser(web).get(link_in(smtp.messages[0]), method=method) for _ in range(3)]

	assert [answer.status for answer in answers] == [200] * 3
	assert state_of_the_site() == before


def test_page_shows_titles_for_recipients_and_neither_address_nor_internal_names(enrollment, smtp, web):
	page = Browser(web).get(link_in(smtp.messages[0]))

	assert {title: on for title, (_key, on) in boxes(page).items()} == {
		"Product news": True,
		"Drip Test Spring Offers": True,
	}
	assert "Once a month." in page.text
	for secret in (ADA, DOMAIN, "Internal Name", enrollment.recipient):
		assert secret not in page.text
	assert "noindex" in page.headers["X-Robots-Tag"]
	assert "default-src 'none'" in page.headers["Content-Security-Policy"]
	assert "<script" not in page.text


def test_list_that_is_not_for_recipients_is_not_shown(enrollment, ada, smtp, web):
	factories.make_list("Drip Test Bad Payers", ada)
	frappe.db.commit()

	assert "Bad Payers" not in Browser(web).get(link_in(smtp.messages[0])).text


@pytest.mark.parametrize(("opted_out", "shown"), [(0, []), (1, ["Product news"])])
def test_list_that_somebody_has_dropped_out_of_is_shown_only_if_they_have_left_it(
	enrollment, news, smtp, web, opted_out, shown
):
	values = {"removed_at": frappe.utils.now_datetime(), "opted_out": opted_out}
	frappe.db.set_value("Drip Target List Member", {"target_list": news.name}, values)
	frappe.db.commit()

	page = Browser(web).get(link_in(smtp.messages[0]))

	assert list(boxes(page)) == [*shown, "Drip Test Spring Offers"]


def test_unticking_a_campaign_leaves_it_and_ticking_it_comes_back_where_it_stopped(enrollment, smtp, clock):
	link = link_in(smtp.messages[0])

	answer = save(link, "Product news")
	assert (answer.status, status_of(enrollment)) == (200, "Unsubscribed")
	assert "Your choice was saved" in answer.text
	assert boxes(answer)["Drip Test Spring Offers"][1] is False

	answer = save(link, "Product news", "Drip Test Spring Offers")
	assert status_of(enrollment) == "In Progress"
	assert boxes(answer)["Drip Test Spring Offers"][1] is True
	assert factories.count("Email Unsubscribe", email=ADA) == 0
	clock.now = utc_now()
	clock.advance(days=5)
	factories.run(clock)
	assert [message.message["Subject"] for message in smtp.messages] == ["Day 0", "Day 2"]


def test_unticking_withdraws_what_is_queued(enrollment, smtp, clock):
	clock.advance(days=2)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	save(link_in(smtp.messages[0]), "Product news")
	delivery.deliver(clock)

	assert len(smtp.messages) == 1


def test_unticking_a_list_ends_what_came_through_it_and_ticking_it_takes_it_up(
	enrollment, news, ada, smtp, clock
):
	through = factories.enroll(
		factories.make_active_campaign(clock, name="Drip Test Through"), ada, clock, target_list=news.name
	)
	link = link_in(smtp.messages[0])

	save(link, "Drip Test Spring Offers", "Drip Test Through")
	assert (status_of(through), status_of(enrollment)) == ("Unsubscribed", "In Progress")
	assert factories.count("Drip Target List Member", opted_out=1) == 1

	save(link, "Drip Test Spring Offers", "Product news")
	assert (status_of(through), status_of(enrollment)) == ("In Progress", "In Progress")
	assert factories.count("Drip Target List Member", opted_out=1) == 0


def test_what_came_on_since_the_page_was_opened_is_not_left_by_saving_it(enrollment, ada, smtp, clock, web):
	link = link_in(smtp.messages[0])
	shown = boxes(Browser(web).get(link))
	later = factories.enroll(factories.make_active_campaign(clock), ada, clock)

	press(link, "save", **{f"shown-{key}": "1" for key, _on in shown.values()})

	assert (status_of(later), status_of(enrollment)) == ("In Progress", "Unsubscribed")


def test_names_and_keys_of_others_in_the_request_do_nothing(enrollment, smtp, clock, web):
	bob = factories.make_contact("Bob", BOB)
	secret = factories.make_list("Drip Test Of Bob", bob, show_to_recipients=1, public_title="For Bob")
	other = factories.enroll(factories.make_active_campaign(clock), bob, clock)
	frappe.db.commit()
	keys = [key for key, _on in boxes(Browser(web).get(Links().preferences(other.name, BOB))).values()]
	before = state_of_the_site()
	names = [*keys, secret.name, other.name, other.campaign, "x" * 5000, "' OR 1=1 --", "<b>"]

	answer = press(link_in(smtp.messages[0]), "save", **{f"shown-{name}": "1" for name in names})

	assert len(keys) == 2
	assert answer.status == 200
	assert state_of_the_site() == before
	assert "For Bob" not in answer.text


def forge(enrollment: str, address: str) -> dict[str, str]:
	"""Return paths that are none of ours, by what is wrong with them."""
	good = Links().preferences(enrollment, address).rpartition("/")[2]
	return {
		"nothing": "",
		"truncated": good[:-3],
		"a leave token": Links().unsubscribe(enrollment).rpartition("/")[2],
		"only the enrollment": enrollment,
		"another address": Links().preferences(enrollment, BOB).rpartition("/")[2],
		"nobody": Links().preferences("0000000000", address).rpartition("/")[2],
		"binary": "%00%ff%fe",
		"enormous": "A" * 6000,
	}


def test_link_that_is_not_ours_opens_nothing_and_changes_nothing(enrollment, web):
	before = state_of_the_site()

	for wrong, token in forge(enrollment.name, ADA).items():
		for page in ("preferences", "address"):
			path = f"/drip/{page}/{token}"
			answers = [
				Browser(web).get(path),
				*(Browser(web).post(path, {"action": action}) for action in ("erase", "leave-all", "copy")),
			]
			assert [answer.status for answer in answers] == [404] * 4, wrong
			assert all("This link does not work" in answer.text for answer in answers), wrong

	assert state_of_the_site() == before


def test_link_to_an_old_address_shows_nothing_of_the_new_one(enrollment, ada, smtp, clock, web):
	old_link = link_in(smtp.messages[0])
	ada.email_ids[0].email_id = BOB
	ada.save()
	frappe.db.commit()
	clock.advance(days=2)
	factories.run(clock)
	factories.make_list("Drip Test Of Bob", ada, show_to_recipients=1, public_title="For Bob")
	frappe.db.commit()

	old, new = Browser(web).get(old_link), Browser(web).get(link_in(smtp.messages[1]))

	assert list(boxes(old)) == ["Product news"]
	assert list(boxes(new)) == ["For Bob", "Drip Test Spring Offers"]
	press(old_link, "leave-all")
	assert status_of(enrollment) == "In Progress"


def test_address_of_five_records_has_one_page_for_all(enrollment, smtp, clock):
	twins = [
		factories.enroll(
			factories.make_active_campaign(clock, name=f"Drip Test Twin {n}"),
			factories.make_contact(f"Twin {n}", f"ADA@{DOMAIN}"),
			clock,
		)
		for n in range(4)
	]

	answer = save(link_in(smtp.messages[0]), "Product news")

	assert {status_of(each) for each in (enrollment, *twins)} == {"Unsubscribed"}
	assert len(boxes(answer)) == 6


@pytest.mark.parametrize("days", [30, 90])
def test_pause_is_asked_for_and_ended_on_the_page(enrollment, smtp, days):
	link = link_in(smtp.messages[0])

	answer = press(link, f"pause-{days}")
	assert f"You will get no campaign emails for {days} days." in answer.text
	assert status_of(enrollment) == "Paused"
	until = frappe.db.get_value("Drip Enrollment", enrollment.name, "paused_until")
	assert abs((load_preference(ADA).paused_until - utc_now()).days - days) <= 1
	assert until

	answer = press(link, "end-pause")
	assert "The pause is over." in answer.text
	assert load_preference(ADA).paused_until is None
	dispatch_due.dispatch(utc_now(), enqueue_delivery=False)
	assert status_of(enrollment) == "In Progress"


def test_pause_of_another_length_is_not_offered(enrollment, smtp):
	assert press(link_in(smtp.messages[0]), "pause-36500").status == 200

	assert (status_of(enrollment), load_preference(ADA).paused_until) == ("In Progress", None)


def test_language_is_that_of_the_page_and_of_the_next_e_mail(enrollment, smtp, clock, web):
	link = link_in(smtp.messages[0])

	answer = save(link, "Product news", "Drip Test Spring Offers", language="ar")
	clock.advance(days=2)
	factories.run(clock)

	assert '<html lang="ar" dir="rtl">' in answer.text
	assert '<html lang="ar" dir="rtl">' in Browser(web).get(link).text
	assert 'dir="rtl"' in smtp.messages[1].part("html")
	assert 'dir="rtl"' not in smtp.messages[0].part("html")


@pytest.mark.parametrize("language", ["xx", "../../etc", "en' OR 1=1", "x" * 3000])
def test_language_that_is_not_offered_is_not_taken(enrollment, smtp, language):
	assert save(link_in(smtp.messages[0]), language=language).status == 200

	assert load_preference(ADA).language == ""


def test_everything_is_left_and_taken_up_again(enrollment, smtp):
	link = link_in(smtp.messages[0])

	answer = press(link, "leave-all")
	assert status_of(enrollment) == "Unsubscribed"
	assert "You get no marketing emails from us" in answer.text
	assert boxes(answer) == {}

	answer = press(link, "come-back")
	assert factories.count("Drip Suppression", lifted=0) == 0
	assert "Choose which ones below." in answer.text


def test_who_complained_does_not_come_back_by_the_page(enrollment, smtp):
	suppress(ADA, SuppressionReason.COMPLAINT, utc_now(), source="Test")
	frappe.db.commit()

	answer = press(link_in(smtp.messages[0]), "come-back")

	assert "Get emails again" not in answer.text
	assert factories.count("Drip Suppression", lifted=0) == 1


def test_list_left_elsewhere_is_shown_unticked(enrollment, news, smtp, web):
	unsubscribe_from_list(news.name, ADA, utc_now())
	frappe.db.commit()

	assert boxes(Browser(web).get(link_in(smtp.messages[0])))["Product news"][1] is False


def test_names_are_escaped_on_the_page(enrollment, news, smtp, web):
	news.public_title = '<img src=x onerror="alert(1)">'
	news.public_description = "{{ 7 * 7 }}</label>"
	news.save()
	frappe.db.commit()

	page = Browser(web).get(link_in(smtp.messages[0]))

	assert "<img src=x" not in page.text
	assert "{{ 7 * 7 }}&lt;/label&gt;" in page.text


def test_two_who_save_at_once_have_saved_once(enrollment, smtp):
	from concurrent.futures import ThreadPoolExecutor

	link = link_in(smtp.messages[0])
	with ThreadPoolExecutor(4) as pool:
		answers = list(
			pool.map(
				lambda _n: Browser(link.partition("/drip/")[0]).post(link, {"action": "pause-30"}), range(4)
			)
		)

	frappe.db.rollback()
	assert {answer.status for answer in answers} == {200}
	assert factories.count("Drip Recipient Preference") == 1
	assert status_of(enrollment) == "Paused"


def test_page_on_which_one_leaves_leads_to_the_preferences(enrollment, smtp, web):
	page = Browser(web).get(smtp.messages[0].message["List-Unsubscribe"].partition(">")[0].strip("<"))

	[link] = re.findall(r'href="[^"]*(/drip/preferences/[^"]*)"', page.text)
	assert "Your email preferences" in Browser(web).get(link).text


def test_page_on_which_one_leaves_leads_nowhere_once_the_address_is_another(
	enrollment, ada, smtp, clock, web
):
	ada.email_ids[0].email_id = BOB
	ada.save()
	frappe.db.commit()
	clock.advance(days=2)
	factories.run(clock)

	page = Browser(web).get(smtp.messages[0].message["List-Unsubscribe"].partition(">")[0].strip("<"))

	assert page.status == 200
	assert "/drip/preferences/" not in page.text


def test_who_posts_again_and_again_is_asked_to_wait(enrollment, smtp):
	link = link_in(smtp.messages[0])

	statuses = [press(link, "nothing").status for _ in range(31)]

	assert statuses == [200] * 30 + [429]
