"""Dates, forms, emails, clicks and calls that enroll; people of earlier; and what is refused."""

import json
from datetime import timedelta

import frappe
import pytest
from frappe.desk.doctype.tag.tag import add_tag
from frappe.utils import add_days, add_years, getdate

from drip_campaigns.api import triggers as api
from drip_campaigns.core.model import EventType
from drip_campaigns.db.events import record_events
from drip_campaigns.jobs import bulk_enrollment
from drip_campaigns.site.clock import site_date, to_site, utc_now
from drip_campaigns.triggers import backfill, loop_guard, trigger_cache
from tests import factories
from tests.factories import DOMAIN
from tests.fakes import Clock
from tests.trigger_steps import enrolled, make_campaign, outcomes, trigger, work_off
from tests.web import Browser

BIRTHDAY = "drip_test_birthday"


@pytest.fixture
def clock() -> Clock:
	"""Events happen now, so the tests' time is now, too."""
	return Clock(utc_now())


@pytest.fixture
def birthday_field(site):
	"""A date on Contacts, as a custom field."""
	from frappe.custom.doctype.custom_field.custom_field import create_custom_field

	field = {"fieldname": BIRTHDAY, "fieldtype": "Date", "label": "Birthday"}
	create_custom_field("Contact", field)
	frappe.db.commit()
	yield
	frappe.db.rollback()
	factories.clear_site()  # a field that a campaign needs cannot be deleted
	frappe.delete_doc("Custom Field", f"Contact-{BIRTHDAY}", force=True)
	frappe.db.commit()


def born(on, **fields):
	return factories.make_contact(**{BIRTHDAY: on}, **fields)


def test_birthday_enrolls_each_year_on_its_day_and_once_a_day(birthday_field, clock):
	today = site_date(clock.now)
	celebrating, future = born(add_years(today, -30)), born(add_years(today, 1))
	tomorrow = born(add_days(add_years(today, -20), 1))
	campaign = make_campaign(
		clock,
		trigger("Date Reached", field_name=BIRTHDAY, repeat="Each Year"),
		re_enrollment="Restart",
	)

	for _ in range(3):
		work_off(clock)
		clock.advance(minutes=15)

	assert enrolled(campaign) == [celebrating.name]
	assert factories.count("Drip Trigger Firing") == 1
	clock.advance(days=1)
	work_off(clock)
	assert enrolled(campaign) == [celebrating.name, tomorrow.name]
	assert future.name not in enrolled(campaign)


def test_days_without_a_scheduler_lose_nobody(birthday_field, clock):
	campaign = make_campaign(
		clock, trigger("Date Reached", field_name=BIRTHDAY, repeat="Once", days=7, days_from="Before")
	)
	work_off(clock)
	today = site_date(clock.now)
	due = [born(add_days(today, 7 + after)) for after in (1, 2, 3)]
	late = born(add_days(today, 11))

	clock.advance(days=3)
	work_off(clock)

	assert set(enrolled(campaign)) == {contact.name for contact in due}
	assert late.name not in enrolled(campaign)


def test_day_begins_by_the_recipients_own_clock_and_an_unknown_zone_is_the_sites(site):
	noon = Clock(utc_now().replace(hour=12, minute=0) + timedelta(days=1))
	zones = {"Pacific/Kiritimati": 1, "Pacific/Pago_Pago": 0, "Mars/Olympus": 0}
	users = {}
	for number, zone in enumerate(zones):
		name = factories.make_user(f"zone{number}", "Drip User")
		frappe.db.set_value("User", name, {"time_zone": zone, "birth_date": None})
		users[zone] = name
	campaign = make_campaign(
		noon,
		trigger(
			"Date Reached",
			recipient_type="User",
			field_name="birth_date",
			repeat="Each Year",
			local_day="Recipient",
		),
	)
	work_off(noon)
	assert enrolled(campaign) == []
	# All three have their birthday in two days, which begin at different moments.
	then = add_days(site_date(noon.now), 2)
	for name in users.values():
		frappe.db.set_value("User", name, "birth_date", add_years(then, -30))
	frappe.db.commit()

	came = {}
	for _ in range(72):
		noon.advance(hours=1)
		work_off(noon)
		for name in enrolled(campaign):
			came.setdefault(name, noon.now)

	assert set(came) == set(users.values())
	assert came[users["Pacific/Kiritimati"]] < came[users["Mars/Olympus"]] < came[users["Pacific/Pago_Pago"]]


