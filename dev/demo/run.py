"""One run: start the servers, play the script, compare, write the report, and print where it is."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable

from rich.console import Console

from dev import paths
from dev.demo import console, records
from dev.demo.ledger import read_ledger
from dev.demo.page import render_page
from dev.demo.people import ENDINGS, PEOPLE
from dev.demo.receipts import read_receipts
from dev.demo.report import Ledger, find_problems, make_report
from dev.demo.script import SCRIPT, Play, last_full_week
from dev.demo.servers import start_servers
from drip_campaigns.site.clock import utc_now

FOLDER = paths.STATE / "demo"
MAIL = FOLDER / "mail"
REPORT, PAGE = FOLDER / "report.json", FOLDER / "report.html"


def run() -> int:
	"""Return 0 if every check passed, otherwise 1."""
	started, terminal = time.monotonic(), console.make_console()
	shutil.rmtree(FOLDER, ignore_errors=True)
	MAIL.mkdir(parents=True)
	terminal.print(f"Seven days of “{records.CAMPAIGN}” for {len(PEOPLE)} people, on {paths.SITE}\n")
	with console.bar(terminal, steps=len(SCRIPT) + 3) as advance:
		play, ledger = perform(advance)
	receipts = read_receipts(play.servers.mail_server.messages)
	report = make_report(ledger, receipts, time.monotonic() - started)
	endings = {person.full_name: ENDINGS[person.part] for person in PEOPLE}
	problems = list(find_problems(report, ledger, receipts, endings, play.monday))
	REPORT.write_text(json.dumps(report, indent="\t", ensure_ascii=False) + "\n")
	PAGE.write_text(render_page(report, play.happenings, play.monday, problems))
	print_results(terminal, play, report, problems)
	return 1 if problems else 0


def perform(advance: Callable[[str], None]) -> tuple[Play, Ledger]:
	"""Play the whole script on new servers, and read what the database has afterwards."""
	advance("Starting the servers")
	with start_servers(MAIL) as servers:
		advance(f"Making {len(PEOPLE)} Contacts")
		records.clear()
		records.create(servers.mail_server.port)
		play = Play(servers, last_full_week(utc_now()))
		for scene in SCRIPT:
			advance(f"Day {scene.day}, {scene.at}")
			play.act(scene)
		advance("Stopping the servers")
		return play, read_ledger(play.refusals, play.now)


def print_results(terminal: Console, play: Play, report: dict, problems: list[str]) -> None:
	"""Print the week, the figures, the result, and where everything is."""
	console.print_timeline(terminal, play.happenings)
	console.print_totals(terminal, report)
	console.print_result(terminal, problems, report["seconds"])
	terminal.print(
		f"\nReport   {paths.shown(PAGE)} and {paths.shown(REPORT)}"
		f"\nEmails  {paths.shown(MAIL)}/*.eml"
		f"\nDesk     `make start`, then open the Drip Campaign “{records.CAMPAIGN}”: it stays on the site"
	)
