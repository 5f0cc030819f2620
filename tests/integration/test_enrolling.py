"""Enrolling by hand: what it would do, doing it, a quota a day, everybody, and why not."""

import json

import frappe
import pytest
from click.testing import CliRunner

from drip_campaigns.api.enroll import enroll_records, explain_enrollment, preview_enrollment
from drip_campaigns.commands import enroll_command, why_not_command
from drip_campaigns.enrollment import preview
from drip_campaigns.jobs import bulk_enrollment, run_triggers
from drip_campaigns.jobs.enroll_now import enroll_audience
from drip_campaigns.people import audience
from drip_campaigns.people.opt_outs import record_opt_out
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN
from tests.fakes import Clock

OURS = json.dumps([["Contact", "email_id", "like", f"%@{DOMAIN}"]])


@pytest.fixture
def now(site) -> Clock:
	return Clock(utc_now())


@pytest.fixture
def crowd(now):
	"""A campaign, and one Contact for each reason that there is, beside two who are fine."""
	campaign = factories.make_active_campaign(now)
	names = {
		"fine": factories.make_contact("Fine", f"fine@{DOMAIN}"),
		"other": factories.make_contact("Other", f"other@{DOMAIN}"),
		"twin": factories.make_contact("Twin", f"FINE@{DOMAIN}"),
		"on": factories.make_contact("On", f"on@{DOMAIN}"),
		"left": factories.make_contact("Left", f"left@{DOMAIN}"),
		"flagged": factories.make_contact("Flagged", f"flagged@{DOMAIN}", unsubscribed=1),
		"nowhere": factories.make_contact("Nowhere", None),
	}
	factories.enroll(campaign, names["on"], now)
	record_opt_out(campaign.name, f"left@{DOMAIN}")
	frappe.db.commit()
	yield campaign, [contact.name for contact in names.values()]
	frappe.delete_doc("Contact", names["nowhere"].name, force=True)
	frappe.db.commit()


def ticked(names: list[str]) -> str:
	return json.dumps([["Contact", "name", "in", names]])


def test_preview_says_how_many_how_many_not_and_why_with_a_sample(crowd):
	campaign, names = crowd

	figures = preview_enrollment(campaign.name, "Contact", ticked(names))

	assert (figures["total"], figures["enrolled"], figures["resumed"]) == (7, 2, 0)
	assert {row["rule"]: row["count"] for row in figures["refused"]} == {
		"address": 1,
		"enrolled": 1,
		"unsubscribed": 1,
		"flag": 1,
		"duplicate": 1,
	}
	assert sorted(person["email"] for person in figures["sample"]) == [f"fine@{DOMAIN}", f"other@{DOMAIN}"]
	assert [row["examples"] for row in figures["refused"] if row["rule"] == "unsubscribed"] == [["Left"]]


def test_preview_writes_nothing_and_agrees_with_the_run(crowd):
	campaign, names = crowd
	before = factories.count("Drip Enrollment"), factories.count("Drip Event")

	figures = preview_enrollment(campaign.name, "Contact", ticked(names))
	after = factories.count("Drip Enrollment"), factories.count("Drip Event")
	done = enroll_records(campaign.name, "Contact", ticked(names))

	assert before == after
	assert (done["status"], done["enrolled"], done["refused"]) == ("Completed", figures["enrolled"], 5)
	assert sorted(done["reasons"].splitlines()) == sorted(
		f"{row['count']} × {row['reason']}" for row in figures["refused"]
	)


def test_same_address_is_counted_once_over_the_pages_of_a_preview(now, monkeypatch):
	campaign = factories.make_active_campaign(now)
	names = [factories.make_contact(f"Twin {n}", f"twin@{DOMAIN}").name for n in range(3)]
	monkeypatch.setattr(preview, "PAGE", 1)

	figures = preview_enrollment(campaign.name, "Contact", ticked(names))

	assert (figures["enrolled"], figures["refused"][0]["count"]) == (1, 2)


