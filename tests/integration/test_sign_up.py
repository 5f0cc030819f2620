"""Visitors who sign themselves up: always asked by email, and told the same whoever they are."""

import json

import frappe
import pytest

from drip_campaigns.api import public
from drip_campaigns.enrollment import sign_up
from drip_campaigns.enrollment.personal_data import collect
from drip_campaigns.jobs import daily
from drip_campaigns.pages.rate_limits import TooManyRequestsError, count_request
from drip_campaigns.site.clock import utc_now
from tests import factories, verbs
from tests.factories import DOMAIN
from tests.fakes import Clock
from tests.trigger_steps import make_campaign, trigger
from tests.trigger_steps import work_off as work_off_triggers
from tests.web import Browser

METHOD = "/api/method/drip_campaigns.api.public.sign_up"
ADA = f"ada@{DOMAIN}"


pytestmark = [pytest.mark.campaign(accept_sign_ups=1), pytest.mark.usefixtures("web", "no_rate_limits")]


@pytest.fixture
def clock():
	return Clock(utc_now())


@pytest.fixture
def no_rate_limits(site):
	for key in frappe.cache.get_keys("drip-page-limit") + frappe.cache.get_keys("rl:"):
		frappe.cache.delete(key)


def work_off(campaign, address: str = ADA, **names: str) -> None:
	"""Do what the background job does."""
	sign_up.sign_up(campaign.name, address, **names)
	frappe.db.commit()


def test_stranger_is_asked_to_confirm_and_gets_nothing_else(campaign, clock, smtp):
	work_off(campaign, first_name="Ada", last_name="Lovelace")
	for _ in range(3):
		factories.run(clock)
		clock.advance(hours=1)

	enrollment = frappe.get_last_doc("Drip Enrollment")
	assert [message.message["Subject"] for message in smtp.messages] == [
		"Please confirm that you want our emails"
	]
	assert (enrollment.email_address, enrollment.confirmation) == (ADA, "Awaiting")
	assert frappe.db.get_value("Contact", enrollment.recipient, "full_name") == "Ada Lovelace"


def test_somebody_known_is_enrolled_as_the_record_they_are(campaign):
	contact = factories.make_contact("Ada", ADA)

	work_off(campaign, f"ADA@{DOMAIN}", first_name="Someone else")

	assert frappe.get_all("Drip Enrollment", pluck="recipient") == [contact.name]
	assert frappe.db.count("Contact", {"email_id": ADA}) == 1


def test_signing_up_twice_asks_once(campaign, clock, smtp):
	for _ in range(3):
		work_off(campaign)
		clock.advance(hours=1)
		factories.run(clock)

	assert len(smtp.messages) == 1
	assert factories.count("Drip Enrollment") == 1


def test_whoever_has_left_is_not_written_to_because_somebody_types_their_address(campaign, clock, smtp):
	work_off(campaign)
	verbs.unsubscribe(frappe.get_last_doc("Drip Enrollment"), clock.now)
	frappe.db.commit()

	work_off(campaign)
	clock.advance(hours=1)
	factories.run(clock)

	assert smtp.messages == []
	assert factories.count("Drip Enrollment") == 1


def test_session_of_the_job_stays_what_it_was(campaign):
	frappe.set_user("Guest")

	work_off(campaign)

	assert frappe.session.user == "Guest"


def test_answer_is_the_same_for_known_and_unknown_addresses(campaign, web):
	factories.make_contact("Ada", ADA)
	frappe.db.commit()

	answers = [
		Browser(web).post(METHOD, {"campaign": campaign.name, "email_address": address})
		for address in (ADA, f"nobody@{DOMAIN}")
	]

	assert [answer.status for answer in answers] == [200, 200]
	assert answers[0].text == answers[1].text
	assert "confirm" in answers[0].json()["message"]["message"]


@pytest.mark.parametrize(
	("change", "says"),
	[
		({"email_address": "nonsense"}, "not a valid email address"),
		({"email_address": f"a@{DOMAIN}, b@{DOMAIN}"}, "not a valid email address"),
		({"email_address": ""}, "not a valid email address"),
		({"email_address": "x" * 200 + f"@{DOMAIN}"}, "not a valid email address"),
		({"campaign": "no such campaign"}, "Sign-up is closed"),
	],
)
def test_what_cannot_be_is_refused_in_words(campaign, web, change, says):
	answer = Browser(web).post(METHOD, {"campaign": campaign.name, "email_address": ADA, **change})

	assert answer.status == 417
	assert says in answer.text


def test_form_without_the_fields_is_refused_in_words(campaign, web):
	answer = Browser(web).post(METHOD, {})

	assert answer.status == 417
	assert "not a valid email address" in answer.text


