"""Messages in Desk: what a user typed, or a sender wrote, is never markup in them."""

from html.parser import HTMLParser

import frappe
import pytest

from drip_campaigns.api import desk, editing, enroll, enrollments
from drip_campaigns.campaign.auto_pause import pause_campaign
from drip_campaigns.campaign.owners import take_over
from drip_campaigns.site import messages
from drip_campaigns.site.notify import insert_notification, notify
from tests import factories
from tests.factories import step

PAYLOADS = (
	"<img src=x onerror=alert(1)>",
	"<script>alert(1)</script>",
	"<svg/onload=alert(1)>",
	"<a href=javascript:alert(1)>here</a>",
	'"><b onmouseover="alert(1)">{0}',
	"&lt;img src=x onerror=alert(1)&gt;<br>{1.__class__}",
)
HARMLESS = {("br", ()), ("b", ())}


class TagReader(HTMLParser):
	"""Reads the tags and the text of a message as a browser would."""

	def __init__(self) -> None:
		super().__init__(convert_charrefs=True)
		self.tags: set[tuple] = set()
		self.text = ""

	def handle_starttag(self, tag: str, attrs: list) -> None:
		self.tags.add((tag, tuple(attrs)))

	def handle_data(self, data: str) -> None:
		self.text += data


def read(html: str) -> TagReader:
	reader = TagReader()
	reader.feed(html)
	reader.close()
	return reader


def send_test_to(campaign, payload: str) -> None:
	desk.send_test(campaign.name, campaign.steps[0].name, payload)


def send_test_with_subscript(campaign, payload: str) -> None:
	# As it is in the database after a bulk write or an old version, without Frappe's sanitizing
	subject = "{{ doc[" + repr(payload) + "] }}"
	frappe.db.set_value("Drip Campaign Step", campaign.steps[0].name, "subject", subject)
	desk.send_test(campaign.name, campaign.steps[0].name, f"ada@{factories.DOMAIN}")


def preview_for(campaign, payload: str) -> None:
	desk.preview_step(campaign.name, campaign.steps[0].name, "Contact", payload)


def save_with_label(campaign, payload: str) -> None:
	campaign.append("steps", step(1, label=payload))
	campaign.append("steps", step(2, label=payload))
	campaign.save()


def save_with_unknown_step(campaign, payload: str) -> None:
	campaign.steps[0].next_step = payload
	campaign.save()


def save_with_broken_text(campaign, payload: str) -> None:
	campaign.steps[0].subject = "{{ recipient." + payload + " }}"
	campaign.save()


def save_with_expression(campaign, payload: str) -> None:
	test = {"kind": "expression", "expression": f"doc.x[{payload!r}"}
	campaign.steps[0].conditions = frappe.as_json({"match": "all", "tests": [test]})
	campaign.save()


def save_with_unreachable_step(campaign, payload: str) -> None:
	campaign.steps[0].label, campaign.steps[0].next_step = "First", "Last"
	campaign.append("steps", step(1, label=payload))
	campaign.append("steps", step(9, label="Last"))
	campaign.save()
	raise frappe.ValidationError  # it is only a warning


def name_a_verb(campaign, payload: str) -> None:
	enrollments.change_enrollments(payload, "[]")


def preview_type(campaign, payload: str) -> None:
	enroll.preview_enrollment(campaign.name, payload, "[]")


def explain_type(campaign, payload: str) -> None:
	enroll.explain_enrollment(campaign.name, payload, "x")


def describe_steps(campaign, payload: str) -> None:
	editing.describe_steps(frappe.as_json({"name": payload}))


def suppress(campaign, payload: str) -> None:
	frappe.get_doc(doctype="Drip Suppression", email_address=payload, note="x").insert()


def add_link(campaign, payload: str) -> None:
	frappe.get_doc(doctype="Drip Tracking URL", url_name="x", url=payload).insert()


def add_to_list(campaign, payload: str) -> None:
	member = {"recipient_type": "Contact", "recipient": payload, "target_list": factories.make_list().name}
	frappe.get_doc(doctype="Drip Target List Member", **member).insert(ignore_links=True)


def set_networks(campaign, payload: str) -> None:
	settings = frappe.get_doc("Drip Settings")
	settings.machine_networks = payload
	settings.save()


CALLS = (
	send_test_to, send_test_with_subscript, preview_for, save_with_label, save_with_unknown_step,
	save_with_broken_text, save_with_expression, save_with_unreachable_step, name_a_verb, preview_type, explain_type,
	describe_steps, suppress, add_link, add_to_list, set_networks,
)  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_message_carries_live_markup(site, call):
	shown = []
	for payload in PAYLOADS:
		campaign = factories.make_campaign(step(0))
		frappe.clear_messages()

		with pytest.raises(Exception):  # noqa: B017 - the message is what counts
			call(campaign, payload)

		shown += [text for log in frappe.get_message_log() for text in (log["message"], log["title"])]
		frappe.db.rollback()
	assert shown, "no message at all"
	live = [text for text in shown if read(text).tags - HARMLESS]
	assert not live


def test_message_shows_what_the_user_typed(site):
	frappe.clear_messages()
	with pytest.raises(frappe.ValidationError):
		messages.refuse("“{0}” isn't a {1}.", "<b>x</b> & {1}", messages.bold("<i>"), title="<u>")

	[shown] = frappe.get_message_log()
	assert shown["message"] == "“&lt;b&gt;x&lt;/b&gt; &amp; {1}” isn't a <b>&lt;i&gt;</b>."
	assert shown["title"] == "&lt;u&gt;"
	assert read(shown["message"]).text == "“<b>x</b> & {1}” isn't a <i>."


def test_lines_of_a_message_stay_apart(site):
	assert messages.as_html("one\n<two>") == "one<br>&lt;two&gt;"


def test_link_to_a_form_escapes_its_name_and_its_text(site):
	link = read(messages.link_to_form("Contact", '"><script>', "<script>"))

	[(tag, [(attribute, url)])] = link.tags
	assert (tag, attribute) == ("a", "href")
	assert url.startswith("http")
	assert link.text == "<script>"


def test_error_of_frappe_is_read_as_plain_text(site):
	assert messages.read_error(frappe.ValidationError("<b>A</b> &amp; &lt;B&gt;")) == "A & <B>"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_notifications_and_timelines_carry_no_live_markup(site, clock, payload):
	user = factories.make_user("manager", "Drip Manager")
	campaign = factories.make_active_campaign(clock)
	frappe.db.delete("Notification Log", {"for_user": user})

	pause_campaign(campaign, payload, clock.now)
	take_over(campaign)
	notify([user], payload, "Drip Campaign", campaign.name)
	insert_notification(user, payload, "Drip Campaign", campaign.name)
	frappe.db.commit()

	subjects = factories.notifications_of(user)
	notes = frappe.get_all("Comment", {"reference_name": campaign.name}, pluck="content")
	assert len(subjects) == 3 and len(notes) >= 2
	assert not [text for text in [*subjects, *notes] if read(text).tags - HARMLESS]
	assert [text for text in subjects if payload in read(text).text]
