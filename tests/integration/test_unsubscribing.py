"""Leaving by the link in an email, over HTTP: GET shows a page, POST acts, and nothing more leaves afterwards."""

from datetime import date, timedelta

import frappe
import pytest

from drip_campaigns.core.tracking import tokens
from drip_campaigns.enrollment import unsubscribe
from drip_campaigns.enrollment.refusals import EnrollmentRefusedError
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.rendering.links import Links, read_token
from drip_campaigns.site.signing_keys import forget_keys, rotate_keys, token_keys
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.web import Browser

TABLES = ("Drip Enrollment", "Drip Email", "Drip Event", "Email Queue", "Communication", "Email Unsubscribe")
NOT_FOUND = "This link does not work"


@pytest.fixture
def left(web, clock, smtp):
	"""Ada, on an active campaign with three steps, of which the first was sent."""
	campaign = factories.make_active_campaign(clock, name="Drip Test Spring Offers")
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}", last_name="Lovelace-Byron")
	enrollment = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	return enrollment


def state_of_the_site() -> dict:
	"""Return how many records there are of each kind, and what enrollments and emails say."""
	frappe.db.rollback()
	return {
		**{doctype: frappe.db.count(doctype) for doctype in TABLES},
		"enrollments": frappe.get_all(
			"Drip Enrollment", fields=["name", "status", "modified"], order_by="name"
		),
		"emails": frappe.get_all("Drip Email", fields=["name", "status", "modified"], order_by="name"),
	}


def link_in(message) -> str:
	"""Return the address in the List-Unsubscribe header."""
	return message.message["List-Unsubscribe"].strip("<>")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_link_changes_nothing(web, left, smtp, method):
	before = state_of_the_site()

	answers = [Browser(web).get(link_in(smtp.messages[0]), method=method) for _ in range(3)]

	assert [answer.status for answer in answers] == [200] * 3
	assert state_of_the_site() == before


def test_page_names_the_campaign_and_asks(web, left, smtp):
	page = Browser(web).get(link_in(smtp.messages[0]))

	assert "Drip Test Spring Offers" in page.text
	assert '<form method="post"' in page.text.replace("'", '"').lower()


def test_posting_the_page_unsubscribes_and_says_so(web, left, smtp):
	browser = Browser(web)
	browser.get(link_in(smtp.messages[0]))

	answer = browser.post(link_in(smtp.messages[0]), {})

	frappe.db.rollback()
	left.reload()
	assert answer.status == 200
	assert "Drip Test Spring Offers" in answer.text
	assert (left.status, left.next_send_at, left.live_address) == ("Unsubscribed", None, None)
	fields = ["reference_doctype", "reference_name", "global_unsubscribe"]
	assert frappe.get_all("Email Unsubscribe", filters={"email": f"ada@{DOMAIN}"}, fields=fields) == [
		{
			"reference_doctype": "Drip Campaign",
			"reference_name": left.campaign,
			"global_unsubscribe": 0,
		}
	]
	assert factories.count("Drip Event", enrollment=left.name, event_type="Unsubscribed") == 1


def test_timeline_of_the_campaign_is_not_filled_with_the_addresses_of_those_who_left(web, left, smtp):
	Browser(web).post(link_in(smtp.messages[0]), {})

	frappe.db.rollback()
	values = {"reference_doctype": "Drip Campaign", "reference_name": left.campaign}
	assert factories.count("Comment", comment_email=f"ada@{DOMAIN}", **values) == 0


def test_nothing_more_is_sent_to_somebody_who_left(web, left, smtp, clock):
	Browser(web).post(link_in(smtp.messages[0]), {})

	for _ in range(6):
		clock.advance(days=1)
		factories.run(clock)

	assert [message.message["Subject"] for message in smtp.messages] == ["Day 0"]


def test_leaving_twice_is_leaving_once(web, left, smtp):
	first = Browser(web).post(link_in(smtp.messages[0]), {})
	before = state_of_the_site()

	again = Browser(web).post(link_in(smtp.messages[0]), {})
	looked = Browser(web).get(link_in(smtp.messages[0]))

	assert [first.status, again.status, looked.status] == [200] * 3
	assert state_of_the_site() == before


