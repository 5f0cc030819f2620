"""Variants of a step: who gets which, and when the rest get the better one."""

from collections import Counter

import frappe
import pytest

from drip_campaigns.api import variants
from drip_campaigns.campaign import winners
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.site.clock import to_site
from tests import factories
from tests.factories import step

TEXT = "<p>Hello {{ recipient.first_name }}</p>"


def own(**fields) -> dict:
	"""Return a step with a label, which variants may name."""
	return step(0, "Plain", label="Offer", control_weight=1, **fields)


def other(subject: str = "Shiny", **fields) -> dict:
	return {"step_label": "Offer", "subject": subject, "message": TEXT, "weight": 1, **fields}


def enroll_many(campaign, clock, count: int) -> None:
	for _ in range(count):
		factories.enroll(campaign, factories.make_contact(), clock)


def note_opens(campaign, **by_variant: int) -> None:
	"""Record opens by a number of each variant's readers."""
	for variant, count in by_variant.items():
		names = frappe.get_all("Drip Email", {"campaign": campaign.name, "variant": variant}, pluck="name")
		for name in names[:count]:
			frappe.db.set_value("Drip Email", name, "human_opens", 1)
	frappe.db.commit()


def invent_mails(campaign, clock, **by_variant: int) -> None:
	"""Write down emails that were sent earlier, without people behind them."""
	first = campaign.steps[0].name
	model = frappe.get_all("Drip Email", {"campaign": campaign.name}, ["*"])[0]
	for variant, count in by_variant.items():
		for number in range(count):
			name = f"invented-{variant}-{number}"
			document = frappe.get_doc({**model, "doctype": "Drip Email", "name": name, "enrollment": name})
			document.update({"variant": variant, "step": first, "status": "Sent"})
			document.db_insert()
	frappe.db.commit()


def test_each_gets_one_variant_and_the_e_mail_says_which(site, smtp, clock):
	campaign = factories.make_active_campaign(
		clock, own(), variants=[other(sender_name="Shiny Ltd"), other("Third")]
	)
	enroll_many(campaign, clock, 30)

	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	sent = frappe.get_all("Drip Email", fields=["variant", "subject", "step_version", "email_queue"])
	assert {(row.variant, row.subject) for row in sent} == {("A", "Plain"), ("B", "Shiny"), ("C", "Third")}
	assert len({row.step_version for row in sent}) == 3
	assert all(count >= 3 for count in Counter(row.variant for row in sent).values())
	messages = {row.variant: frappe.db.get_value("Email Queue", row.email_queue, "message") for row in sent}
	assert "From: Shiny Ltd <" in messages["B"] and "Shiny Ltd" not in messages["A"]


def test_winner_is_chosen_when_its_time_has_come_and_the_rest_get_it(site, smtp, clock):
	test = {"winner_by": "Opens", "winner_after_hours": 24, "winner_sample": 100}
	campaign = factories.make_active_campaign(
		clock, own(**test), variants=[other()], tracking_mode="Individual"
	)
	enroll_many(campaign, clock, 2)
	factories.run(clock)
	invent_mails(campaign, clock, A=200, B=200)
	note_opens(campaign, A=20, B=60)
	assert winners.choose_due_winners(clock.now) == 0  # the sample is there, the hours are not

	clock.advance(hours=24)
	enroll_many(campaign, clock, 6)
	factories.run(clock)

	found = frappe.get_last_doc("Drip Variant Result")
	assert (found.variant, found.is_significant, found.decided_by) == ("B", 1, "Opens")
	assert found.explanation.startswith("B wins by Opens (p < 0.001): A ")
	latest = [message.message["Subject"] for message in smtp.messages[-6:]]
	assert latest == ["Shiny"] * 6
	assert winners.choose_due_winners(clock.now) == 0

	variants.choose_variant(campaign.name, campaign.steps[0].name, "A")
	enroll_many(campaign, clock, 4)
	factories.run(clock)
	assert [message.message["Subject"] for message in smtp.messages[-4:]] == ["Plain"] * 4


