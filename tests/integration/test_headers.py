"""Headers, the footer, and unsubscribing by email: read from what a mail server received."""

import re
from email.utils import parseaddr
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.errors import DripError
from drip_campaigns.rendering.links import Links
from tests import factories
from tests.factories import DOMAIN

ADA = f"ada@{DOMAIN}"
MAILBOX = f"leave@{DOMAIN}"


def configure(**fields) -> None:
	"""Save Drip Settings as a manager would."""
	settings = frappe.get_doc("Drip Settings")
	settings.update(fields)
	settings.save()
	frappe.db.commit()


def send(clock, name: str = "Drip Test Spring", **fields):
	"""Send the first email of a new campaign to Ada; return the enrollment."""
	campaign = factories.make_active_campaign(clock, name=name, **fields)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)
	factories.run(clock)
	return enrollment


def receive(subject: str, **fields):
	"""Receive an email with this subject on the site, and return its Communication."""
	values = {"communication_medium": "Email", "sent_or_received": "Received", "sender": ADA, **fields}
	return frappe.get_doc(doctype="Communication", subject=subject, content="", **values).insert()


def test_headers_say_that_it_is_mail_to_many_and_of_which_campaign(site, clock, smtp):
	send(clock, name="Drip Test Grüße")

	message = smtp.messages[0].message
	assert message["Precedence"] == "bulk"
	assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
	assert message["Auto-Submitted"] is None
	assert str(message["List-Id"]).startswith("Drip Test Grüße <")
	assert str(message["List-Id"]).count("<") == 1
	parts = message["Feedback-ID"].split(":")
	assert len(parts) == 4
	assert 5 <= len(parts[3]) <= 15


def test_headers_can_be_left_out_and_added(site, clock, smtp):
	configure(omit_list_id=1, omit_feedback_id=1, omit_bulk_headers=1, mark_auto_submitted=1)

	send(clock)

	message = smtp.messages[0].message
	assert message["Auto-Submitted"] == "auto-generated"
	for header in ("List-Id", "Feedback-ID", "Precedence", "X-Auto-Response-Suppress"):
		assert message[header] is None
	assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_personal_letters_have_no_marks_of_bulk_mail_but_the_way_to_leave(site, clock, smtp):
	configure(mark_auto_submitted=1)

	send(clock, omit_bulk_headers=1)

	message = smtp.messages[0].message
	for header in ("List-Id", "Feedback-ID", "Precedence", "X-Auto-Response-Suppress", "Auto-Submitted"):
		assert message[header] is None
	assert message["List-Unsubscribe"]


def test_names_and_subjects_cannot_begin_a_header_of_their_own(site, clock, smtp):
	evil = "x\r\nBcc: victim@evil.example\r\n\r\nbody"
	campaign = factories.make_active_campaign(
		clock, factories.step(0, subject="Hello {{ recipient.first_name }}"), name="Drip Test List"
	)
	frappe.db.set_value("Drip Campaign", campaign.name, "campaign_name", f"Drip {evil}")
	contact = factories.make_contact("Ada", ADA)
	contact.db_set({"first_name": evil, "full_name": evil})
	configure(unsubscribe_mailbox=MAILBOX)
	frappe.db.set_single_value("Drip Settings", "feedback_sender_id", "abcde\r\nBcc: x")
	frappe.clear_document_cache("Drip Settings", "Drip Settings")
	factories.enroll(campaign, contact, clock)

	factories.run(clock)

	message = smtp.messages[0].message
	assert message["Bcc"] is None
	assert "victim@evil.example" not in [address.addr_spec for address in message["To"].addresses]
	assert smtp.messages[0].recipient == ADA
	assert message.is_multipart()


def test_mailto_is_offered_where_a_mailbox_is_read_and_nowhere_else(site, clock, smtp):
	send(clock)
	configure(unsubscribe_mailbox=MAILBOX)
	send(clock, name="Drip Test Autumn")

	without, with_mailbox = (message.message["List-Unsubscribe"] for message in smtp.messages)
	assert "mailto:" not in without
	https, mailto = (way.strip().strip("<>") for way in with_mailbox.split(","))
	assert https.startswith("http")
	assert urlsplit(mailto).path == MAILBOX
	assert https.rpartition("/")[2] in unquote(parse_qs(urlsplit(mailto).query)["subject"][0])


