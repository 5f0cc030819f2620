"""The short way of clicks and opens: what it answers from memory, what it leaves to Frappe, and that both tell the same."""

from datetime import timedelta

import frappe
import pytest
import redis
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from drip_campaigns.pages import fast_redirect
from drip_campaigns.rendering.link_targets import find_target
from drip_campaigns.site.clock import utc_now
from drip_campaigns.stats import visit_buffer
from tests import factories
from tests.integration.test_visits import Reader, count, events, find, links_in, quick_people, send
from tests.web import WebServer

__all__ = ["quick_people"]  # a fixture for all tests of this file, too
HOST = "drip.example"


def ask(link: str, method: str = "GET", host: str = HOST, **headers: str) -> Request:
	"""Return the request of a browser for the path of a link."""
	path = "/" + link.split("/", 3)[3]
	return Request(EnvironBuilder(path, f"http://{host}/", method=method, headers=headers).get_environ())


@pytest.fixture
def known(site, smtp, clock, monkeypatch):
	"""A click and a picture of an email, on a site and with a link that this process has met."""
	monkeypatch.setattr(fast_redirect, "_sites", {})
	ada = factories.make_contact("Ada")
	send(clock, ada)
	links = links_in(smtp, ada.email_id)
	click, picture = find(links, "/drip/click/")[0], find(links, "/drip/open/")[0]
	find_target(click.rpartition("/")[2], "")
	fast_redirect.remember_site(ask(click), utc_now())
	return click, picture


def test_click_and_picture_are_answered_without_the_database_and_counted(known):
	click, picture = known
	with factories.count_statements() as seen:
		answers = [fast_redirect.serve_visit(ask(url), utc_now()) for url in (click, picture)]

	assert seen.count == 0
	assert [answer.status_code for answer in answers] == [302, 200]
	assert answers[0].headers["Location"] == "https://a.example/one?x=1&y=2"
	assert answers[1].get_data()[:6] == b"GIF89a"
	assert count() == 2
	assert {event.event_type for event in events()} == {"Opened", "Clicked"}


def test_who_stands_behind_a_proxy_is_noted_as_frappe_does(known):
	click, _picture = known
	fast_redirect.serve_visit(ask(click, "HEAD", **{"X-Forwarded-For": "192.0.2.7, 10.0.0.1"}), utc_now())

	(visit,) = map(visit_buffer.read_visit, visit_buffer.read(10))

	assert (visit.network_address, visit.is_ahead) == ("192.0.2.7", True)


@pytest.mark.parametrize("odd", ["forged", "unknown key", "another host", "POST", "a page", "too long ago"])
def test_what_it_does_not_know_goes_the_long_way_and_is_not_noted(known, odd):
	click, _picture = known
	before, _slash, key = click.rpartition("/")
	asked = {
		"forged": ask(f"{before[:-2]}xx/{key}"),
		"unknown key": ask(f"{before}/0123456789abcdef"),
		"another host": ask(click, host="other.example"),
		"POST": ask(click, "POST"),
		"a page": ask(click.replace("/click/", "/leave/")),
		"too long ago": ask(click),
	}[odd]
	later = fast_redirect.REMEMBERED if odd == "too long ago" else timedelta(0)

	assert fast_redirect.serve_visit(asked, utc_now() + later) is None
	assert visit_buffer.read(10) == []


def test_redis_that_is_down_sends_the_visit_the_long_way_where_a_file_keeps_it(known, monkeypatch):
	class Down:
		def eval(self, *_args: object) -> None:
			raise redis.ConnectionError

	click, _picture = known
	(asked, site) = fast_redirect._sites.popitem()
	down = visit_buffer.Buffer(Down(), site.buffer.db_name)
	monkeypatch.setitem(
		fast_redirect._sites, asked, fast_redirect._Site(site.name, site.keys, down, site.until)
	)

	assert fast_redirect.serve_visit(ask(click), utc_now()) is None


def test_hosts_that_a_visitor_makes_up_fill_no_memory(known):
	click, _picture = known
	for number in range(fast_redirect.MOST_HOSTS * 2):
		fast_redirect.remember_site(ask(click, host=f"{number}.example"), utc_now())

	assert len(fast_redirect._sites) <= fast_redirect.MOST_HOSTS


def test_server_with_the_short_way_answers_and_counts_as_frappe_does(site, smtp, clock, web):
	ada = factories.make_contact("Ada")
	send(clock, ada)
	links = links_in(smtp, ada.email_id)
	one, own = find(links, "/drip/click/")
	(picture,) = find(links, "/drip/open/")
	server = WebServer(frappe.local.site, frappe.local.sites_path, "drip_campaigns.wsgi")
	server.start()
	try:
		paths = [url.replace(web, server.url) for url in (one, one, own, own, picture, picture)]
		answers = [Reader(server.url).get(path) for path in paths]
		page = Reader(server.url).get("/login")
	finally:
		server.stop()

	assert [answer.status for answer in answers] == [302, 302, 302, 302, 200, 200]
	assert answers[0].headers["Location"] == answers[1].headers["Location"] == "https://a.example/one?x=1&y=2"
	assert answers[2].headers["Location"] == answers[3].headers["Location"] == "https://a.example/of/Ada"
	assert not any(answer.headers.get_all("Set-Cookie") for answer in answers)
	assert page.status == 200
	assert count() == 6