def test_anniversary_of_a_sign_up_comes_after_a_year_and_not_on_the_first_day(site, clock):
	campaign = make_campaign(clock, trigger("Sign-up Anniversary"))
	new, old = factories.make_contact(), factories.make_contact()
	frappe.db.set_value("Contact", old.name, "creation", add_years(to_site(clock.now), -2))

	work_off(clock)

	assert enrolled(campaign) == [old.name]
	assert new.name not in enrolled(campaign)


def test_trigger_that_is_switched_on_again_begins_anew(birthday_field, clock):
	campaign = make_campaign(clock, trigger("Date Reached", field_name=BIRTHDAY, repeat="Once"))
	missed = born(add_days(site_date(clock.now), 2))
	work_off(clock)
	row = campaign.reload().triggers[0]
	assert row.checked_until
	row.enabled = 0
	campaign.save()
	campaign.reload().triggers[0].enabled = 1
	campaign.save()

	clock.advance(days=4)
	work_off(clock)

	assert missed.name not in enrolled(campaign)


def test_web_form_that_a_guest_submits_enrolls_the_record_it_makes(web, clock):
	form = frappe.get_doc(
		doctype="Web Form",
		title="Drip Test Form",
		route="drip-test-form",
		doc_type="Contact",
		module="Contacts",
		published=1,
		login_required=0,
		web_form_fields=[{"fieldname": "first_name", "fieldtype": "Data", "label": "First Name"}],
	).insert()
	campaign = make_campaign(clock, trigger("Web Form Submitted", web_form=form.name))
	general = make_campaign(clock, trigger("Web Form Submitted"))
	factories.make_contact("By hand")
	frappe.db.commit()

	browser = Browser(web)
	browser.get("/drip-test-form")
	data = json.dumps({"first_name": "Formed", "doctype": "Contact", "web_form_name": form.name})
	answer = browser.post(
		"/api/method/frappe.website.doctype.web_form.web_form.accept", {"web_form": form.name, "data": data}
	)
	frappe.db.rollback()
	firings = frappe.get_all("Drip Trigger Firing", fields=["campaign", "record"], order_by="campaign")
	frappe.delete_doc("Web Form", form.name, force=True, ignore_missing=True)
	frappe.db.delete("Contact", {"first_name": "Formed"})
	frappe.db.commit()

	assert answer.status == 200, answer.text
	assert {row.campaign for row in firings} == {campaign.name, general.name}
	assert all(row.record.startswith("Formed") for row in firings)


def received(sender: str, **fields):
	"""Insert what Frappe's mail receiver makes of an email."""
	communication = frappe.get_doc(
		doctype="Communication",
		communication_type="Communication",
		communication_medium="Email",
		sent_or_received="Received",
		subject="Please tell me more",
		content="Hello",
		sender=sender,
		recipients=factories.SENDER,
		email_account=factories.EMAIL_ACCOUNT,
		**fields,
	)
	communication.flags.in_receive = True
	return communication.insert()


def test_who_writes_to_a_mailbox_is_enrolled_and_made_known_if_nobody_knows_them(site, clock):
	campaign = make_campaign(clock, trigger("Email Received", email_account=factories.EMAIL_ACCOUNT))
	known = factories.make_contact("Known", f"known@{DOMAIN}")

	for sender in (f"Known <KNOWN@{DOMAIN}>", f"New Person <new@{DOMAIN}>", f"MAILER-DAEMON@{DOMAIN}"):
		received(sender)
	received(f"New Person <new@{DOMAIN}>")
	work_off(clock)

	new = frappe.db.get_value("Contact", {"email_id": f"new@{DOMAIN}"})
	assert set(enrolled(campaign)) == {known.name, new}
	assert factories.count("Contact", email_id=f"new@{DOMAIN}") == 1
	assert "No record to enroll" in outcomes(campaign)


def log(event_type: EventType, enrollment, detail=None) -> None:
	"""What the tracking writes: a batch of Drip Events."""
	event = {
		"event_type": event_type.value,
		"campaign": enrollment.campaign,
		"enrollment": enrollment.name,
		"email_address": enrollment.email_address,
		"detail": detail,
	}
	record_events([event], to_site(utc_now()))


