"""`make chaos`: every promise under every fault, checked against what the SMTP server received. Exits 1 if one is broken."""

import argparse
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks import action_checks, setup, workers
from benchmarks.assertions import ChaosResult
from benchmarks.chaos_run import ChaosRun
from benchmarks.faults import FAULTS, Fault
from benchmarks.observers import SmtpObserver
from benchmarks.services import Services, is_on_bench
from tests.receiver import Receiver

SHORT = 0.08
REFUSED_OF_A_HUNDRED = 10  # calls of a Webhook that are answered 500
COLUMNS = ("fault", "due", "delivered", "duplicates", "lost", "in doubt", "allowed", "killed", "seconds", "")


@dataclass(frozen=True)
class Line:
	"""One fault's outcome."""

	fault: Fault
	result: ChaosResult
	kills: dict[str, int]
	doubts_allowed: int
	seconds: float

	@property
	def is_good(self) -> bool:
		"""Whether every promise held."""
		return self.result.is_good(self.doubts_allowed) and self.result.actions.is_good(self.kills["act"])


def cause(fault: Fault, observer: SmtpObserver, services: Services, size: float, seed: int) -> Line:
	"""Put a campaign through one fault and return what became of it."""
	begun = time.monotonic()
	people = max(int(fault.people * min(size * 3, 1)), 20)
	steps = fault.steps if size == 1 else min(fault.steps, 8)
	with Receiver() as receiver:
		receiver.refusals = REFUSED_OF_A_HUNDRED
		chaos_run = ChaosRun(observer, people, steps, seed, receiver if fault.acts else None)
		fault.cause(chaos_run, services, size)
		result = chaos_run.settle()
	action_checks.clear()
	# One email a killed delivery worker, and each text that the server took and never answered.
	allowed = chaos_run.kills["deliver"] + observer.count_unanswered()
	return Line(fault, result, chaos_run.kills, allowed, time.monotonic() - begun)


def show(lines: list[Line], console: Console) -> None:
	"""Print the table, and every email that is not simply sent or refused by its name."""
	table = Table(*COLUMNS, title="Promises under faults: what was due, and what the mail server saw")
	for column in table.columns[1:-1]:
		column.justify = "right"
	for line in lines:
		result, actions = line.result, line.result.actions
		table.add_row(
			line.fault.title, str(result.due), str(result.delivered), str(len(result.duplicates)),
			str(len(result.lost)), str(len(result.in_doubt)), str(line.doubts_allowed),
			f"{line.kills['dispatch']}+{line.kills['deliver']}", f"{line.seconds:.0f}",
			"[green]held[/green]" if line.is_good else "[red]BROKEN[/red]",
		)  # fmt: skip
		if line.fault.acts:
			table.add_row(
				"  its actions", str(actions.due), str(actions.done), str(len(actions.duplicates)),
				str(len(actions.lost)), str(len(actions.in_doubt)), str(line.kills["act"]),
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
	result = line.result
	kinds = {
		"in doubt": result.in_doubt,
		"sent twice": result.duplicates,
		"lost": result.lost,
		"sent, and recorded as not sent": result.untrue,
		"enrollment that has not ended": result.unfinished,
		"counter that does not equal the log": result.miscounted,
		"action in doubt": result.actions.in_doubt,
		"action done twice": result.actions.duplicates,
		"action lost": result.actions.lost,
		"action done, and recorded as failed": result.actions.untrue,
	}
	for kind, names in kinds.items():
		if names:
			console.print(f"{line.fault.title}: {kind}: {', '.join(names)}", highlight=False)


def run(size: float, seed: int, services: Services, only: str, console: Console) -> list[Line]:
	"""Cause every fault that can be caused here, one after the other."""
	lines = []
	with SmtpObserver(seed=seed) as observer, setup.connected_site(observer.port):
		for fault in FAULTS:
			if only.lower() not in fault.title.lower():
				continue
			if not services.can(fault.needs):
				console.print(f"left out: {fault.title} (give the command that restarts it, see --help)")
				continue
			line = cause(fault, observer, services, size, seed)
			lines.append(line)
			console.print(
				f"  {fault.title:<40} {'held' if line.is_good else 'BROKEN':<7} {line.seconds:6.1f} s  "
				f"{line.result.settled}",
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
	workers.LOG.parent.mkdir(exist_ok=True)
	workers.LOG.write_text("")
	services = Services(is_on_bench(), options.restart_mariadb, options.restart_redis)
	console = Console(width=None if sys.stdout.isatty() else 150)
	lines = run(SHORT if options.short else 1, options.seed, services, options.only, console)
	show(lines, console)
	return 0 if lines and all(line.is_good for line in lines) else 1


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
