"""Recipes of CONTRIBUTING.md, followed in miniature. The recipes of the kinds are in test_kinds.py."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import frappe
import pytest

from drip_campaigns.core.inbound.provider_events import ProviderEvent, UnprovenError, make_bounce
from drip_campaigns.core.model import ExitReason
from drip_campaigns.dispatch import guard
from drip_campaigns.enrollment import eligibility
from drip_campaigns.enrollment.eligibility import Rule
from drip_campaigns.exit_rules.find_exits import ExitRules, RuleExit
from drip_campaigns.inbound import webhooks
from drip_campaigns.inbound.providers.request import ProviderRequest
from drip_campaigns.people.recipient_types import BUILT_IN, RecipientType
from tests import factories
from tests.factories import DOMAIN, step

ADDRESS = f"ada@{DOMAIN}"


@pytest.fixture
def enrollment(site, smtp, clock):
	"""Ada, who was sent the first of two emails."""
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", ADDRESS), clock)
	factories.run(clock)
	return enrollment


def verify(request: ProviderRequest, _now) -> str:
	"""Raise UnprovenError unless the request comes from Acme."""
	if request.headers.get("X-Acme") != "secret":
		raise UnprovenError
	return ""


def read(payload: dict) -> Iterator[ProviderEvent]:
	"""Yield the bounces of a report."""
	for address in payload["bounced"]:
		yield make_bounce(address, "", "No such user", is_hard=True)


def test_provider_is_a_module_with_two_functions_and_its_name_in_a_table(enrollment, clock, monkeypatch):
	monkeypatch.setitem(webhooks.PROVIDERS, "acme", SimpleNamespace(verify=verify, read=read))
	body = json.dumps({"bounced": [ADDRESS]}).encode()

	with pytest.raises(UnprovenError):
		webhooks.process_report("acme", ProviderRequest({}, body), clock.now)
	processed = webhooks.process_report("acme", ProviderRequest({"X-Acme": "secret"}, body), clock.now)

	enrollment.reload()
	assert (processed, enrollment.exit_reason) == (1, ExitReason.HARD_BOUNCE)


def test_stop_rule_is_a_method_in_a_list(enrollment, smtp, clock, monkeypatch):
	def find_retired(rows, _site_now) -> dict[str, RuleExit]:
		return {row["name"]: RuleExit(ExitReason.GOAL, "Ada has retired") for row in rows}

	def add_rule(rules: ExitRules, campaign) -> None:
		make_rules(rules, campaign)
		rules.finders.append(find_retired)

	make_rules = ExitRules.__init__
	monkeypatch.setattr(ExitRules, "__init__", add_rule)
	clock.advance(days=2)
	factories.run(clock)

	enrollment.reload()
	assert (enrollment.status, enrollment.exit_reason) == ("Exited", "Goal")
	assert len(smtp.messages) == 1


def test_recipient_type_is_an_entry_in_a_table(site, smtp, clock, monkeypatch):
	note = RecipientType(doctype="Note", address="content", full_name="title")
	monkeypatch.setitem(BUILT_IN, "Note", note)
	record = frappe.get_doc(doctype="Note", title="Ada", content=ADDRESS).insert()

	factories.enroll(factories.make_active_campaign(clock, step(0)), record, clock)
	factories.run(clock)

	assert [message.recipient for message in smtp.messages] == [ADDRESS]


def test_guard_is_a_rule_in_two_lists(enrollment, smtp, clock, monkeypatch):
	retired = Rule("retired", "Not retired?", lambda _facts, _one: ("has retired", "Choose another person."))
	monkeypatch.setattr(eligibility, "RULES", (*eligibility.RULES, retired))
	monkeypatch.setattr(eligibility, "RULES_LATER", (*eligibility.RULES_LATER, retired))
	monkeypatch.setitem(guard._EXIT_REASONS, retired.name, ExitReason.EXCLUDED)
	other = factories.make_active_campaign(clock, step(0), name="Other")

	with pytest.raises(frappe.ValidationError, match="has retired"):
		factories.enroll(other, frappe.get_doc("Contact", enrollment.recipient), clock)
	clock.advance(days=2)
	factories.run(clock)

	enrollment.reload()
	assert (enrollment.status, enrollment.exit_reason) == ("Exited", "Excluded")
	assert len(smtp.messages) == 1