def test_first_click_on_any_link_of_this_campaign_and_on_this_link_fire_once(site, clock):
	source, other = factories.make_active_campaign(clock), factories.make_active_campaign(clock)
	link = "https://shop.example/offer"
	any_click = make_campaign(clock, trigger("Link Clicked"))
	of_source = make_campaign(clock, trigger("Link Clicked", source_campaign=source.name))
	of_link = make_campaign(clock, trigger("Link Clicked", source_campaign=source.name, link_url=link))
	opened = make_campaign(clock, trigger("Email Opened"))
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")
	of_ada, of_bob = factories.enroll(source, ada, clock), factories.enroll(other, bob, clock)

	for _ in range(2):
		log(EventType.CLICKED, of_ada, "https://shop.example/")
		log(EventType.CLICKED, of_bob, link)
	work_off(clock)
	assert set(enrolled(any_click)) == {ada.name, bob.name}
	assert (enrolled(of_source), enrolled(of_link), enrolled(opened)) == ([ada.name], [], [])
	log(EventType.CLICKED, of_ada, link)
	log(EventType.OPENED, of_bob)
	work_off(clock)

	assert (enrolled(of_link), enrolled(opened)) == ([ada.name], [bob.name])
	assert factories.count("Drip Trigger Firing", campaign=any_click.name) == 2


def test_call_by_name_enrolls_and_the_same_key_counts_once(site, clock):
	campaign = make_campaign(clock, trigger("API Call", event_name="trial-started"))
	contact = factories.make_contact()

	answers = [
		api.trigger_campaign("Trial-Started", "Contact", contact.name, key="order 1") for _ in range(2)
	]
	work_off(clock)

	assert answers == [{"campaigns": [campaign.name]}] * 2
	assert enrolled(campaign) == [contact.name]
	assert factories.count("Drip Trigger Firing") == 1


def test_call_that_nobody_listens_to_or_about_nobody_says_so(site, clock):
	make_campaign(clock, trigger("API Call", event_name="trial-started"))
	contact = factories.make_contact()

	with pytest.raises(
		frappe.ValidationError, match="No running campaign has a trigger for the call “trail”"
	):
		api.trigger_campaign("trail", "Contact", contact.name)
	with pytest.raises(frappe.ValidationError, match="Contact No such contact doesn.t exist"):
		api.trigger_campaign("trial-started", "Contact", "No such contact")


@pytest.mark.parametrize("method", ["trigger_campaign", "count_existing", "backfill_existing"])
@pytest.mark.parametrize("who", ["stranger", "Guest"])
def test_strangers_may_not_call(site, clock, who, method):
	campaign = make_campaign(clock, trigger("API Call", event_name="trial-started"))
	contact = factories.make_contact()
	arguments = {
		"trigger_campaign": ["trial-started", "Contact", contact.name],
		"count_existing": [campaign.name],
		"backfill_existing": [campaign.name, "[]"],
	}
	frappe.set_user(factories.make_user("stranger", "Sales User") if who == "stranger" else who)

	with pytest.raises(frappe.PermissionError):
		getattr(api, method)(*arguments[method])
	frappe.set_user("Administrator")

	assert factories.count("Drip Trigger Firing") == 0


def test_user_calls_for_records_that_they_may_read_only(site, clock):
	make_campaign(clock, trigger("API Call", event_name="trial-started"))
	contact = factories.make_contact()
	frappe.set_user(factories.make_user("user", "Drip User"))

	with pytest.raises(frappe.PermissionError):
		api.trigger_campaign("trial-started", "Contact", contact.name)
	frappe.set_user("Administrator")


def test_people_who_met_a_trigger_before_are_counted_and_taken_in_when_asked(site, clock):
	hot = [factories.make_contact() for _ in range(3)]
	cold = factories.make_contact()
	for contact in hot:
		add_tag("hot", "Contact", contact.name)
	add_tag("Hotel", "Contact", cold.name)
	filters = json.dumps([["Contact", "name", "!=", hot[0].name]])
	campaign = make_campaign(clock, trigger("Tag Added", tag="Hot", filters=filters))
	assert enrolled(campaign) == []

	[found] = api.count_existing(campaign.name)
	runs = api.backfill_existing(campaign.name, json.dumps([found]))["runs"]
	frappe.db.commit()
	for run in runs:
		bulk_enrollment.run(run)

	assert (found["count"], found["recipient_type"]) == (2, "Contact")
	assert set(enrolled(campaign)) == {contact.name for contact in hot[1:]}
	assert frappe.get_doc("Drip Bulk Enrollment", runs[0]).status == "Completed"