def test_somebody_who_may_go_on_is_counted_as_such(now):
	campaign = factories.make_active_campaign(now)
	contact = factories.make_contact()
	enrollment = factories.enroll(campaign, contact, now)
	frappe.call("drip_campaigns.api.desk.remove_enrollment", enrollment=enrollment.name)

	figures = preview_enrollment(campaign.name, "Contact", ticked([contact.name]))

	assert (figures["enrolled"], figures["resumed"]) == (0, 1)


def test_preview_costs_as_many_statements_for_many_as_for_few(now):
	campaign = factories.make_active_campaign(now)
	names = [factories.make_contact().name for _ in range(40)]
	preview_enrollment(campaign.name, "Contact", ticked(names))

	with factories.count_statements() as few:
		preview_enrollment(campaign.name, "Contact", ticked(names[:2]))
	with factories.count_statements() as many:
		preview_enrollment(campaign.name, "Contact", ticked(names))

	assert many.count == few.count


def test_filters_that_match_everybody_are_asked_about_with_the_number(now, monkeypatch):
	campaign = factories.make_active_campaign(now)
	factories.make_contact()
	frappe.db.commit()
	monkeypatch.setattr(audience, "EVERYBODY_FROM", 1)
	total = factories.count("Contact")

	figures = preview_enrollment(campaign.name, "Contact")
	with pytest.raises(frappe.ValidationError) as caught:
		enroll_records(campaign.name, "Contact")
	frappe.db.rollback()
	done = enroll_records(campaign.name, "Contact", confirmed_count=total)

	assert (figures["is_everybody"], figures["total"]) == (True, total)
	assert f"match every Contact that you may read: {total} records." in str(caught.value)
	assert done["status"] == "Completed"


def test_filter_that_every_record_happens_to_match_is_everybody_too(now, monkeypatch):
	campaign = factories.make_active_campaign(now)
	factories.make_contact()
	monkeypatch.setattr(audience, "EVERYBODY_FROM", 1)

	figures = preview_enrollment(campaign.name, "Contact", json.dumps([["Contact", "name", "is", "set"]]))

	assert figures["is_everybody"]


def test_few_are_enrolled_at_once_and_many_in_the_background(now, monkeypatch):
	campaign = factories.make_active_campaign(now)
	names = [factories.make_contact().name for _ in range(3)]
	monkeypatch.setattr("drip_campaigns.api.enroll.AT_ONCE", 2)

	few = enroll_records(campaign.name, "Contact", ticked(names[:2]))
	many = enroll_records(campaign.name, "Contact", ticked(names))

	assert (few["status"], few["enrolled"]) == ("Completed", 2)
	assert (many["status"], many["enrolled"]) == ("Queued", 0)


def test_so_many_a_day_goes_on_each_day_until_all_are_enrolled(now, monkeypatch):
	campaign = factories.make_active_campaign(now)
	for _ in range(5):
		factories.make_contact()
	run = enroll_records(campaign.name, "Contact", OURS, per_day=2)
	seen = [(run["status"], run["enrolled"])]

	for _ in range(3):
		now.advance(days=1)
		monkeypatch.setattr(bulk_enrollment, "utc_now", lambda: now.now)
		bulk_enrollment.continue_waiting(now.now)
		frappe.db.commit()
		bulk_enrollment.run(run["name"])
		seen.append(frappe.db.get_value("Drip Bulk Enrollment", run["name"], ["status", "enrolled"]))

	assert [tuple(row) for row in seen] == [
		("Waiting", 2),
		("Waiting", 4),
		("Completed", 5),
		("Completed", 5),
	]
	starts = frappe.get_all("Drip Enrollment", pluck="start_date", order_by="start_date")
	assert len(set(starts)) == 3


