"""The drawings of report.html, as SVG: emails per day, and one person's week as a lane."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from html import escape

COLUMNS = 8  # days 0 to 6, and the morning on which seven days are over
STEPS = (1, 2, 3)

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 440, 250, 30, 44, 12
_LANE_WIDTH, _LANE_HEIGHT, _DOT = 400, 26, 8
_NICE = (5, 10, 20, 25, 30, 40, 50, 100, 200, 500)


def draw_days(report: Mapping, monday: date) -> str:
	"""Return a bar per day of the emails sent, stacked by step."""
	counts = Counter(
		((_wall(line["sent_at"]).date() - monday).days, line["step"])
		for recipient in report["recipients"]
		for line in recipient["steps"]
		if line["sent_at"]
	)
	highest = max((sum(counts[day, step] for step in STEPS) for day in range(COLUMNS)), default=0)
	top = next(nice for nice in _NICE if nice >= highest)
	parts = [*_draw_grid(top)]
	for day in range(COLUMNS):
		parts += _draw_bar(day, monday + timedelta(days=day), [counts[day, step] for step in STEPS], top)
	label = "Emails accepted by the mail server per day, by step"
	return f'<svg class="days" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _draw_grid(top: int) -> Iterator[str]:
	for part in range(6):
		value = top * part / 5
		y = _y(value, top)
		yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
		yield f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'


def _draw_bar(day: int, on: date, counts: Sequence[int], top: int) -> Iterator[str]:
	slot = (_WIDTH - _LEFT) / COLUMNS
	x, width, done = _LEFT + slot * (day + 0.18), slot * 0.64, 0
	for step, count in zip(STEPS, counts, strict=True):
		if not count:
			continue
		y, height = _y(done + count, top), _y(done, top) - _y(done + count, top)
		title = f"<title>Day {day}, step {step}: {count}</title>"
		yield f'<rect class="s{step}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height - 1.5, 1):.1f}" rx="2">{title}</rect>'
		done += count
	middle = x + width / 2
	if done:
		yield f'<text class="value" x="{middle:.1f}" y="{_y(done, top) - 5:.1f}" text-anchor="middle">{done}</text>'
	yield f'<text class="day" x="{middle:.1f}" y="{_HEIGHT - 24}" text-anchor="middle">Day {day}</text>'
	yield f'<text class="tick" x="{middle:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{on:%a}</text>'


def _y(value: float, top: int) -> float:
	return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP - 10)


def draw_lane(recipient: Mapping, monday: date, ended_at: datetime | None) -> str:
	"""Return one person's week: a numbered dot per email, a ring where it was planned and late, a cross if refused."""
	parts = [
		f'<line class="grid" x1="{_edge(day)}" x2="{_edge(day)}" y1="3" y2="{_LANE_HEIGHT - 3}"/>'
		for day in range(COLUMNS + 1)
	]
	if recipient["steps"]:
		moments = [_wall(line["sent_at"] or line["planned_at"]) for line in recipient["steps"]]
		last = ended_at or max(moments)
		parts.append(_line("life", _x(min(moments), monday), _x(last, monday)))
	for line in recipient["steps"]:
		parts += _draw_step(line, monday)
	if ended_at:
		x, y = _x(ended_at, monday), _LANE_HEIGHT / 2
		parts.append(
			f'<path class="left" d="M{x:.1f} {y - 7}l7 7-7 7-7-7z"><title>Unsubscribed on {ended_at:%A, %H:%M}</title></path>'
		)
	label = escape(f"{recipient['name']}: {len(recipient['steps'])} steps")
	return f'<svg class="lane" viewBox="0 0 {_LANE_WIDTH} {_LANE_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _draw_step(line: Mapping, monday: date) -> Iterator[str]:
	planned, middle = _wall(line["planned_at"]), _LANE_HEIGHT / 2
	at = _wall(line["sent_at"]) if line["sent_at"] else planned
	x, step = _x(at, monday), line["step"]
	if at.date() > planned.date():
		late_from = _x(planned, monday)
		yield _line("late", late_from, x)
		yield f'<circle class="ring" cx="{late_from:.1f}" cy="{middle}" r="5"><title>Step {step} was planned here</title></circle>'
	title = f"<title>Step {step}: {line['outcome']}, {at:%A, %H:%M}</title>"
	if line["outcome"] == "Sent":
		yield f'<circle class="s{step}" cx="{x:.1f}" cy="{middle}" r="{_DOT}">{title}</circle>'
		yield f'<text class="number" x="{x:.1f}" y="{middle + 3.6}" text-anchor="middle">{step}</text>'
	elif line["outcome"] in ("Failed", "In Doubt"):
		yield f'<path class="refused" d="M{x - 6:.1f} {middle - 6}l12 12m0-12-12 12">{title}</path>'
	else:
		yield f'<circle class="hollow" cx="{x:.1f}" cy="{middle}" r="{_DOT - 1}">{title}</circle>'


def _line(kind: str, start: float, end: float) -> str:
	middle = _LANE_HEIGHT / 2
	return f'<line class="{kind}" x1="{start:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"/>'


def _edge(day: int) -> float:
	return round(day * _LANE_WIDTH / COLUMNS, 1)


def _x(at: datetime, monday: date) -> float:
	days = (at - datetime.combine(monday, datetime.min.time())) / timedelta(days=1)
	return days * _LANE_WIDTH / COLUMNS


def _wall(moment: str) -> datetime:
	"""Return an ISO moment as the site's clocks show it."""
	return datetime.fromisoformat(moment).replace(tzinfo=None)