@pytest.mark.parametrize("field", ["accept_sign_ups", "status"])
def test_campaign_that_takes_no_sign_ups_answers_as_one_that_does_not_exist(campaign, web, field):
	frappe.db.set_value("Drip Campaign", campaign.name, field, {"status": "Paused"}.get(field, 0))
	frappe.db.commit()

	answer = Browser(web).post(METHOD, {"campaign": campaign.name, "email_address": ADA})

	assert answer.status == 417
	assert "Sign-up is closed" in answer.text


def test_it_cannot_be_done_by_a_link(campaign, web):
	answer = Browser(web).get(f"{METHOD}?campaign={campaign.name}&email_address={ADA}")

	assert answer.status == 403


def queued_sign_ups() -> list[dict]:
	"""Return the arguments of the sign-ups that wait for a background job, and drop them."""
	jobs = frappe.utils.background_jobs.get_queue("short").jobs
	found = [
		job.kwargs["kwargs"] for job in jobs if str(job.kwargs.get("method")).endswith("sign_up.sign_up")
	]
	factories.drop_jobs()
	return found


def forwarded_for(number: int) -> dict[str, str]:
	"""Return the headers of a proxy that names another visitor each time."""
	address = f"203.0.113.{number % 250}"
	return {"X-Forwarded-For": address, "X-Real-IP": address, "Forwarded": f"for={address}"}


def test_one_address_is_not_flooded_and_nobody_is_refused(campaign, web):
	queued_sign_ups()
	statuses = [
		Browser(web)
		.post(METHOD, {"campaign": campaign.name, "email_address": address}, headers=forwarded_for(number))
		.status
		for number, address in enumerate([ADA] * 5 + [f"Ada@{DOMAIN}", f"bob@{DOMAIN}"])
	]

	addresses = [job["email_address"] for job in queued_sign_ups()]
	assert statuses == [200] * 7
	assert addresses == [ADA] * 5 + [f"bob@{DOMAIN}"]


def test_flood_delays_the_question_to_others_and_no_header_ends_it(campaign, web, clock, smtp):
	for _number in range(public.SIGN_UPS_PER_HOUR):
		count_request("sign-ups", campaign.name, public.SIGN_UPS_AT_ALL)
	queued_sign_ups()

	answers = [
		Browser(web).post(
			METHOD,
			{"campaign": campaign.name, "email_address": f"p{number}@{DOMAIN}"},
			headers=forwarded_for(number),
		)
		for number in range(3)
	]
	jobs = queued_sign_ups()
	sign_up.sign_up(**{name: value for name, value in jobs[0].items()})
	frappe.db.commit()
	counts = []
	for minutes in (10, 60):
		clock.advance(minutes=minutes)
		factories.run(clock)
		counts.append(len(smtp.messages))

	assert [answer.status for answer in answers] == [200] * 3
	assert [job["wait_seconds"] for job in jobs] == [3600] * 3
	assert counts == [0, 1]


def test_more_than_a_day_can_ask_is_refused_whatever_the_headers(campaign, web):
	with pytest.raises(TooManyRequestsError):
		for _number in range(public.SIGN_UPS_AT_ALL + 1):
			count_request("sign-ups", campaign.name, public.SIGN_UPS_AT_ALL)

	answer = Browser(web).post(
		METHOD, {"campaign": campaign.name, "email_address": ADA}, headers=forwarded_for(1)
	)

	assert answer.status == 429


@pytest.mark.parametrize(
	("typed", "kept"),
	[
		("<b>Ada</b>\n<script>x</script>", "Ada x"),
		("&lt;img src=x onerror=alert(1)&gt;Ada", "Ada"),
		("&amp;lt;img src=x&amp;gt;", "img src=x"),
		("=1+1", "1+1"),
		("@SUM(A1)", "SUM(A1)"),
		("+-=@ Ada", "Ada"),
		("\t=Ada", "Ada"),
		("J.R.R. Tolkien", "J.R.R. Tolkien"),
		("St.John", "St.John"),
		("O'Neill-Müller", "O'Neill-Müller"),
		("L" * 500, "L" * 140),
		("'" * 140, "'" * 140),
	],
)
def test_name_is_kept_without_markup_and_formulas(campaign, typed, kept):
	queued_sign_ups()

	sign_up.request_sign_up(campaign.name, ADA, typed, typed)
	frappe.db.commit()

	[job] = queued_sign_ups()
	assert (job["first_name"], job["last_name"]) == (kept, kept)


@pytest.mark.parametrize(
	"name", ["http://evil.example", "Win at www.evil", "evil.com", "EVIL.COM now", "see evil.example/x"]
)
def test_name_with_a_link_is_refused(campaign, web, name):
	answer = Browser(web).post(METHOD, {"campaign": campaign.name, "email_address": ADA, "first_name": name})

	assert answer.status == 417
	assert "cannot contain a link" in answer.text