def test_e_mail_to_the_mailto_leaves(site, clock, smtp):
	configure(unsubscribe_mailbox=MAILBOX)
	enrollment = send(clock)
	mailto = smtp.messages[0].message["List-Unsubscribe"].split(",")[1].strip(" <>")

	receive(parse_qs(urlsplit(mailto).query)["subject"][0])

	assert enrollment.reload().status == "Unsubscribed"
	clock.advance(days=5)
	factories.run(clock)
	assert len(smtp.messages) == 1


@pytest.mark.parametrize(
	"subject",
	[
		"unsubscribe",
		"unsubscribe {bad}",
		"Re: unsubscribe {good}",
		"unsubscribe {other_purpose}",
		"unsubscribe {id}",
		"{good}",
	],
)
def test_other_e_mails_and_forged_ones_leave_nothing(site, clock, smtp, subject):
	enrollment = send(clock)
	links = Links()
	good = links.unsubscribe(enrollment.name).rpartition("/")[2]
	values = {
		"good": good,
		"bad": good[:-4] + "AAAA",
		"other_purpose": links.preferences(enrollment.name, ADA).rpartition("/")[2],
		"id": enrollment.name,
	}

	receive(subject.format(**values))
	receive(f"unsubscribe {good}", sent_or_received="Sent")

	assert enrollment.reload().status == "In Progress"


def test_campaign_is_not_activated_without_a_postal_address_and_the_error_says_where_to_enter_it(site, clock):
	frappe.db.set_single_value("Drip Settings", "postal_address", " ")
	campaign = factories.make_campaign()

	with pytest.raises(DripError, match="postal address.*Drip Settings under Footer"):
		lifecycle.activate(campaign, clock.now)


def test_footer_has_the_link_the_reason_and_the_postal_address(site, clock, smtp):
	configure(footer_reason="You get this because {{ 1 / 0 }} <b>you</b> asked.")

	send(clock)

	html, text = smtp.messages[0].part("html"), smtp.messages[0].part("plain")
	assert "{{ 1 / 0 }} &lt;b&gt;you&lt;/b&gt; asked." in html.replace("&#123;", "{").replace("&amp;", "&")
	assert "You get this because {{ 1 / 0 }} <b>you</b> asked." in text
	for part in (html, text):
		assert parseaddr(smtp.messages[0].message["From"])[0] in part
		assert "/drip/leave/" in part
		assert factories.POSTAL_ADDRESS in part


def test_campaign_may_go_without_a_link_in_its_text_but_not_in_its_headers(site, clock, smtp):
	send(clock, omit_unsubscribe_link=1)

	assert "/drip/leave/" not in smtp.messages[0].part("html") + smtp.messages[0].part("plain")
	assert "/drip/leave/" in smtp.messages[0].message["List-Unsubscribe"]


@pytest.mark.parametrize("use_html", [0, 1])
def test_preview_text_stands_hidden_before_the_text_and_only_there(site, clock, smtp, use_html):
	body = "<html><body><p>Hello</p></body></html>"
	text = {"message": "<p>Hello</p>", "message_html": body, "use_html": use_html}
	preview = "For {{ recipient.first_name }} {{ '<b>' }} & co"
	campaign = factories.make_active_campaign(clock, factories.step(0, preview_text=preview, **text))
	factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)

	factories.run(clock)

	html, plain = smtp.messages[0].part("html"), smtp.messages[0].part("plain")
	shown = re.search(r"<div[^>]*display: ?none[^>]*>(.*?)</div>", html, re.DOTALL)
	assert unescape(shown.group(1)).startswith("For Ada <b> & co")
	assert shown.start() < html.index("Hello")
	assert "<b>" not in html
	assert "For Ada" not in plain
	assert "For Ada" not in frappe.get_last_doc("Communication").content


def test_campaign_with_a_broken_preview_text_is_not_saved(site):
	with pytest.raises(frappe.ValidationError, match="Preview Text.*recipient.frist_name"):
		factories.make_campaign(factories.step(0, preview_text="{{ recipient.frist_name }}"))


def test_hidden_preview_of_an_author_is_not_in_the_plain_text(site, clock, smtp):
	hidden = '<div style="display:none; max-height:0">Only for the list of emails</div><p>Hello</p>'
	campaign = factories.make_active_campaign(clock, factories.step(0, message_html=hidden, use_html=1))
	factories.enroll(campaign, factories.make_contact("Ada", ADA), clock)

	factories.run(clock)

	assert "Only for the list" in smtp.messages[0].part("html")
	assert "Only for the list" not in smtp.messages[0].part("plain")
	assert "Hello" in smtp.messages[0].part("plain")