def test_earlier_events_of_other_kinds_are_found_too(site, clock):
	done = factories.make_active_campaign(clock, factories.step(0))
	ada, bob = factories.make_contact("Ada", status="Replied"), factories.make_contact("Bob")
	enrollment = factories.enroll(done, ada, clock)
	factories.run(clock)
	log(EventType.CLICKED, enrollment, "https://shop.example/")
	kinds = [
		trigger("Record Created"),
		trigger("Field Reached Value", field_name="status", field_value="Replied"),
		trigger("Campaign Completed", source_campaign=done.name),
		trigger("Link Clicked", source_campaign=done.name),
		trigger("Sign-up Anniversary"),
	]
	filters = json.dumps([["Contact", "email_id", "like", f"%@{DOMAIN}"]])
	campaign = make_campaign(clock, *[{**kind, "filters": filters} for kind in kinds])

	counts = {row["sentence"]: row["count"] for row in api.count_existing(campaign.name)}

	assert enrollment.reload().status == "Completed"
	assert counts == {
		"When a Contact is created, if it matches the filters": 2,
		"When Status of a Contact becomes Replied, if it matches the filters": 1,
		f"When someone completes {done.name}, if it matches the filters": 1,
		f"When someone first clicks any link in {done.name}, if it matches the filters": 1,
	}
	assert bob.name not in enrolled(campaign)


def test_pages_of_earlier_people_are_whole_however_small_and_count_no_record_that_is_gone(
	site, clock, monkeypatch
):
	monkeypatch.setattr(backfill, "LOOK_AHEAD", 3)
	tagged = sorted(factories.make_contact().name for _ in range(7))
	for name in tagged:
		add_tag("Drip Test Pages", "Contact", name)
	frappe.db.delete("Contact", {"name": tagged[3]})
	campaign = make_campaign(clock, trigger("Tag Added", tag="Drip Test Pages"))

	audience = backfill.ExistingAudience(campaign.name, campaign.triggers[0].name, "Contact")

	there = [name for name in tagged if name != tagged[3]]
	assert audience.count() == 6
	assert [name for names in audience.pages(2) for name in names] == there
	assert audience.page(there[1], 2) == [there[2]]


def test_taking_in_everybody_needs_the_number_that_was_shown(site, clock):
	factories.make_contact()
	campaign = make_campaign(clock, trigger("Record Created"))
	[found] = api.count_existing(campaign.name)

	with pytest.raises(frappe.ValidationError, match="confirm the number"):
		api.backfill_existing(campaign.name, json.dumps([{**found, "total": found["total"] - 1}]))


def test_trigger_of_another_campaign_is_not_taken_in_here(site, clock):
	mine, other = make_campaign(clock), make_campaign(clock, trigger("Record Created"))
	audience = {"trigger": other.triggers[0].name, "recipient_type": "Contact"}

	with pytest.raises(frappe.ValidationError, match="Reload the form"):
		api.backfill_existing(mine.name, json.dumps([audience]))
	with pytest.raises(frappe.ValidationError, match="Reload the form"):
		frappe.get_doc(
			doctype="Drip Bulk Enrollment",
			campaign=mine.name,
			campaign_trigger=audience["trigger"],
			recipient_type="Contact",
		).insert()


@pytest.mark.parametrize(
	("fields", "said"),
	[
		({"kind": "Field Reached Value", "field_name": "color"}, "Contact has no field color"),
		({"kind": "Field Reached Value"}, "Field is empty"),
		({"kind": "Date Reached", "field_name": "first_name"}, "first_name of Contact is a Data field"),
		({"kind": "Tag Added", "recipient_type": "Note"}, "Note records cannot be enrolled. Choose one of"),
		({"kind": "Tag Added", "recipient_type": ""}, "Recipient Type is empty"),
		(
			{"kind": "Record Created", "filters": '[["Contact", "color", "=", 1]]'},
			"Contact has no field color",
		),
		({"kind": "Record Created", "filters": "{oops"}, "filters cannot be used"),
		({"kind": "Record Created", "filters": '"everything"'}, "filters cannot be used"),
		({"kind": "Record Created", "delay_days": -1}, "Delay (Days) is -1. Enter 0 or more."),
		({"kind": "API Call"}, "Event Name is empty"),
		({"kind": "Campaign Completed"}, "In Campaign is empty"),
	],
)
def test_bad_trigger_is_refused_naming_its_row_its_field_and_the_remedy(site, fields, said):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(triggers=[trigger("Tag Added"), {"recipient_type": "Contact", **fields}])

	assert "Trigger 2: " in str(caught.value)
	assert said in str(caught.value)


