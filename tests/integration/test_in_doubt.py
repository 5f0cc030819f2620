"""An email in doubt is settled by a user or by evidence, and every enrollment and email stands on exactly one card."""

import json
from datetime import timedelta

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drip_campaigns.api import enrollments as api
from drip_campaigns.api import results
from drip_campaigns.core.inbound.bounces import Bounce
from drip_campaigns.core.inbound.response_words import Category, Severity
from drip_campaigns.core.model import UnsubscribeScope
from drip_campaigns.core.tracking.visits import Visit, VisitKind
from drip_campaigns.dispatch import retry
from drip_campaigns.enrollment import unsubscribe
from drip_campaigns.enrollment.verbs import VerbRequest, apply_verb
from drip_campaigns.inbound.bounces import record_bounce
from drip_campaigns.inbound.find_email import find_email
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.preferences import save_preference
from drip_campaigns.site.clock import utc_now
from drip_campaigns.stats import ledger, progress, visit_buffer
from tests import factories
from tests.core import conftest as profiles
from tests.factories import DOMAIN
from tests.fuzz.depth import examples

assert profiles.COMMON  # the import registers and loads the profile
BOB = f"bob@{DOMAIN}"


@pytest.fixture
def doubtful(site, smtp, clock):
	"""Return the Drip Email of a person who agreed to tracking; the connection broke after its text."""
	campaign = factories.make_active_campaign(clock, tracking_mode="Individual")
	smtp.answer_text(BOB, "")
	factories.send_tracked(campaign, [factories.make_contact("Bob", BOB)], clock)
	[mail] = frappe.get_all("Drip Email", {"campaign": campaign.name}, pluck="name")
	assert ledger.read_ledger(campaign.name)["in_doubt"] == 1
	smtp.reset()
	return frappe.get_doc("Drip Email", mail)


def visit(mail: str, number: int = 0, agent: str = "Firefox") -> None:
	"""Open an email, and count it."""
	visit_buffer.push(
		Visit(f"{mail}-{number}", VisitKind.OPEN, mail, utc_now() - timedelta(minutes=9), agent=agent)
	)
	dispatch_due.count_visits(utc_now() + timedelta(minutes=2))
	frappe.db.commit()


def test_email_in_doubt_has_a_card_of_its_own(doubtful):
	cards = progress.count_by_status(doubtful.campaign)["cards"]

	[card] = [card for card in cards if card["statuses"] == ["In Doubt"]]
	assert (card["label"], card["count"], card["is_bad"]) == ("Emails In Doubt", 1, True)


def test_user_says_that_it_arrived_once(doubtful, smtp, clock):
	names = json.dumps([doubtful.name])

	answers = [api.settle_in_doubt(names, "1") for _twice in range(2)]
	frappe.db.commit()
	factories.run(clock)

	assert answers == [{"done": 1, "left": 0}, {"done": 0, "left": 1}]
	assert (doubtful.reload().status, doubtful.sent_at) == ("Sent", doubtful.queued_at)
	assert smtp.messages == []
	assert results.get_results(doubtful.campaign)["total"]["sent"] == 1


def test_user_sends_it_again_once(doubtful, smtp, clock):
	campaign = frappe.get_doc("Drip Campaign", doubtful.campaign)

	sent = [retry.send_again(campaign, [doubtful.name], clock.now) for _twice in range(2)]
	frappe.db.commit()
	factories.run(clock)

	assert sent == [1, 0]
	assert doubtful.reload().status == "Sent"
	assert [message.recipient for message in smtp.messages] == [BOB]


def test_nothing_is_sent_again_to_who_has_left_since(doubtful):
	holder = unsubscribe.find_link_holder(doubtful.enrollment)
	unsubscribe.unsubscribe_holder(holder, UnsubscribeScope.EVERYTHING, utc_now())

	assert api.settle_in_doubt(json.dumps([doubtful.name]), "0") == {"done": 0, "left": 1}
	assert doubtful.reload().status == "In Doubt"


@pytest.mark.parametrize(("agent", "status"), [("Firefox", "Sent"), ("curl/8", "In Doubt")])
def test_open_by_a_person_proves_that_it_arrived_and_one_by_a_bot_does_not(doubtful, agent, status):
	visit(doubtful.name, agent=agent)

	assert doubtful.reload().status == status


def test_bounce_of_that_very_email_proves_that_it_left(doubtful):
	bounce = Bounce(BOB, Severity.SOFT, Category.MAILBOX_FULL, "4.2.2", "full")

	record_bounce(find_email([], [doubtful.message_id]), bounce, utc_now(), source="test")

	assert (doubtful.reload().status, doubtful.bounce) == ("Sent", "Soft")


