"""The promises under faults: `make chaos` in its shortest honest form, with real kills and an SMTP server as the witness."""

from collections.abc import Iterator

import frappe
import pytest

from benchmarks import chaos, crew, deeds, ground
from benchmarks.faults import FAULTS
from benchmarks.services import Services, is_on_bench
from benchmarks.trial import Trial
from benchmarks.verdict import judge
from benchmarks.witness import Witness
from drip_campaigns.jobs.repair import read_ledger
from tests import factories
from tests.receiver import Receiver

SIZE = 0.06  # of the full form
SEED = 7


@pytest.fixture
def witness(site, mail_server) -> Iterator[Witness]:
	"""A mail server in a process of its own, through which the site sends for one test."""
	crew.LOG.parent.mkdir(exist_ok=True)
	with Witness(seed=SEED) as running:
		factories.make_email_account(running.port)
		factories.forget_accounts()
		yield running
	frappe.db.rollback()
	ground.clear()
	factories.make_email_account(mail_server.port)
	factories.forget_accounts()


def endure(title: str, witness: Witness) -> chaos.Line:
	"""Put a campaign through the fault of this title and return what became of it."""
	(fault,) = (fault for fault in FAULTS if fault.title.startswith(title))
	return chaos.cause(fault, witness, Services(is_on_bench()), SIZE, SEED)


@pytest.mark.parametrize(
	"title",
	["kill -9 at random", "kill -9 after the 250", "eight dispatchers", "Redis emptied", "SMTP 421"],
)
def test_nothing_is_sent_twice_or_lost(witness, title):
	line = endure(title, witness)

	verdict, (campaign,) = line.verdict, frappe.get_all("Drip Campaign", pluck="name")
	assert verdict.due >= verdict.delivered > 50
	assert (verdict.duplicates, verdict.lost, verdict.untrue, verdict.unfinished) == ([], [], [], [])
	assert verdict.miscounted == [] and frappe.db.count("Drip Counter") > 0
	assert len(verdict.in_doubt) <= line.doubts_allowed
	ledger = read_ledger(campaign)
	assert ledger.pop("due") == sum(ledger.values()) == verdict.due
	assert ledger["waiting"] == 0
	if title.startswith("kill"):
		assert sum(line.kills.values()) > 3


def test_steps_that_act_do_so_exactly_once_however_often_their_workers_are_killed(witness):
	line = endure("kill -9 while steps act", witness)

	verdict, acts = line.verdict, line.verdict.deeds
	assert line.kills["act"] > 3 and line.is_good
	assert (verdict.duplicates, verdict.lost, verdict.untrue, verdict.unfinished) == ([], [], [], [])
	assert (acts.duplicates, acts.lost, acts.untrue) == ([], [], [])
	assert acts.due == acts.done + len(acts.in_doubt) > 200
	assert len(acts.in_doubt) <= line.kills["act"]


def test_judge_sees_what_was_sent_twice_and_what_was_lost(witness, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0))
	for _ in range(3):
		factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	clean = judge(campaign.name, witness)
	first, second = witness.read()[:2]

	with witness.file.open("a") as stream:
		stream.write("\t".join(first) + "\n")
	twice = judge(campaign.name, witness)
	witness.forget()
	frappe.db.delete("Drip Email", {"email_address": second.recipient})
	unseen = judge(campaign.name, witness)

	assert clean.is_good(0)
	assert len(twice.duplicates) == 1 and not twice.is_good(9)
	assert len(unseen.lost) == 3 and not unseen.is_good(9)


def test_judge_sees_what_was_done_twice_and_what_was_not_done(witness):
	with Receiver() as receiver:
		trial = Trial(witness, people=3, steps=2, seed=SEED, receiver=receiver)
		clean = trial.settle().deeds
		key = next(iter(receiver.accepted))
		receiver.accepted[key] += 1
		document = frappe.get_last_doc("ToDo", {"description": ("like", f"%{deeds.TAG}%")})
		frappe.copy_doc(document).insert()
		frappe.db.delete("Tag Link", {"tag": deeds.mark_of(1)})

		wrong = trial.deeds.judge(trial.campaign, ())

	deeds.clear()
	assert clean.due == clean.done == 12 and clean.is_good(0)
	assert len(wrong.duplicates) == 2 and len(wrong.lost) == 3 and not wrong.is_good(9)