def test_campaigns_that_start_each_other_in_a_circle_are_refused_with_the_way_named(site, clock):
	first = factories.make_active_campaign(clock, name="Drip Test A")
	second = make_campaign(
		clock, trigger("Campaign Completed", source_campaign=first.name), name="Drip Test B"
	)
	third = make_campaign(
		clock, trigger("Campaign Completed", source_campaign=second.name), name="Drip Test C"
	)

	first.reload().append("triggers", trigger("Campaign Completed", source_campaign=third.name))
	with pytest.raises(frappe.ValidationError, match="Drip Test A → Drip Test B → Drip Test C → Drip Test A"):
		first.save()
	frappe.db.rollback()
	second.reload().append("triggers", trigger("Campaign Completed", source_campaign=second.name))
	with pytest.raises(frappe.ValidationError, match="Drip Test B → Drip Test B"):
		second.save()


def test_campaigns_that_start_each_other_by_opens_are_stopped_and_it_is_said(site, clock, monkeypatch):
	monkeypatch.setattr(loop_guard, "MOST_ROUNDS", 2)
	manager = factories.make_user("manager", "Drip Manager")
	again = {"re_enrollment": "Restart", "restart_after_days": 0}
	one = factories.make_active_campaign(clock, factories.step(0), name="Drip Test One", **again)
	back = trigger("Email Opened", recipient_type="", source_campaign=one.name)
	two = factories.make_active_campaign(
		clock, factories.step(0), name="Drip Test Two", triggers=[back], **again
	)
	frappe.cache.delete_value([f"drip_campaigns:circle:{name}" for name in (one.name, two.name)])
	one.reload().append("triggers", {**back, "source_campaign": two.name})
	one.save()
	clock.now = utc_now()
	factories.enroll(one, factories.make_contact("Ada"), clock)

	for _round in range(8):
		clock.advance(hours=1)
		factories.run(clock)
		for name in frappe.get_all("Drip Enrollment", pluck="name"):
			log(EventType.OPENED, frappe.get_doc("Drip Enrollment", name))
		work_off(clock)

	assert (len(enrolled(one)), len(enrolled(two))) == (2, 2)
	assert "was enrolled in this campaign 2 times in 30 days" in " ".join(outcomes(one) + outcomes(two))
	assert factories.count("Drip Enrollment", status="Completed") == 4
	assert any("seems to be in a loop" in subject for subject in factories.notifications_of(manager))


def test_row_says_what_it_does_and_keeps_no_values_of_another_kind(site):
	row = {"tag": "Drip Test Tag", "event_name": "x", "delay_days": 2}
	frappe.get_doc(doctype="Tag", name="Drip Test Tag").insert(ignore_if_duplicate=True)
	campaign = factories.make_campaign(triggers=[trigger("Tag Added", **row)])
	assert campaign.triggers[0].sentence == "When a Contact gets the tag Drip Test Tag, 2 days later"
	assert campaign.triggers[0].event_name is None

	campaign.triggers[0].kind = "Record Created"
	campaign.save()

	assert campaign.triggers[0].sentence == "When a Contact is created, 2 days later"
	assert campaign.triggers[0].tag is None


def test_renamed_campaign_goes_on_listening_and_a_deleted_one_does_not(site, clock):
	campaign = make_campaign(clock, trigger("Record Created"), name="Drip Test Old Name")
	frappe.rename_doc("Drip Campaign", campaign.name, "Drip Test New Name")
	frappe.db.commit()
	assert [row.parent for row in trigger_cache.find_watching("Contact")] == ["Drip Test New Name"]

	frappe.delete_doc("Drip Campaign", "Drip Test New Name")
	frappe.db.commit()

	assert trigger_cache.find_watching("Contact") == []


