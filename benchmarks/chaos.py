"""`make chaos`: every promise under every fault, with the SMTP server as the witness. Exits 1 on a broken one."""

import argparse
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks import crew, deeds, ground
from benchmarks.faults import FAULTS, Fault
from benchmarks.services import Services, is_on_bench
from benchmarks.trial import Trial
from benchmarks.verdict import Verdict
from benchmarks.witness import Witness
from tests.receiver import Receiver

SHORT = 0.08
REFUSED_OF_A_HUNDRED = 10  # calls of a Webhook that are answered 500
COLUMNS = ("fault", "due", "delivered", "duplicates", "lost", "in doubt", "allowed", "killed", "seconds", "")


@dataclass(frozen=True)
class Line:
	"""One fault's outcome."""

	fault: Fault
	verdict: Verdict
	kills: dict[str, int]
	doubts_allowed: int
	seconds: float

	@property
	def is_good(self) -> bool:
		"""Whether every promise held."""
		return self.verdict.is_good(self.doubts_allowed) and self.verdict.deeds.is_good(self.kills["act"])


def cause(fault: Fault, witness: Witness, services: Services, size: float, seed: int) -> Line:
	"""Put a campaign through one fault and return what became of it."""
	begun = time.monotonic()
	people = max(int(fault.people * min(size * 3, 1)), 20)
	steps = fault.steps if size == 1 else min(fault.steps, 8)
	with Receiver() as receiver:
		receiver.refusals = REFUSED_OF_A_HUNDRED
		trial = Trial(witness, people, steps, seed, receiver if fault.acts else None)
		fault.cause(trial, services, size)
		verdict = trial.settle()
	deeds.clear()
	# One email a killed delivery worker, and each text that the server took and never answered.
	allowed = trial.kills["deliver"] + witness.count_unanswered()
	return Line(fault, verdict, trial.kills, allowed, time.monotonic() - begun)


def show(lines: list[Line], console: Console) -> None:
	"""Print the table, and every email that is not simply sent or refused by its name."""
	table = Table(*COLUMNS, title="Promises under faults: what was due, and what the mail server saw")
	for column in table.columns[1:-1]:
		column.justify = "right"
	for line in lines:
		verdict, deeds_of = line.verdict, line.verdict.deeds
		table.add_row(
			line.fault.title, str(verdict.due), str(verdict.delivered), str(len(verdict.duplicates)),
			str(len(verdict.lost)), str(len(verdict.in_doubt)), str(line.doubts_allowed),
			f"{line.kills['dispatch']}+{line.kills['deliver']}", f"{line.seconds:.0f}",
			"[green]held[/green]" if line.is_good else "[red]BROKEN[/red]",
		)  # fmt: skip
		if line.fault.acts:
			table.add_row(
				"  its actions", str(deeds_of.due), str(deeds_of.done), str(len(deeds_of.duplicates)),
				str(len(deeds_of.lost)), str(len(deeds_of.in_doubt)), str(line.kills["act"]),
				str(line.kills["act"]), "", "",
			)  # fmt: skip
	console.print(table)
	console.print("killed: dispatchers + delivery workers; allowed: one in doubt for each of the latter and")
	console.print(
		"for each message that the server took without ever answering. Of actions (delivered: done),"
	)
	console.print("killed: workers that act; allowed: one call of a Webhook in doubt for each.")
	for line in lines:
		_name_exceptions(line, console)


def _name_exceptions(line: Line, console: Console) -> None:
	verdict = line.verdict
	kinds = {
		"in doubt": verdict.in_doubt,
		"sent twice": verdict.duplicates,
		"lost": verdict.lost,
		"left, and the ledger denies it": verdict.untrue,
		"enrollment that has not ended": verdict.unfinished,
		"sum that does not equal a recount": verdict.miscounted,
		"action in doubt": verdict.deeds.in_doubt,
		"action done twice": verdict.deeds.duplicates,
		"action lost": verdict.deeds.lost,
		"action done, and the log denies it": verdict.deeds.untrue,
	}
	for kind, names in kinds.items():
		if names:
			console.print(f"{line.fault.title}: {kind}: {', '.join(names)}", highlight=False)


def run(size: float, seed: int, services: Services, only: str, console: Console) -> list[Line]:
	"""Cause every fault that can be caused here, one after the other."""
	lines = []
	with Witness(seed=seed) as witness, ground.standing_on(witness.port):
		for fault in FAULTS:
			if only.lower() not in fault.title.lower():
				continue
			if not services.can(fault.needs):
				console.print(f"left out: {fault.title} (give the command that restarts it, see --help)")
				continue
			line = cause(fault, witness, services, size, seed)
			lines.append(line)
			console.print(
				f"  {fault.title:<40} {'held' if line.is_good else 'BROKEN':<7} {line.seconds:6.1f} s  "
				f"{line.verdict.settled}",
				highlight=False,
			)
	return lines


def main(arguments: list[str]) -> int:
	"""Run and return the exit code: 1 when something was sent twice, lost, or in doubt beyond what a kill explains."""
	parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
	parser.add_argument("--short", action="store_true", help="the form that make test runs")
	parser.add_argument("--seed", type=int, default=1, help="of the random moments and answers")
	parser.add_argument("--only", default="", help="faults whose title contains this")
	parser.add_argument(
		"--restart-mariadb", default="", help="on a bench: the shell command that restarts it"
	)
	parser.add_argument(
		"--restart-redis", default="", help="on a bench: the shell command that restarts both"
	)
	options = parser.parse_args(arguments)
	crew.LOG.parent.mkdir(exist_ok=True)
	crew.LOG.write_text("")
	services = Services(is_on_bench(), options.restart_mariadb, options.restart_redis)
	console = Console(width=None if sys.stdout.isatty() else 150)
	lines = run(SHORT if options.short else 1, options.seed, services, options.only, console)
	show(lines, console)
	return 0 if lines and all(line.is_good for line in lines) else 1


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
