"""Opens and clicks, through the real web server: where links lead, what is noted, and what is counted of it."""

import os
import re
import urllib.request
from datetime import timedelta
from html import unescape

import frappe
import pytest

from drip_campaigns.campaign.preview import render_step
from drip_campaigns.core.tracking import bot_detection
from drip_campaigns.core.tracking.visits import Visit, VisitKind, write_visit
from drip_campaigns.jobs import count_visits as counting
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.rendering.link_targets import find_target
from drip_campaigns.site.clock import from_site, utc_now
from drip_campaigns.stats import visit_buffer
from tests import factories
from tests.processes import run_together
from tests.web import Browser, WebServer

TEXT = (
	'<p>Hi {{ recipient.first_name }} <a href="https://a.example/one?x=1&amp;y=2">one</a> '
	'<a href="https://a.example/two" data-no-track>two</a> <a href="mailto:a@a.example">mail</a> '
	'<a href="https://a.example/of/{{ recipient.first_name }}">own</a></p>'
)
LATER = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def quick_people(monkeypatch):
	"""People who follow two links within a second: a test does not wait."""
	monkeypatch.setattr(bot_detection, "HASTE", timedelta(0))


def send(clock, *contacts, text: str = TEXT, **fields):
	"""Send one step to each of the contacts at the clock's time, months before any request; return the campaign."""
	campaign = factories.make_active_campaign(
		clock, factories.step(0, "Hello", text), **{"tracking_mode": "Individual", **fields}
	)
	for contact in contacts:
		factories.enroll(campaign, contact, clock)
	factories.run(clock)
	return campaign


def links_in(smtp, address: str) -> list[str]:
	"""Return the addresses of the links and of the picture of the last email to `address`."""
	html = smtp.to(address)[-1].part("html")
	return [unescape(url) for url in re.findall(r'(?:href|src)="([^"]*)"', html)]


def find(links: list[str], part: str) -> list[str]:
	"""Return those links that have a part in common."""
	return [link for link in links if part in link]


def agree(*contacts) -> None:
	"""Record people's consent to individual tracking."""
	for contact in contacts:
		save_preference(contact.email_id, tracking_consent=1, tracking_consent_at=frappe.utils.now())
	frappe.db.commit()


def count() -> int:
	"""Count what waits, as the scheduler does half a minute later."""
	frappe.db.rollback()
	return counting.count_visits(utc_now() + LATER)


def events(**filters) -> list[frappe._dict]:
	"""Return the lines of the log about opens and clicks."""
	filters.setdefault("event_type", ["in", ["Opened", "Clicked"]])
	fields = [
		"event_type",
		"is_bot",
		"enrollment",
		"drip_email",
		"email_address",
		"link",
		"detail",
		"step",
	]
	return frappe.get_all(
		"Drip Event",
		filters=filters,
		fields=[*fields, "tracking_url", "campaign"],
		order_by="occurred_at, name",
	)


class Reader(Browser):
	"""A browser of a person, who shows what it is."""

	def _ask(self, request):
		request.add_header(
			"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
		)
		return super()._ask(request)