def test_what_is_queued_when_somebody_leaves_is_withdrawn(web, left, smtp, clock):
	clock.advance(days=2)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	[queued] = frappe.get_all(
		"Drip Email", filters={"status": "Queued"}, fields=["name", "email_queue", "communication"]
	)

	Browser(web).post(link_in(smtp.messages[0]), {})
	frappe.db.rollback()
	delivery.deliver(clock)

	withdrawn = frappe.get_doc("Drip Email", queued.name)
	assert (withdrawn.status, withdrawn.reason, withdrawn.email_queue) == ("Skipped", "Unsubscribed", None)
	assert not frappe.db.exists("Email Queue", queued.email_queue)
	assert not frappe.db.exists("Email Queue Recipient", {"parent": queued.email_queue})
	assert not frappe.db.exists("Communication", queued.communication)
	assert not frappe.db.exists("Communication Link", {"parent": queued.communication})
	assert len(smtp.messages) == 1


@pytest.mark.parametrize(
	("body", "content_type"),
	[
		(b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
		(
			b'--sep\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--sep--\r\n',
			"multipart/form-data; boundary=sep",
		),
	],
	ids=["urlencoded", "multipart"],
)
def test_one_click_of_a_mail_program_unsubscribes_without_cookie_or_redirect(
	web, left, smtp, body, content_type
):
	answer = Browser(web).post_raw(link_in(smtp.messages[0]), body, content_type)

	frappe.db.rollback()
	assert answer.status == 200
	assert "Location" not in answer.headers
	assert frappe.db.get_value("Drip Enrollment", left.name, "status") == "Unsubscribed"


def forge(enrollment: str) -> dict[str, str]:
	"""Return tokens that are not ours, by what is wrong with them."""
	good = Links().unsubscribe(enrollment).rpartition("/")[2]
	return {
		"nothing": "",
		"nonsense": "nonsense",
		"truncated": good[:-3],
		"one letter changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
		"bare id": enrollment,
		"signature of another": f"{enrollment}.{tokens.sign(tokens.Purpose.LEAVE, 'x', token_keys()).rpartition('.')[2]}",
		"other key": tokens.sign(tokens.Purpose.LEAVE, enrollment, ["another key"]),
		"oversized": good + "A" * 5000,
		"not ascii": "%C3%A4%E2%82%AC",
		"null byte": good + "%00",
		"path": "../../app",
		"nobody": Links().unsubscribe("0000000000").rpartition("/")[2],
	}


def test_link_that_is_not_ours_gets_one_and_the_same_friendly_page_and_changes_nothing(web, left):
	before = state_of_the_site()
	browser = Browser(web)

	answers = {}
	for wrong, token in forge(left.name).items():
		address = f"/drip/leave/{token}"
		answers[wrong] = [browser.get(address), browser.post(address, {})]

	assert {wrong: [answer.status for answer in pair] for wrong, pair in answers.items()} == {
		wrong: [404, 404] for wrong in answers
	}
	bodies = {
		without_nonce(answer) for wrong, pair in answers.items() if wrong not in ("path",) for answer in pair
	}
	assert len(bodies) == 1
	assert NOT_FOUND in bodies.pop()
	assert state_of_the_site() == before


def without_nonce(answer) -> str:
	"""Return the page without the value that is new in each."""
	import re

	return re.sub(r'nonce="[^"]*"', "", answer.text)


def test_links_live_on_when_the_keys_are_rotated_over_and_over(web, left, smtp):
	today = date(2026, 3, 2)
	links = [link_in(smtp.messages[0])]

	try:
		for days in (0, 30, 59):
			rotate_keys(today + timedelta(days=days), 60)
			links.append(Links().unsubscribe(left.name))
		answers = [Browser(web).get(link).status for link in links]
	finally:
		forget_keys()

	assert len(set(links)) == 4
	assert answers == [200] * 4
	# Read here: a web worker of Frappe 16 remembers a key that is forgotten for up to a minute
	with pytest.raises(tokens.InvalidTokenError):
		read_token(tokens.Purpose.LEAVE, links[3].rpartition("/")[2])
	assert Browser(web).get(links[0]).status == 200  # the site's own key is not forgotten


def test_no_address_and_no_name_stands_in_the_link_or_on_the_page(web, left, smtp):
	browser, link = Browser(web), link_in(smtp.messages[0])

	pages = [browser.get(link), browser.post(link, {}), browser.get(link)]

	for text in (link, *(page.text for page in pages)):
		assert "ada@" not in text
		assert "byron" not in text.lower()  # a shorter name may stand in a random token
		assert DOMAIN not in text
		assert frappe.db.get_value("Drip Enrollment", left.name, "recipient") not in text


def test_page_is_kept_by_nobody_framed_by_nobody_and_loads_nothing_from_elsewhere(web, left, smtp):
	page = Browser(web).get(link_in(smtp.messages[0]))

	policy = page.headers["Content-Security-Policy"]
	assert "default-src 'none'" in policy
	assert "frame-ancestors 'none'" in policy
	assert "form-action 'self'" in policy
	assert page.headers["Cache-Control"] == "no-store"
	assert page.headers["Referrer-Policy"] == "no-referrer"
	assert page.headers["X-Frame-Options"] == "DENY"
	assert page.headers["X-Content-Type-Options"] == "nosniff"
	assert "noindex" in page.headers["X-Robots-Tag"]
	assert "src=" not in page.text.replace('src="/', "")


def test_name_of_a_campaign_is_escaped_on_the_page(web, clock, smtp):
	campaign = factories.make_active_campaign(clock, name="Drip Test Salt & Pepper")
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	page = Browser(web).get(link_in(smtp.messages[0]))

	assert "Salt &amp; Pepper" in page.text
	assert "Salt & Pepper" not in page.text


def test_who_posts_again_and_again_is_asked_to_wait(web, left, smtp):
	browser, link = Browser(web), link_in(smtp.messages[0])

	statuses = [browser.post(link, {}).status for _ in range(31)]

	assert statuses == [200] * 30 + [429]
	assert browser.get(link).status == 200


def test_somebody_who_is_signed_in_leaves_by_the_page_as_well(web, left, smtp):
	from frappe.utils.password import update_password

	user = factories.make_user("signed-in", "Drip User")
	update_password(user, "drip-test-pass")
	frappe.db.commit()
	browser = Browser(web).sign_in(user, "drip-test-pass")
	browser.csrf_token = ""  # the page's own form has no script to send the header
	page = browser.get(link_in(smtp.messages[0]))

	answer = browser.post(link_in(smtp.messages[0]), hidden_fields(page.text))

	frappe.db.rollback()
	assert answer.status == 200
	assert frappe.db.get_value("Drip Enrollment", left.name, "status") == "Unsubscribed"


def hidden_fields(page: str) -> dict[str, str]:
	"""Return the hidden fields of the page's form."""
	import re

	return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


def test_link_of_a_test_e_mail_says_so_and_unsubscribes_nobody(web, left):
	before = state_of_the_site()

	answers = [Browser(web).get("/drip/leave/test"), Browser(web).post("/drip/leave/test", {})]

	assert [answer.status for answer in answers] == [200, 200]
	assert all("Links in a test email do not change anything." in answer.text for answer in answers)
	assert state_of_the_site() == before


def test_leaving_one_campaign_leaves_other_campaigns_and_other_mail_alone(web, left, smtp, clock):
	other = factories.make_active_campaign(clock)
	contact = frappe.get_doc("Contact", left.recipient)
	Browser(web).post(link_in(smtp.messages[0]), {})
	frappe.db.rollback()

	factories.enroll(other, contact, clock)
	factories.run(clock)
	frappe.sendmail(recipients=[f"ada@{DOMAIN}"], subject="Your invoice", message="x", delayed=True)

	assert [message.message["Subject"] for message in smtp.to(f"ada@{DOMAIN}")] == ["Day 0", "Day 0"]
	assert frappe.db.exists("Email Queue Recipient", {"recipient": f"ada@{DOMAIN}", "status": "Not Sent"})


def test_who_has_left_is_not_enrolled_again(web, left, smtp, clock):
	Browser(web).post(link_in(smtp.messages[0]), {})
	frappe.db.rollback()

	with pytest.raises(Exception) as caught:
		verbs.enroll(left.campaign, "Contact", left.recipient, clock.now)

	assert "unsubscribed" in str(caught.value)


def test_old_link_ends_a_newer_enrollment_of_the_address_too_and_withdraws_its_mail(web, smtp, clock):
	campaign = factories.make_active_campaign(clock, re_enrollment="Restart")
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	old = factories.enroll(campaign, contact, clock)
	factories.run(clock)
	verbs.remove(old, clock.now)
	new = factories.enroll(campaign, contact, clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	Browser(web).post(link_in(smtp.messages[0]), {})
	frappe.db.rollback()
	delivery.deliver(clock)

	assert len(smtp.messages) == 1
	assert (old.reload().status, new.reload().status) == ("Unsubscribed", "Unsubscribed")

	answer = Browser(web).post(link_in(smtp.messages[0]), {"action": "undo"})
	frappe.db.rollback()

	assert "You are subscribed again" in answer.text
	assert (old.reload().status, new.reload().status) == ("Unsubscribed", "In Progress")
	with pytest.raises(EnrollmentRefusedError, match="is already in the campaign"):
		unsubscribe.resubscribe_enrollment(old, "By telephone", clock.now)


def unsubscribe_globally(address: str) -> None:
	frappe.get_doc(doctype="Email Unsubscribe", email=address, global_unsubscribe=1).insert()
	frappe.db.commit()


def test_global_unsubscribe_is_honoured_before_enrolling(site, clock):
	campaign = factories.make_active_campaign(clock)
	contact = factories.make_contact("Ada", f"ada@{DOMAIN}")
	unsubscribe_globally(f"ADA@{DOMAIN}")

	with pytest.raises(Exception) as caught:
		factories.enroll(campaign, contact, clock)

	assert "Contact Ada has unsubscribed." in str(caught.value)


def test_global_unsubscribe_is_honoured_before_the_next_step(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	factories.run(clock)
	unsubscribe_globally(f"ada@{DOMAIN}")

	clock.advance(days=2)
	factories.run(clock)

	assert len(smtp.messages) == 1
	assert frappe.db.get_value("Drip Enrollment", enrollment.name, "status") == "Unsubscribed"


def test_global_unsubscribe_is_honoured_for_what_is_queued_already(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	factories.enroll(campaign, factories.make_contact("Bob", f"bob@{DOMAIN}"), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	unsubscribe_globally(f"ada@{DOMAIN}")

	delivery.deliver(clock)

	assert [message.recipient for message in smtp.messages] == [f"bob@{DOMAIN}"]
	assert frappe.db.get_value("Drip Email", {"enrollment": enrollment.name}, "status") == "Skipped"


def test_unsubscribe_entered_by_hand_for_the_campaign_is_honoured(site, smtp, clock):
	campaign = factories.make_active_campaign(clock)
	factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	frappe.get_doc(
		doctype="Email Unsubscribe",
		email=f"ada@{DOMAIN}",
		reference_doctype="Drip Campaign",
		reference_name=campaign.name,
	).insert()
	frappe.db.commit()

	factories.run(clock)

	assert smtp.messages == []


def test_one_who_left_while_the_enrollment_was_paused_stays_away(web, left, smtp, clock):
	verbs.pause(left, clock.now)
	frappe.db.commit()

	Browser(web).post(link_in(smtp.messages[0]), {})
	clock.advance(days=5)
	factories.run(clock)

	frappe.db.rollback()
	assert frappe.db.get_value("Drip Enrollment", left.name, "status") == "Unsubscribed"
	assert len(smtp.messages) == 1