def test_quota_of_the_day_is_not_spent_twice(now):
	campaign = factories.make_active_campaign(now)
	for _ in range(3):
		factories.make_contact()
	run = enroll_records(campaign.name, "Contact", OURS, per_day=2)

	bulk_enrollment.continue_waiting(now.now)
	bulk_enrollment.run(run["name"])

	assert factories.count("Drip Enrollment") == 2


def test_quota_counts_who_is_enrolled_not_who_is_refused(now):
	campaign = factories.make_active_campaign(now)
	factories.make_contact("A refused", unsubscribed=1)
	for _ in range(2):
		factories.make_contact()

	run = enroll_records(campaign.name, "Contact", OURS, per_day=2)

	assert (run["enrolled"], run["refused"]) == (2, 1)


@pytest.mark.parametrize("filters", ["{oops", '"name"', "[1]", '[["Contact", "no_such_field", "=", 1]]'])
def test_filters_that_make_no_sense_are_refused_with_the_remedy(now, filters):
	campaign = factories.make_active_campaign(now)

	with pytest.raises(frappe.ValidationError, match="Clear them and choose again"):
		preview_enrollment(campaign.name, "Contact", filters)


def test_why_not_answers_rule_by_rule(crowd):
	campaign, names = crowd

	fine = explain_enrollment(campaign.name, "Contact", names[0])
	flagged = explain_enrollment(campaign.name, "Contact", names[5])
	nobody = explain_enrollment(campaign.name, "Contact", "drip-no-such-contact")

	assert fine["would_enroll"] and all(check["is_met"] for check in fine["checks"])
	assert [check["finding"] for check in flagged["checks"] if not check["is_met"]] == [
		"Is marked as unsubscribed"
	]
	assert [check["finding"] for check in nobody["checks"] if not check["is_met"]] == [
		"Does not exist, or you may not read it"
	]


def test_why_not_answers_filter_by_filter(crowd):
	campaign, names = crowd
	filters = json.dumps([["Contact", "first_name", "=", "Fine"], ["Contact", "status", "=", "Replied"]])

	answer = explain_enrollment(campaign.name, "Contact", names[0], filters)

	asked = [check for check in answer["checks"] if check["question"].startswith("Filter: ")]
	assert [check["is_met"] for check in asked] == [True, False]
	assert asked[1]["question"] == "Filter: Status = Replied"
	assert asked[1]["finding"] == f"It is {frappe.db.get_value('Contact', names[0], 'status') or 'empty'}."
	assert not answer["would_enroll"]


def test_why_not_tells_nothing_of_a_record_that_the_user_may_not_read(now):
	campaign = factories.make_active_campaign(
		now, triggers=[{"kind": "Record Created", "recipient_type": "Contact"}]
	)
	contact = factories.make_contact("Secret")
	frappe.set_user(factories.make_user("blind", "Drip User"))

	answer = explain_enrollment(
		campaign.name, "Contact", contact.name, json.dumps([["Contact", "first_name", "=", "Other"]])
	)

	assert not answer["would_enroll"] and answer["triggers"] == []
	assert "Secret" not in json.dumps(answer)


def test_why_not_says_which_trigger_would_take_a_record_and_why_not(now):
	filters = json.dumps([["Contact", "status", "=", "Replied"]])
	frappe.get_doc(doctype="Tag", name="Drip Test Cold").insert(ignore_if_duplicate=True)
	target_list = factories.make_list()
	rows = [
		{"kind": "Tag Added", "recipient_type": "Contact", "tag": "Drip Test Cold"},
		{"kind": "Record Created", "recipient_type": "Contact", "filters": filters},
		{"kind": "Record Created", "recipient_type": "User", "enabled": 0},
		{"kind": "API Call", "recipient_type": "Contact", "event_name": "x", "filters": filters},
	]
	campaign = factories.make_active_campaign(
		now, triggers=rows, target_lists=[{"target_list": target_list.name}]
	)
	contact = factories.make_contact(status="Open")
	factories.add_to_list(target_list, contact)
	frappe.db.commit()
	run_triggers.run(utc_now())

	found = explain_enrollment(campaign.name, "Contact", contact.name)["triggers"]

	failed = [[check["finding"] for check in row["checks"] if not check["is_met"]] for row in found]
	assert failed == [
		["Nothing recorded yet."],
		["It is Open."],
		["The trigger is disabled.", "This trigger enrolls User records."],
		["It is Open."],
		[],
	]
	assert [row["would_take"] for row in found] == [False, False, False, False, True]
	assert found[1]["latest"].endswith(": Does not match the filters.")
	assert found[4]["latest"].endswith(": Enrolled.")


