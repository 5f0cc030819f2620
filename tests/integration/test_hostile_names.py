"""Names that strangers chose: the person gets the email, the texts stay text, and no page or export breaks."""

import html

import pytest

from drip_campaigns.rendering.links import Links
from tests import factories
from tests.factories import DOMAIN, step
from tests.fuzz.hostile import TEXTS
from tests.web import Browser

NAMES = [name for name in TEXTS if name.strip() and "\x00" not in name]


@pytest.mark.parametrize("quote", ["'", '"', "\\", "`"])
def test_name_of_140_quotes_is_a_name(web, clock, smtp, quote):
	campaign = factories.make_active_campaign(
		clock, step(0, message="<p>Hello {{ recipient.first_name }}!</p>")
	)
	contact = factories.make_contact(quote * 140, f"quotes@{DOMAIN}")

	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	page = Browser(web).get(Links().preferences(enrollment.name, enrollment.email_address))

	[sent] = smtp.messages
	assert f"Hello {quote * 140}!" in html.unescape(sent.part("html"))
	assert page.status == 200


def test_hostile_names_stop_nobody_and_are_no_markup_in_an_email(site, clock, smtp):
	campaign = factories.make_active_campaign(
		clock, step(0, message="<p>Hello {{ recipient.last_name }}!</p>")
	)
	for number, name in enumerate(NAMES):
		contact = factories.make_contact(f"Person{number}", f"p{number}@{DOMAIN}")
		contact.db_set(
			"last_name", name[:140]
		)  # as an import or another app may write it, without Frappe's checks
		factories.enroll(campaign, contact, clock)

	factories.run(clock)

	assert len(smtp.messages) == len(NAMES)
	for message in smtp.messages:
		assert "<script>alert" not in message.part("html") and "<img src=x onerror" not in message.part(
			"html"
		)
		assert "\nBcc:" not in message.message.as_string().partition("\n\n")[0]
		assert "49" not in message.part("plain").partition("--")[0]  # 7*7 is not computed
