"""Undo: suppressions are lifted in bulk, and the enrollments that ended because of them resume where they were."""

import frappe
import pytest

from drip_campaigns.api import desk
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.site.clock import to_site, utc_now
from tests import factories
from tests.factories import DOMAIN, step

SAID = "550 5.1.1 user unknown, says 100%_sure.example"


@pytest.fixture
def clock():
	"""A clock at the present time, as the API has it."""
	return factories.Clock(utc_now())


@pytest.fixture
def bounced(site, smtp, clock):
	"""Three people of whom an email bounced at the first step, and two who go on."""
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	people = []
	for number in range(5):
		address = f"p{number}@{DOMAIN}"
		if number < 3:
			smtp.answer(address, SAID if number else "550 5.1.1 mailbox closed")
		people.append(factories.enroll(campaign, factories.make_contact(address=address), clock))
	factories.run(clock)
	return campaign, people


def states(people) -> list[str]:
	return [person.reload().status for person in people]


def lift(**choice):
	return desk.lift_suppressions("Hard Bounce", because="The server was wrong.", **choice)


def test_all_of_a_reason_are_lifted_and_their_people_get_the_next_step(bounced, smtp, clock):
	_campaign, people = bounced
	before = states(people)

	shown = desk.lift_suppressions("Hard Bounce", preview=True)
	unchanged = states(people), factories.count("Drip Suppression", lifted=0)
	done = lift()
	frappe.db.commit()
	again = lift()
	for number in range(3):
		smtp.answer(f"p{number}@{DOMAIN}", "250 OK")
	clock.advance(days=2, hours=1)
	factories.run(clock)

	assert before == ["Exited"] * 3 + ["In Progress"] * 2
	assert unchanged == (before, 3)
	assert shown == done == {"lifted": 3, "resumed": 3, "refused": {}, "left": 0}
	assert (again["lifted"], again["resumed"]) == (0, 0)
	assert sorted({message.recipient for message in smtp.messages}) == [f"p{n}@{DOMAIN}" for n in range(5)]
	assert factories.count("Drip Event", event_type="Lifted") == 3


@pytest.mark.parametrize(
	("choice", "lifted"),
	[
		({"phrase": "100%_sure"}, 2),
		({"phrase": "100%x"}, 0),  # % and _ are no wildcards
		({"day": "today"}, 3),
		({"day": "2020-01-01"}, 0),
		({"campaign": "ours"}, 3),
		({"campaign": "another"}, 0),
	],
)
def test_choice_by_words_day_and_campaign(bounced, clock, choice, lifted):
	campaign, _people = bounced
	names = {"ours": campaign.name, "today": str(to_site(clock.now).date())}
	wanted = {key: names.get(value, value) for key, value in choice.items()}

	assert lift(**wanted)["lifted"] == lifted


def test_what_the_recipient_asked_for_is_never_lifted_in_bulk(site, clock):
	for reason in (SuppressionReason.OPTED_OUT, SuppressionReason.COMPLAINT):
		suppress(f"{reason.value[0]}@{DOMAIN}", reason, clock.now, source="test")
		with pytest.raises(frappe.ValidationError, match="one by one"):
			desk.lift_suppressions(reason.value, because="All of them")

	assert lift()["lifted"] == 0
	assert factories.count("Drip Suppression", lifted=0) == 2


def test_person_who_left_for_another_reason_stays_out(bounced, clock):
	_campaign, people = bounced
	frappe.db.set_value("Drip Enrollment", people[0].name, "exit_reason", "Removed")

	assert lift()["resumed"] == 2
	assert people[0].reload().status == "Exited"


def test_only_a_manager_lifts_and_only_with_a_reason(bounced):
	frappe.set_user(factories.make_user("user", "Drip User"))
	with pytest.raises(frappe.PermissionError):
		lift()
	frappe.set_user("Administrator")
	with pytest.raises(frappe.ValidationError, match="who asked"):
		desk.lift_suppressions("Hard Bounce")