def test_why_not_names_a_campaign_that_takes_nobody(crowd):
	campaign, names = crowd
	campaign.reload().db_set("status", "Ended")

	answer = explain_enrollment(campaign.name, "Contact", names[0])

	assert "has ended" in answer["checks"][0]["finding"]


@pytest.mark.parametrize("function", [preview_enrollment, enroll_records])
def test_who_may_not_enroll_is_refused(now, function):
	campaign = factories.make_active_campaign(now)
	frappe.set_user(factories.make_user("stranger"))

	with pytest.raises(frappe.PermissionError):
		function(campaign.name, "Contact", OURS)
	with pytest.raises(frappe.PermissionError):
		explain_enrollment(campaign.name, "Contact", "x")


def test_user_enrolls_only_what_they_may_read(now):
	campaign = factories.make_active_campaign(now)
	factories.make_contact()
	frappe.set_user(factories.make_user("seller", "Drip User"))

	figures = preview_enrollment(campaign.name, "Contact", OURS)

	assert (figures["total"], figures["enrolled"]) == (0, 0)


def test_command_line_enrolls_after_a_dry_run(now):
	campaign = factories.make_active_campaign(now)
	factories.make_contact()
	factories.make_contact("Flagged", unsubscribed=1)
	options = {"filters": OURS, "start_date": None, "per_day": 0, "everybody": False}

	dry = enroll_audience(campaign.name, "Contact", dry_run=True, **options)
	count = factories.count("Drip Enrollment")
	done = enroll_audience(campaign.name, "Contact", dry_run=False, **options)

	assert dry[1:] == [
		"1 would be enrolled, 0 would resume where they stopped.",
		"1 × Is marked as unsubscribed",
	]
	assert count == 0
	assert done[1:] == ["2 of 2 records checked, 1 enrolled, 1 skipped.", "1 × Is marked as unsubscribed"]


@pytest.mark.parametrize("command", [enroll_command, why_not_command])
def test_command_has_an_example(command):
	text = CliRunner().invoke(command, ["--help"]).output

	assert "Example: bench --site" in text


def test_value_of_a_filter_cannot_break_out_of_its_statement(now):
	factories.make_contact("Back\\slash 100% 'n' all")

	wanted = json.dumps([["Contact", "first_name", "=", "Back\\slash 100% 'n' all"]])
	hostile = json.dumps([["Contact", "first_name", "=", "x\\') OR 1=1 UNION SELECT name FROM tabUser -- "]])

	assert audience.Audience("Contact", wanted).count() == 1
	assert audience.Audience("Contact", hostile).count() == 0


def test_next_step_names_a_field_of_its_subject_in_brackets(site, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0, "Hello {{ doc.first_name }}, welcome"))

	enrollment = factories.enroll(campaign, factories.make_contact("Ada"), clock)

	assert enrollment.reload().next_step_subject == "Hello [first name], welcome"


def test_grid_of_steps_shows_the_template_beside_the_subject(site):
	shown = [field for field in frappe.get_meta("Drip Campaign Step").fields if field.in_list_view]

	assert {"email_template", "subject"} <= {field.fieldname for field in shown}
	assert sum(field.columns for field in shown) <= 10  # as many as a grid has
