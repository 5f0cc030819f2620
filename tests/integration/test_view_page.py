"""An email shown in a browser: exactly what was sent, without anything that could act."""

import re

import frappe
import pytest

from drip_campaigns.core.tracking import tokens
from drip_campaigns.core.tracking.tokens import Purpose
from drip_campaigns.site.signing_keys import token_keys
from tests import factories
from tests.factories import DOMAIN
from tests.web import Browser

WILD = """<p>Hello {{ recipient.first_name }}</p><script>alert(1)</script><form action="https://evil.example"><button>
Go</button></form><img src="https://pictures.example/a.png" alt="A"><a href="{{ view_url }}">again</a>"""


@pytest.fixture
def sent(web, clock, smtp):
	"""Ada's first email of a campaign that offers the view."""
	campaign = factories.make_active_campaign(
		clock, factories.step(0, "Spring & Offers", WILD), has_browser_link=1
	)
	factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	factories.run(clock)
	return frappe.get_last_doc("Drip Email")


def link_in(message) -> str:
	"""Return the address of the view that stands in the footer."""
	footer = message.part("html").partition('class="drip-footer"')[2]
	return re.search(r'href="([^"]+/drip/view/[^"]+)"', footer).group(1)


def test_page_is_the_html_that_was_sent_with_the_subject_as_its_title(sent, web, smtp):
	page = Browser(web).get(link_in(smtp.messages[0]))

	title = "<title>Spring &amp; Offers</title>"
	as_sent = smtp.messages[0].part("html").replace("<title></title>", title)
	assert page.status == 200
	assert title in page.text
	assert page.text.split() == as_sent.split()


def test_browser_lets_nothing_in_it_act(sent, web, smtp):
	page = Browser(web).get(link_in(smtp.messages[0]))

	policy = {
		part.split()[0]: part.split()[1:] for part in page.headers["Content-Security-Policy"].split("; ")
	}
	assert policy["default-src"] == ["'none'"]
	assert policy["form-action"] == ["'none'"]
	assert "script-src" not in policy
	assert set(policy["sandbox"]) == {"allow-popups", "allow-popups-to-escape-sandbox"}
	assert page.headers["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_looking_at_it_changes_nothing(sent, web, smtp, method):
	before = frappe.get_all("Drip Email", fields=["*"]), factories.count("Drip Event")

	browser = Browser(web)
	url = link_in(smtp.messages[0])
	answer = browser.post(url, {}) if method == "POST" else browser.get(url, method=method)

	frappe.db.rollback()
	assert answer.status == 200
	assert (frappe.get_all("Drip Email", fields=["*"]), factories.count("Drip Event")) == before


def test_link_to_leave_works_from_there(sent, web, smtp):
	browser = Browser(web)
	page = browser.get(link_in(smtp.messages[0]))
	leave = re.search(r'href="([^"]+/drip/leave/[^"]+)"', page.text).group(1)

	assert browser.get(leave).status == 200
	assert browser.post(leave, {}).status == 200

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Enrollment", sent.enrollment, "status") == "Unsubscribed"


def test_text_is_shown_when_the_queue_has_been_cleared(sent, web, smtp):
	frappe.db.delete("Email Queue", {"name": sent.email_queue})
	frappe.db.commit()

	page = Browser(web).get(link_in(smtp.messages[0]))

	assert page.status == 200
	assert "Hello Ada" in page.text
	assert "/drip/" not in page.text


def test_friendly_page_says_that_the_e_mail_is_gone(sent, web, smtp):
	frappe.db.delete("Email Queue", {"name": sent.email_queue})
	frappe.db.delete("Communication", {"name": sent.communication})
	frappe.db.commit()

	page = Browser(web).get(link_in(smtp.messages[0]))

	assert page.status == 410
	assert "is no longer available" in page.text


def test_token_of_another_purpose_shows_nothing(sent, web):
	token = tokens.sign(Purpose.LEAVE, sent.name, token_keys())

	assert Browser(web).get(f"/drip/view/{token}").status == 404


def test_text_part_has_the_link_too(sent, web, smtp):
	assert re.search(r"View in browser: \S+/drip/view/\S+", smtp.messages[0].part("plain"))


def test_campaign_that_does_not_offer_it_has_no_link(web, clock, smtp):
	factories.enroll(factories.make_active_campaign(clock), factories.make_contact(), clock)

	factories.run(clock)

	assert "/drip/view/" not in smtp.messages[0].raw.decode()
