"""What the demo prints: a bar while the days go by, then the days as a tree, the totals and where to look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.tree import Tree

from dev.demo.script import Happening, Mark

PLAIN_WIDTH = 110

SIGNS = {
	Mark.PREPARED: ("·", "dim"),
	Mark.SENT: ("✉", "green"),
	Mark.QUIET: ("·", "dim"),
	Mark.JOINED: ("+", "cyan"),
	Mark.UNSUBSCRIBED: ("←", "yellow"),
	Mark.REFUSED: ("×", "red"),
	Mark.DOWN: ("z", "magenta"),
}


def make_console() -> Console:
	"""Return the console; without a terminal (a log, CI), lines are long and plain."""
	console = Console(highlight=False)
	return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


@contextmanager
def bar(console: Console, steps: int) -> Iterator[Callable[[str], None]]:
	"""Yield a function that names the next of `steps` and moves the bar; without a terminal it prints nothing."""
	columns = (
		TextColumn("[bold]{task.description:<24}"),
		BarColumn(None),
		TextColumn("{task.percentage:>3.0f} %"),
	)
	with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
		task = progress.add_task("", total=steps, completed=-1)
		yield lambda name: progress.update(task, description=name, advance=1)


def print_timeline(console: Console, happenings: Sequence[Happening]) -> None:
	"""Print what happened on each day."""
	tree = Tree("[bold]Seven days[/]", guide_style="dim")
	for day, of_day in groupby(happenings, key=lambda happening: happening.day):
		of_day = list(of_day)
		branch = tree.add(f"[bold]Day {day}[/] [dim]{of_day[0].at:%A, %-d %B}[/]")
		for happening in of_day:
			sign, style = SIGNS[happening.mark]
			branch.add(f"[dim]{happening.at:%H:%M}[/] [{style}]{sign} {escape(happening.text)}[/]")
	console.print(tree)
	console.print()


def print_totals(console: Console, report: Mapping) -> None:
	"""Print the figures of the report."""
	table = Table(show_edge=False, pad_edge=False, box=None, header_style="dim")
	figures = {
		**report["totals"],
		"communications": report["communications"],
		"received": report["smtp_messages"],
	}
	for name in figures:
		table.add_column(name, justify="right", style="bold", no_wrap=True)
	table.add_row(*(str(number) for number in figures.values()))
	console.print(table)
	console.print()


def print_result(console: Console, problems: Sequence[str], seconds: float) -> None:
	"""Print whether the mail server received what the database has, and each difference."""
	if not problems:
		console.print(
			f"[green]✓[/] The mail server received what the database has, in {seconds:.0f} seconds."
		)
		return
	console.print(f"[red]✗ {len(problems)} things are not as they must be:[/]")
	for problem in problems:
		console.print(f"  [red]×[/] {escape(problem)}")