def test_settled_firings_are_cleared_after_a_while_and_waiting_ones_are_not(site, clock):
	from drip_campaigns.jobs import daily

	make_campaign(clock, trigger("Record Created"))
	make_campaign(clock, trigger("Record Created", delay_days=365))
	factories.make_contact()
	work_off(clock)

	clock.advance(days=100)
	daily.run(clock.now, enqueue_delivery=False)

	assert frappe.get_all("Drip Trigger Firing", pluck="status") == ["Waiting"]
	assert getdate(clock.now)


def before_visit(**fields) -> dict:
	return trigger("Date Reached", field_name=BIRTHDAY, repeat="Once", days=1, days_from="Before", **fields)


@pytest.mark.parametrize("how", ["new", "saved", "written without a save"])
def test_record_that_is_made_or_changed_after_the_first_look_of_its_day_is_enrolled_once(
	birthday_field, clock, how
):
	tomorrow = add_days(site_date(clock.now), 1)
	known = factories.make_contact()
	campaign = make_campaign(clock, before_visit())
	work_off(clock)

	if how == "new":
		known = born(tomorrow)
	elif how == "saved":
		known.reload().update({BIRTHDAY: tomorrow}).save()
	else:
		frappe.db.set_value("Contact", known.name, BIRTHDAY, tomorrow)
	for _ in range(3):
		clock.advance(minutes=15)
		work_off(clock)

	assert enrolled(campaign) == [known.name]
	assert factories.count("Drip Trigger Firing") == 1


def test_record_that_matches_the_filters_later_on_its_day_is_enrolled(birthday_field, clock):
	tomorrow = add_days(site_date(clock.now), 1)
	filters = json.dumps([["Contact", "department", "=", "Confirmed"]])
	campaign = make_campaign(clock, before_visit(filters=filters))
	contact, other = born(tomorrow), born(tomorrow)
	work_off(clock)
	assert enrolled(campaign) == [] and outcomes(campaign) == ["Does not match the filters"] * 2

	contact.reload().update({"department": "Confirmed"}).save()
	work_off(clock)
	frappe.db.set_value("Contact", other.name, "department", "Confirmed")
	clock.advance(minutes=15)
	work_off(clock)

	assert set(enrolled(campaign)) == {contact.name, other.name}
	assert factories.count("Drip Trigger Firing") == 2


def test_corrected_rule_finds_the_people_of_today_and_nobody_twice(birthday_field, clock):
	today = site_date(clock.now)
	wrong, right = born(add_days(today, 2)), born(add_days(today, 1))
	campaign = make_campaign(clock, before_visit() | {"days": 2}, re_enrollment="Restart")
	work_off(clock)
	assert enrolled(campaign) == [wrong.name]

	campaign.reload().triggers[0].days = 1
	campaign.save()
	clock.advance(minutes=1)
	work_off(clock)
	clock.advance(days=1)
	work_off(clock)

	assert enrolled(campaign) == [wrong.name, right.name]
	assert factories.count("Drip Trigger Firing") == 2


def test_change_after_the_end_of_the_day_is_too_late_for_it(birthday_field, clock):
	campaign = make_campaign(clock, before_visit())
	late = factories.make_contact()
	work_off(clock)
	day = site_date(clock.now)
	clock.advance(days=1, hours=1)
	moment = to_site(clock.now)
	values = {BIRTHDAY: add_days(day, 1), "modified": moment}
	frappe.db.set_value("Contact", late.name, values, update_modified=False)
	clock.advance(minutes=15)
	work_off(clock)

	assert enrolled(campaign) == []


def test_birthday_and_anniversary_of_a_record_that_is_corrected_today_count(birthday_field, clock):
	today = site_date(clock.now)
	campaign = make_campaign(
		clock,
		trigger("Date Reached", field_name=BIRTHDAY, repeat="Each Year"),
		trigger("Sign-up Anniversary"),
	)
	contact, old = factories.make_contact(), factories.make_contact()
	work_off(clock)
	contact.reload().update({BIRTHDAY: add_years(today, -30)}).save()
	frappe.db.set_value("Contact", old.name, "creation", add_years(to_site(clock.now), -2))
	clock.advance(minutes=15)
	work_off(clock)

	assert set(enrolled(campaign)) == {contact.name, old.name}