STEPS = st.lists(
	st.tuples(
		st.sampled_from(
			[
				"enroll",
				"enroll",
				"run",
				"run",
				"doubt",
				"arrived",
				"again",
				"pause",
				"remove",
				"leave",
				"open",
				"delete",
			]
		),
		st.integers(0, 3),
	),
	min_size=3,
	max_size=8,
)


class History:
	"""A campaign, and what happens to its people in any order."""

	def __init__(self, clock, smtp) -> None:
		self.clock, self.smtp = clock, smtp
		self.campaign = factories.make_active_campaign(
			clock, factories.step(0), factories.step(1), tracking_mode="Individual"
		)
		self.lost_sent, self.number = 0, 0

	def act(self, what: str, which: int) -> None:
		"""Let one thing happen to the enrollment or the email of this number, if there is one."""
		if what == "enroll":
			contact = factories.make_contact()
			save_preference(contact.email_id, tracking_consent=1, tracking_consent_at=frappe.utils.now())
			factories.enroll(self.campaign, contact, self.clock)
		elif what == "run":
			factories.run(self.clock)
			self.clock.advance(days=1)
		elif what in ("doubt", "arrived", "again", "open"):
			self._act_on_email(what, which)
		elif name := self._pick("Drip Enrollment", which):
			self._act_on_enrollment(what, name)
		frappe.db.commit()

	def _act_on_enrollment(self, what: str, name: str) -> None:
		if what == "leave":
			unsubscribe.unsubscribe_enrollments([name], self.clock.now)
		elif what == "delete":
			self.lost_sent += factories.count("Drip Email", enrollment=name, status="Sent")
			frappe.delete_doc("Drip Enrollment", name)
		else:
			apply_verb([name], VerbRequest.read(what.title(), None, None), self.clock.now)

	def _act_on_email(self, what: str, which: int) -> None:
		if what == "doubt":
			people = frappe.get_all(
				"Drip Enrollment", {"campaign": self.campaign.name}, pluck="email_address"
			)
			for address in people:
				self.smtp.answer_text(address, "")
			factories.run(self.clock)
			self.smtp.reset()
		elif name := self._pick("Drip Email", which, status=["in", ["Sent", "In Doubt"]]):
			self.number += 1
			if what == "open":
				visit(name, self.number)
			elif what == "arrived":
				api.settle_in_doubt(json.dumps([name]), "1")
			else:
				retry.send_again(self.campaign, [name], self.clock.now)

	def _pick(self, doctype: str, which: int, **filters) -> str | None:
		names = frappe.get_all(
			doctype, {"campaign": self.campaign.name, **filters}, pluck="name", order_by="name"
		)
		return names[which % len(names)] if names else None

	def check(self) -> None:
		"""Compare the cards, the ledger, and the figures with the rows."""
		name = self.campaign.name
		cards, book = progress.count_by_status(name)["cards"], ledger.read_ledger(name)
		for doctype in (ledger.ENROLLMENT, ledger.EMAIL):
			rows = frappe.get_all(doctype, {"campaign": name}, pluck="status")
			on_cards = [card for card in cards if card["doctype"] == doctype]
			assert sum(card["count"] for card in on_cards) == len(rows)
			for card in on_cards:
				assert card["count"] == sum(status in card["statuses"] for status in rows)
		assert book["due"] == factories.count("Drip Email", campaign=name)
		assert results.get_results(name)["total"]["sent"] == book["sent"] + self.lost_sent
		self._check_people()

	def _check_people(self) -> None:
		figures = results.get_results(self.campaign.name)
		if not self.lost_sent:
			for row in figures["steps"]:
				opened = {"step": row["step"], "human_opens": [">", 0]}
				assert row["opened"] == factories.count("Drip Email", **opened)
		assert figures["total"]["opened"] <= figures["total"]["people"] <= figures["total"]["sent"]
		assert sum(row["left"] for row in [*figures["steps"], figures["rest"]]) == figures["total"]["left"]


@examples(25)
@given(steps=STEPS)
def test_cards_equal_the_ledger_after_any_history(site, smtp, clock, steps):
	history = History(clock, smtp)

	for what, which in steps:
		history.act(what, which)

	history.check()
	dispatch_due.count_events()
	history.check()


def test_every_status_stands_on_exactly_one_card(site):
	for doctype in (ledger.ENROLLMENT, ledger.EMAIL):
		options = frappe.get_meta(doctype).get_field("status").options.split("\n")
		on_cards = [status for card in ledger.CARDS if card.doctype == doctype for status in card.statuses]
		assert sorted(on_cards) == sorted(options)
