"""The promises under faults: `make chaos` in its shortest honest form, with real kills and an SMTP server that counts."""

import importlib
from collections.abc import Iterator

import frappe
import pytest

from benchmarks import action_checks, chaos, setup, workers
from benchmarks.assertions import check_campaign
from benchmarks.chaos_run import ChaosRun
from benchmarks.faults import FAULTS
from benchmarks.observers import SmtpObserver
from benchmarks.services import Services, is_on_bench
from drip_campaigns.stats.ledger import read_ledger
from tests import factories
from tests.receiver import Receiver

SIZE = 0.06  # of the full form
SEED = 7


@pytest.fixture
def observer(site, mail_server) -> Iterator[SmtpObserver]:
	"""A mail server in its own process, which the site sends through during one test."""
	workers.LOG.parent.mkdir(exist_ok=True)
	with SmtpObserver(seed=SEED) as running:
		factories.make_email_account(running.port)
		factories.forget_accounts()
		yield running
	frappe.db.rollback()
	setup.clear()
	factories.make_email_account(mail_server.port)
	factories.forget_accounts()


def run_fault(title: str, observer: SmtpObserver) -> chaos.Line:
	"""Run a campaign through the fault of this title and return the outcome."""
	(fault,) = (fault for fault in FAULTS if fault.title.startswith(title))
	return chaos.cause(fault, observer, Services(is_on_bench()), SIZE, SEED)


@pytest.mark.parametrize(
	"title",
	["kill -9 at random", "kill -9 after the 250", "eight dispatchers", "Redis emptied", "SMTP 421"],
)
def test_nothing_is_sent_twice_or_lost(observer, title):
	line = run_fault(title, observer)

	result, (campaign,) = line.result, frappe.get_all("Drip Campaign", pluck="name")
	assert result.due >= result.delivered > 50
	assert (result.duplicates, result.lost, result.untrue, result.unfinished) == ([], [], [], [])
	assert result.miscounted == [] and frappe.db.count("Drip Counter") > 0
	assert len(result.in_doubt) <= line.doubts_allowed
	ledger = read_ledger(campaign)
	assert ledger.pop("due") == sum(ledger.values()) == result.due
	assert ledger["waiting"] == 0
	if title.startswith("kill"):
		assert sum(line.kills.values()) > 3


def test_steps_that_act_do_so_exactly_once_however_often_their_workers_are_killed(observer):
	line = run_fault("kill -9 while steps act", observer)

	result, acts = line.result, line.result.actions
	assert line.kills["act"] > 3 and line.is_good
	assert (result.duplicates, result.lost, result.untrue, result.unfinished) == ([], [], [], [])
	assert (acts.duplicates, acts.lost, acts.untrue) == ([], [], [])
	assert acts.due == acts.done + len(acts.in_doubt) > 200
	assert len(acts.in_doubt) <= line.kills["act"]


def test_check_finds_what_was_sent_twice_and_what_was_lost(observer, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0))
	for _ in range(3):
		factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clean = check_campaign(campaign.name, observer)
	first, second = observer.read()[:2]

	with observer.file.open("a") as stream:
		stream.write("\t".join(first) + "\n")
	twice = check_campaign(campaign.name, observer)
	observer.forget()
	frappe.db.delete("Drip Email", {"email_address": second.recipient})
	unseen = check_campaign(campaign.name, observer)

	assert clean.is_good(0)
	assert len(twice.duplicates) == 1 and not twice.is_good(9)
	assert len(unseen.lost) == 3 and not unseen.is_good(9)


def test_check_finds_what_was_done_twice_and_what_was_not_done(observer):
	with Receiver() as receiver:
		chaos_run = ChaosRun(observer, people=3, steps=2, seed=SEED, receiver=receiver)
		clean = chaos_run.settle().actions
		key = next(iter(receiver.accepted))
		receiver.accepted[key] += 1
		document = frappe.get_last_doc("ToDo", {"description": ("like", f"%{action_checks.TAG}%")})
		frappe.copy_doc(document).insert()
		frappe.db.delete("Tag Link", {"tag": action_checks.mark_of(1)})

		wrong = chaos_run.action_checks.check_campaign(chaos_run.campaign, ())

	action_checks.clear()
	assert clean.due == clean.done == 12 and clean.is_good(0)
	assert len(wrong.duplicates) == 2 and len(wrong.lost) == 3 and not wrong.is_good(9)


@pytest.mark.parametrize("name", workers.INTERRUPT_POINTS)
def test_interrupt_point_is_a_function_of_its_module(name):
	point = workers.INTERRUPT_POINTS[name]

	assert callable(getattr(importlib.import_module(point.module), point.function))