@pytest.mark.parametrize(("otherwise", "kept"), [("Variant A", "A"), ("Highest Rate", "B")])
def test_without_a_significant_difference_that_is_said_and_the_rest_get_what_was_chosen(
	site, smtp, clock, otherwise, kept
):
	test = {"winner_by": "Opens", "winner_sample": 40, "no_winner_fallback": otherwise}
	campaign = factories.make_active_campaign(
		clock, own(**test), variants=[other()], tracking_mode="Individual"
	)
	enroll_many(campaign, clock, 1)
	factories.run(clock)
	invent_mails(campaign, clock, A=30, B=30)
	note_opens(campaign, A=6, B=7)

	at_once = winners.choose_due_winners(clock.now)  # nobody has had time to read
	clock.advance(hours=24)
	assert (at_once, winners.choose_due_winners(clock.now)) == (0, 1)

	found = frappe.get_last_doc("Drip Variant Result")
	assert (found.variant, found.is_significant) == (kept, 0)
	assert "No significant difference in Opens" in found.explanation


@pytest.mark.parametrize("criterion", ["Clicks", "Replies", "Goals"])
def test_each_criterion_counts_what_it_says(site, smtp, clock, criterion):
	campaign = factories.make_active_campaign(
		clock,
		own(winner_by=criterion, winner_sample=99),
		variants=[other()],
		tracking_mode="Individual",
	)
	enroll_many(campaign, clock, 20)
	factories.run(clock)
	mail = frappe.get_all("Drip Email", {"variant": "B"}, ["name", "enrollment"])[0]
	frappe.db.set_value("Drip Email", mail.name, "human_clicks", 2)
	frappe.db.set_value("Drip Enrollment", mail.enrollment, "exit_reason", "Goal")
	frappe.get_doc(
		doctype="Drip Event",
		event_type="Replied",
		occurred_at=to_site(clock.now),
		campaign=campaign.name,
		drip_email=mail.name,
	).insert()

	(figures,) = variants.get_variant_figures(campaign.name)

	assert figures["criterion"] == criterion
	assert {row["variant"]: row["hits"] for row in figures["variants"]} == {"A": 0, "B": 1}


@pytest.mark.parametrize(
	("steps", "rows", "said"),
	[
		(own(), other(subject=""), "Variant B of Offer has no subject"),
		(own(), other(message=""), "Variant B of Offer has no text"),
		(own(), other(weight=0), "Variant B of Offer: the weight is 0"),
		({**own(), "control_weight": 0}, other(), "the weight of its own text is 0"),
		(own(), other(step_label="Nowhere"), "no email step has this label"),
		(own(), other(message="{{ broken"), "Variant B of Offer, Message"),
		(own(winner_by="Opens"), other(), "enter when to choose the winner"),
		(own(winner_by="Clicks", winner_sample=9), other(), "not record .*Tracking Mode: Anonymous Totals"),
	],
)
def test_variants_that_cannot_be_sent_are_refused(site, steps, rows, said):
	with pytest.raises(frappe.ValidationError, match=said):
		factories.make_campaign(steps, variants=[rows])


def test_letter_of_a_variant_that_was_sent_is_not_given_again(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, own(), variants=[other("Second")])
	enroll_many(campaign, clock, 12)
	factories.run(clock)

	campaign.reload().variants = []
	campaign.append("variants", other("Another"))
	campaign.save()

	assert [row.variant for row in campaign.variants] == ["C"]


def test_figures_are_for_readers_and_choosing_for_writers(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, own(), variants=[other()])
	frappe.set_user(factories.make_user("reader", "Drip User"))
	[figures] = variants.get_variant_figures(campaign.name)
	assert (figures["label"], figures["criterion"]) == ("Offer", "Replies")  # who opens is not known
	with pytest.raises(frappe.PermissionError):
		variants.choose_variant(campaign.name, campaign.steps[0].name, "B")
	frappe.set_user("Administrator")
	frappe.set_user(factories.make_user("stranger", "Sales User"))
	with pytest.raises(frappe.PermissionError):
		variants.get_variant_figures(campaign.name)

	frappe.set_user("Administrator")
	with pytest.raises(frappe.ValidationError, match="no variant Z"):
		variants.choose_variant(campaign.name, campaign.steps[0].name, "Z")