@pytest.mark.parametrize("template", [False, True])
def test_no_word_that_a_visitor_typed_is_in_the_question(campaign, clock, smtp, template):
	if template:
		text = "Dear {{ recipient.first_name }} {{ doc.full_name }} {{ doc.name }} {{ recipient.last_name }}"
		values = {"subject": "Hi {{ recipient.full_name }}", "response": f"<p>{text}</p>", "use_html": 0}
		frappe.get_doc(doctype="Email Template", name="Drip Test Typed", **values).insert(
			ignore_if_duplicate=True
		)
		frappe.db.set_value("Drip Campaign", campaign.name, "confirmation_template", "Drip Test Typed")
		frappe.db.commit()
	work_off(campaign, first_name="Prizewinner", last_name="Clickhere")
	other = factories.make_active_campaign(clock, accept_sign_ups=1)
	work_off(other, first_name="Prizewinner", last_name="Clickhere")

	for _hour in range(3):
		factories.run(clock)
		clock.advance(hours=1)

	assert len(smtp.messages) == 2  # the other campaign knows the Contact already
	sent = "".join(one.message.as_string() + one.part("html") + one.part("plain") for one in smtp.messages)
	assert [word for word in ("Prizewinner", "Clickhere") if word in sent] == []


def give_up(clock, days: int) -> None:
	"""Let the question go out, and so many days pass until the daily job has run."""
	factories.run(clock)
	clock.advance(days=15)
	factories.run(clock)
	clock.advance(days=days - 15)
	daily.run(clock.now, enqueue_delivery=False)


def test_stranger_who_never_confirms_is_forgotten_after_a_time(campaign, clock, smtp):
	work_off(campaign, first_name="Ada", last_name="Lovelace")

	give_up(clock, 29)
	assert frappe.db.count("Contact", {"email_id": ADA}) == 1
	give_up(clock, 17)

	assert frappe.db.count("Contact", {"email_id": ADA}) == 0
	assert [*collect(ADA, clock.now)] == ["Email address", "Copied at"]
	assert factories.count("Drip Enrollment", exit_reason="Not Confirmed") == 1
	assert factories.count("Communication Link", link_doctype="Contact", link_name="Ada Lovelace") == 0
	work_off(campaign)  # and may sign up again
	assert frappe.get_last_doc("Drip Enrollment").confirmation == "Awaiting"


@pytest.mark.parametrize("what", ["a change", "a link", "another campaign", "the record was there before"])
def test_contact_of_which_something_else_has_come_stays(campaign, clock, smtp, what):
	before = what == "the record was there before" and factories.make_contact("Ada", ADA)
	work_off(campaign, first_name="Ada")
	contact = frappe.get_doc("Contact", frappe.get_last_doc("Drip Enrollment").recipient)
	if what == "a change":
		frappe.db.set_value("Contact", contact.name, "phone", "1", modified="2031-01-01 00:00:00")
	elif what == "a link":
		contact.append("links", {"link_doctype": "User", "link_name": "Administrator"}).db_insert()
	elif what == "another campaign":
		factories.enroll(factories.make_active_campaign(clock), contact, clock)

	give_up(clock, 40)

	assert frappe.db.exists("Contact", contact.name)
	assert before is False or before.name == contact.name


def test_person_who_submits_a_web_form_is_asked_to_confirm_if_the_campaign_says_so(web, smtp, clock):
	clock.now = utc_now()
	frappe.get_doc(doctype="Email Group", title="Drip Test Form Group").insert()
	fields = [{"fieldname": name, "fieldtype": "Data", "label": name} for name in ("email", "email_group")]
	form = frappe.get_doc(
		doctype="Web Form",
		title="Drip Test Sign-up Form",
		route="drip-test-sign-up",
		doc_type="Email Group Member",
		module="Email",
		published=1,
		login_required=0,
		web_form_fields=fields,
	).insert()
	row = trigger("Web Form Submitted", recipient_type="Email Group Member", web_form=form.name)
	campaign = make_campaign(clock, row, double_opt_in="Always")
	data = {"email": ADA, "email_group": "Drip Test Form Group"}
	data |= {"doctype": "Email Group Member", "web_form_name": form.name}

	method = "/api/method/frappe.website.doctype.web_form.web_form.accept"
	answer = Browser(web).post(method, {"web_form": form.name, "data": json.dumps(data)})
	frappe.db.rollback()
	work_off_triggers(clock)
	frappe.delete_doc("Web Form", form.name, force=True)
	clock.now = utc_now()
	factories.run(clock)

	assert answer.status == 200, answer.text
	enrollment = frappe.get_last_doc("Drip Enrollment", {"campaign": campaign.name})
	assert (enrollment.email_address, enrollment.confirmation) == (ADA, "Awaiting")
	[message] = smtp.to(ADA)
	assert "Please confirm" in message.message["Subject"]
