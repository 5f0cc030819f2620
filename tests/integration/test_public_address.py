"""Links in emails lead to the site's public address, whatever a request says, and a campaign without one is not activated."""

import frappe
import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from drip_campaigns.campaign import lifecycle
from drip_campaigns.dispatch.doctor import examine
from drip_campaigns.rendering.links import Links
from drip_campaigns.site.public_address import find_address_problem, form_url, public_url
from tests import factories
from tests.factories import step

EVIL = "evil.example"


@pytest.fixture
def host_name(site, monkeypatch):
	"""A function that sets the public address of the site for this test; an empty one is none."""

	def set_host_name(value: str) -> None:
		for key in ("host_name", "hostname", "ssl_certificate", "wildcard"):
			monkeypatch.delitem(frappe.local.conf, key, raising=False)
		monkeypatch.setitem(frappe.local.conf, "host_name", value)

	return set_host_name


@pytest.fixture
def request_of_a_stranger(site, monkeypatch):
	"""A web request whose headers name another host."""
	headers = {
		"Host": EVIL,
		"X-Forwarded-Host": EVIL,
		"X-Forwarded-Proto": "https",
		"Origin": f"https://{EVIL}",
	}
	request = Request(EnvironBuilder(path="/", base_url=f"https://{EVIL}", headers=headers).get_environ())
	monkeypatch.setattr(frappe.local, "request", request, raising=False)


@pytest.mark.usefixtures("request_of_a_stranger")
def test_host_header_is_in_no_link(host_name):
	host_name("")

	urls = [
		public_url(),
		public_url("/drip/"),
		form_url("Contact", "Ada"),
		Links().unsubscribe("x"),
		Links().preview(),
	]

	assert [url for url in urls if EVIL in url] == []
	assert all(url.startswith(("http://", "https://")) for url in urls)


@pytest.mark.usefixtures("request_of_a_stranger")
def test_host_header_is_in_no_email_that_a_request_sends(host_name, clock, smtp):
	host_name("")
	text = "<a href='/shop'>Shop</a> {{ frappe.utils.get_url() }} {{ frappe.get_url('/shop') }}"
	campaign = factories.make_active_campaign(clock, step(0, message=text))

	factories.enroll(campaign, factories.make_contact("Ada"), clock)
	factories.run(clock)

	[sent] = smtp.messages
	assert EVIL not in sent.message.as_string()
	assert EVIL not in sent.part("html") + sent.part("plain")


@pytest.mark.parametrize(
	"address", ["http://shop.example", "shop.example", "http://10.0.0.7:8000", "http://localhost.example"]
)
def test_campaign_without_https_is_not_activated_and_the_message_has_the_remedy(host_name, clock, address):
	host_name(address)

	with pytest.raises(lifecycle.CampaignProblemError, match="set-config host_name https://") as refused:
		lifecycle.activate(factories.make_campaign(), clock.now)

	assert address.removeprefix("http://") in str(refused.value)
	assert any("host_name" in finding.text and finding.is_problem for finding in examine(clock.now))


def test_site_whose_name_is_all_there_is_names_it_in_the_refusal(host_name, monkeypatch):
	host_name("")
	monkeypatch.setattr(frappe.local, "site", "sitename")

	assert "http://sitename" in find_address_problem()


@pytest.mark.parametrize(
	"address",
	[
		"https://shop.example",
		"http://localhost:8000",
		"http://127.0.0.1:8005",
		"http://drip.localhost",
		"http://[::1]:8000",
	],
)
def test_https_and_this_machine_are_public_addresses(host_name, address):
	host_name(address)

	assert find_address_problem() is None