def test_person_who_follows_a_link_gets_there_and_stands_in_the_log(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	agree(ada)
	campaign = send(clock, ada)
	one, own = find(links_in(smtp, ada.email_id), "/drip/click/")

	answers = [Reader(web).get(one), Reader(web).get(one, "HEAD"), Reader(web).get(own)]

	assert [answer.status for answer in answers] == [302, 302, 302]
	assert answers[0].headers["Location"] == "https://a.example/one?x=1&y=2"
	assert answers[2].headers["Location"] == "https://a.example/of/Ada"
	assert not any(answer.headers.get_all("Set-Cookie") for answer in answers)
	assert count() == 3
	mail = frappe.get_last_doc("Drip Email")
	assert [(event.link, event.detail) for event in events(is_bot=0, enrollment=mail.enrollment)] == [
		("https://a.example/one?x=1&y=2", "https://a.example/one?x=1&y=2"),
		("https://a.example/of/{{ recipient.first_name }}", "https://a.example/of/Ada"),
	]
	assert (mail.clicks, mail.human_clicks, mail.opens) == (3, 2, 0)
	assert mail.first_clicked_at
	assert events(is_bot=1)[0].campaign == campaign.name
	assert frappe.get_all("Drip Tracking URL", fields=["clicks", "human_clicks"], order_by="clicks") == [
		{"clicks": 1, "human_clicks": 1},
		{"clicks": 2, "human_clicks": 1},
	]


def test_links_that_are_none_of_ours_to_count_stay_and_no_address_stands_in_those_that_are(
	site, smtp, clock, web
):
	ada = factories.make_contact("Ada")
	send(clock, ada, text=TEXT + '<a href="{{ unsubscribe_url }}">bye</a>')
	links = links_in(smtp, ada.email_id)

	assert "https://a.example/two" in links
	assert "mailto:a@a.example" in links
	assert len(find(links, "/drip/leave/")) == 1
	assert len(find(links, "/drip/click/")) == 2
	assert len(find(links, "/drip/open/")) == 1
	assert not [link for link in links if ada.email_id in link or ada.name in link]


def test_colleagues_see_where_links_lead_and_count_as_nobody(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	send(clock, ada)

	content = frappe.get_last_doc("Communication", {"recipients": ada.email_id}).content

	assert "/drip/click/" not in content
	assert "/drip/open/" not in content
	assert 'href="https://a.example/one?x=1&amp;y=2"' in content
	assert 'href="https://a.example/of/Ada"' in content


def test_picture_tells_of_an_open_and_is_never_kept(site, smtp, clock, web_server, web):
	ada = factories.make_contact("Ada")
	agree(ada)
	send(clock, ada)
	(picture,) = find(links_in(smtp, ada.email_id), "/drip/open/")

	request = urllib.request.Request(picture, headers={"User-Agent": "Thunderbird/128.0"})
	with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
		body, headers = answer.read(), answer.headers
	assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/gif", "no-store")
	assert body[:6] == b"GIF89a"
	assert not headers.get_all("Set-Cookie")
	count()
	mail = frappe.get_last_doc("Drip Email")
	assert (mail.opens, mail.human_opens) == (1, 1)
	assert [event.drip_email for event in events(event_type="Opened")] == [mail.name]


def test_nothing_is_recorded_in_mode_none_and_nobody_in_the_anonymous_one(site, smtp, clock, web):
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")
	agree(ada, bob)
	send(clock, ada, tracking_mode="None")
	silent = links_in(smtp, ada.email_id)
	send(clock, bob, tracking_mode="Anonymous Totals")
	for link in find(links_in(smtp, bob.email_id), "/drip/click/"):
		Reader(web).get(link)
		count()

	assert not find(silent, "/drip/click/") + find(silent, "/drip/open/")
	assert "https://a.example/of/Ada" in silent
	found = events()
	assert len(found) == 2
	assert not any(event.enrollment or event.drip_email or event.email_address for event in found)
	assert all(event.campaign and event.step and event.tracking_url for event in found)
	assert "Bob" not in str(found)
	assert not frappe.db.count("Drip Email", {"clicks": [">", 0]})


def test_who_refuses_after_the_e_mail_was_sent_is_no_longer_recorded_as_a_person(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	agree(ada)
	send(clock, ada)
	save_preference(ada.email_id, tracking_consent=0, tracking_consent_at=frappe.utils.now())
	frappe.db.commit()

	Reader(web).get(find(links_in(smtp, ada.email_id), "/drip/click/")[0])
	count()

	assert [(event.enrollment, event.email_address) for event in events()] == [(None, None)]


def test_link_works_when_campaign_and_e_mail_are_gone_and_counts_where_it_led(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	agree(ada)
	campaign = send(clock, ada)
	links = find(links_in(smtp, ada.email_id), "/drip/click/")
	for name in frappe.get_all("Drip Enrollment", {"campaign": campaign.name}, pluck="name"):
		frappe.delete_doc("Drip Enrollment", name, force=True)
	campaign.reload()
	campaign.delete()
	frappe.db.commit()

	answers = [Reader(web).get(link) for link in links]

	assert [answer.status for answer in answers] == [302, 302]
	assert count() == 2
	assert {event.enrollment for event in events()} == {None}
	assert sum(frappe.get_all("Drip Tracking URL", pluck="clicks")) == 2


@pytest.mark.parametrize("damage", ["token", "key", "own address", "nothing", "too long"])
def test_forged_link_leads_nowhere_and_counts_nothing(site, smtp, clock, web, damage):
	ada = factories.make_contact("Ada")
	send(clock, ada)
	one, own = find(links_in(smtp, ada.email_id), "/drip/click/")
	before, _slash, key = one.rpartition("/")
	forged = {
		"token": f"{before[:-2]}xx/{key}",
		"key": f"{before}/0123456789abcdef",
		"own address": own.replace("~", "~aHR0cHM6Ly9ldmlsLmV4YW1wbGUv"),
		"nothing": f"{web}/drip/click/",
		"too long": f"{before}{'x' * 5000}/{key}",
	}[damage]

	answer = Reader(web).get(forged)

	assert answer.status == 404
	assert "Location" not in answer.headers
	assert "latest email" in answer.text
	assert count() == 0


def test_link_of_another_e_mail_leads_there_and_counts_for_nobody(site, smtp, clock, web):
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")
	agree(ada, bob)
	send(clock, ada)
	send(clock, bob, text='<a href="https://b.example/">b</a>')
	mine = find(links_in(smtp, ada.email_id), "/drip/click/")[0].rpartition("/")[0]
	key = find(links_in(smtp, bob.email_id), "/drip/click/")[0].rpartition("/")[2]

	assert Reader(web).get(f"{mine}/{key}").headers["Location"] == "https://b.example/"
	assert count() == 0


def test_named_link_counts_across_e_mails_and_leads_where_it_is_said_today(site, smtp, clock, web):
	demo = frappe.get_doc(doctype="Drip Tracking URL", url_name="Demo", url="https://demo.example/").insert()
	ada = factories.make_contact("Ada")
	agree(ada)
	text = """<a href="{{ tracking_url('Demo') }}">Demo</a>"""
	for _campaign in range(2):
		send(clock, ada, text=text)
		Reader(web).get(find(links_in(smtp, ada.email_id), "/drip/click/")[0])
	demo.url = "https://new.example/"
	demo.save()
	frappe.db.commit()

	answer = Reader(web).get(find(links_in(smtp, ada.email_id), "/drip/click/")[0])

	assert answer.headers["Location"] == "https://new.example/"
	assert count() == 3
	demo.reload()
	assert (demo.clicks, demo.human_clicks) == (3, 3)
	assert {event.link for event in events()} == {"Demo"}
	with pytest.raises(frappe.ValidationError, match="Links in emails"):
		demo.delete()


def test_link_of_a_step_is_looked_up_once_and_its_next_visitor_waits_for_no_database(site, smtp, clock):
	ada = factories.make_contact("Ada")
	send(clock, ada)
	key = find(links_in(smtp, ada.email_id), "/drip/click/")[0].rpartition("/")[2]
	find_target(key, "")

	with factories.count_statements() as seen:
		target = find_target(key, "")

	assert target == "https://a.example/one?x=1&y=2"
	assert seen.count == 0


def test_text_that_names_no_tracking_url_is_refused_and_one_without_tracking_leads_straight(
	site, smtp, clock, web
):
	frappe.get_doc(doctype="Drip Tracking URL", url_name="Demo", url="https://demo.example/").insert()
	ada = factories.make_contact("Ada")
	with pytest.raises(frappe.ValidationError, match="Tracking URL “Damo” does not exist"):
		factories.make_campaign(factories.step(0, "Hi", """<a href="{{ tracking_url('Damo') }}">x</a>"""))

	campaign = send(clock, ada, text="""<a href="{{ tracking_url('Demo') }}">x</a>""", tracking_mode="None")

	assert "https://demo.example/" in links_in(smtp, ada.email_id)
	assert "https://demo.example/" in render_step(campaign, campaign.steps[0].name, None, None)["html"]


@pytest.mark.parametrize(
	"url", ["", "demo.example", "javascript:alert(1)", "https://x.example/{{ doc.name }}"]
)
def test_tracking_url_must_lead_to_the_web(site, url):
	with pytest.raises(frappe.ValidationError):
		frappe.get_doc(doctype="Drip Tracking URL", url_name="Bad", url=url).insert()


def test_utm_parameters_of_campaign_and_step_are_added_where_links_lead(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	fields = {"utm_source": "erp", "utm_medium": "e mail", "utm_content": "all"}
	campaign = factories.make_active_campaign(
		clock, factories.step(0, "Hello", TEXT, utm_content="first"), tracking_mode="Individual", **fields
	)
	factories.enroll(campaign, ada, clock)
	factories.run(clock)

	answers = [Reader(web).get(link) for link in find(links_in(smtp, ada.email_id), "/drip/click/")]

	utm = "utm_source=erp&utm_medium=e+mail&utm_content=first"
	assert [answer.headers["Location"] for answer in answers] == [
		f"https://a.example/one?x=1&y=2&{utm}",
		f"https://a.example/of/Ada?{utm}",
	]


def test_recipient_is_sent_on_while_redis_is_down_and_is_counted_afterwards(
	site, smtp, clock, connected_site, monkeypatch
):
	ada = factories.make_contact("Ada")
	agree(ada)
	monkeypatch.setenv("FRAPPE_REDIS_QUEUE", "redis://127.0.0.1:1")
	server = WebServer(connected_site, os.environ["DRIP_SITES_PATH"])
	server.start()
	monkeypatch.delenv("FRAPPE_REDIS_QUEUE")
	monkeypatch.setattr(frappe.local.conf, "host_name", server.url)
	try:
		send(clock, ada)
		answer = Reader(server.url).get(find(links_in(smtp, ada.email_id), "/drip/click/")[0])
	finally:
		server.stop()

	assert answer.status == 302
	assert count() == 1
	assert count() == 0
	assert frappe.get_last_doc("Drip Email").human_clicks == 1


def _lines(mail, key: str, number: int) -> list[str]:
	moment = from_site(mail.sent_at) + timedelta(hours=1)
	return [
		write_visit(
			Visit(
				f"visit{n}", VisitKind.CLICK, mail.name, moment + timedelta(minutes=n), key, agent="Firefox"
			)
		)
		for n in range(number)
	]


def _wait_in_buffer(smtp, clock, number: int):
	ada = factories.make_contact("Ada")
	agree(ada)
	send(clock, ada)
	mail = frappe.get_last_doc("Drip Email")
	key = find(links_in(smtp, ada.email_id), "/drip/click/")[0].rpartition("/")[2]
	visit_buffer.get_redis_conn().rpush(visit_buffer._key("visits"), *_lines(mail, key, number))
	return mail, key


def _die_before_the_lines_are_taken_off() -> None:
	visit_buffer.remove_counted = lambda *_lines: os._exit(9)
	counting.count_visits(utc_now() + LATER)


def _die_before_the_commit() -> None:
	counting.add_to_urls = lambda *_totals: os._exit(9)
	counting.count_visits(utc_now() + LATER)


@pytest.mark.parametrize("death", [_die_before_the_lines_are_taken_off, _die_before_the_commit])
def test_worker_that_is_killed_while_it_counts_loses_nothing_and_doubles_nothing(
	site, smtp, clock, web, death
):
	mail, key = _wait_in_buffer(smtp, clock, 50)

	run_together(death, [()], deadly=True)
	for _again in range(2):
		count()

	mail.reload()
	assert (mail.clicks, len(events())) == (50, 50)
	assert frappe.db.get_value("Drip Tracking URL", key, "clicks") == 50


def _count(_worker: int) -> int:
	return counting.count_visits(utc_now() + LATER)


def test_workers_that_count_at_the_same_moment_count_each_visit_once(site, smtp, clock, web, monkeypatch):
	monkeypatch.setattr(counting, "BATCH", 20)
	mail, key = _wait_in_buffer(smtp, clock, 200)

	run_together(_count, [(worker,) for worker in range(3)])
	count()

	mail.reload()
	assert (mail.clicks, len(events())) == (200, 200)
	assert frappe.db.get_value("Drip Tracking URL", key, "clicks") == 200


def test_damaged_line_stops_nothing_and_a_repeated_link_fills_no_log(site, smtp, clock, web, monkeypatch):
	monkeypatch.setattr(visit_buffer, "VISITS_PER_HOUR", 3)
	mail, key = _wait_in_buffer(smtp, clock, 2)
	visit_buffer.get_redis_conn().lpush(visit_buffer._key("visits"), "damaged", '["x"')
	for number in range(5):
		visit_buffer.push(Visit(f"v{number}", VisitKind.OPEN, mail.name, utc_now(), agent="Firefox"))

	assert count() == 5


def test_click_of_a_person_fires_a_trigger_and_one_of_a_machine_does_not(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	agree(ada)
	first = send(clock, ada)
	factories.make_active_campaign(
		clock,
		triggers=[
			{
				"kind": "Link Clicked",
				"source_campaign": first.name,
				"link_url": "https://a.example/one?x=1&y=2",
			}
		],
	)
	link = find(links_in(smtp, ada.email_id), "/drip/click/")[0]

	Reader(web).get(link, "HEAD")
	count()
	before = frappe.db.count("Drip Trigger Firing")
	Reader(web).get(link)
	count()

	assert (before, frappe.db.count("Drip Trigger Firing")) == (0, 1)
