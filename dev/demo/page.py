"""report.html: the report as one page that needs nothing else, made from `page.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dev.demo import chart, records
from dev.demo.script import Happening, Mark

HEADLINES = ("due", "sent", "failed", "skipped", "waiting", "duplicates", "lost")
MUST_BE_ZERO = ("waiting", "duplicates", "lost")


def render_page(
	report: Mapping, happenings: Sequence[Happening], monday: date, problems: Sequence[str]
) -> str:
	"""Return the page as HTML."""
	environment = Environment(
		loader=FileSystemLoader(Path(__file__).parent),
		autoescape=True,
		undefined=StrictUndefined,
		trim_blocks=True,
		lstrip_blocks=True,
	)
	left = {one.address: one.at for one in happenings if one.mark is Mark.UNSUBSCRIBED}
	return environment.get_template("page.html").render(
		campaign=records.CAMPAIGN,
		report=report,
		headlines=[(name, report["totals"][name], name in MUST_BE_ZERO) for name in HEADLINES],
		problems=problems,
		first=monday,
		last=monday + timedelta(days=7),
		days_chart=Markup(chart.draw_days(report, monday)),
		timeline=_group_by_day(happenings),
		rows=[_row(recipient, monday, left) for recipient in report["recipients"]],
		columns=[f"{monday + timedelta(days=day):%a}" for day in range(chart.COLUMNS)],
	)


def _group_by_day(happenings: Sequence[Happening]) -> list[tuple[int, datetime, list[Happening]]]:
	days = [(day, list(of_day)) for day, of_day in groupby(happenings, key=lambda one: one.day)]
	return [(day, of_day[0].at, of_day) for day, of_day in days]


def _row(recipient: Mapping, monday: date, left: Mapping[str, datetime]) -> dict:
	lane = chart.draw_lane(recipient, monday, left.get(recipient["address"]))
	return {**recipient, "lane": Markup(lane), "kind": recipient["status"].lower().replace(" ", "-")}
