"""The bench's table: each figure, what it means, and the threshold that it must meet."""

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
	"""One line: a key of bench.json, its meaning, and its threshold, if it has one."""

	key: str
	meaning: str
	most: float | None = None
	least: float | None = None

	def is_met_by(self, value: float) -> bool:
		"""Return whether a value meets the threshold."""
		return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

	@property
	def threshold(self) -> str:
		"""The threshold as the table shows it."""
		if self.least is not None:
			return f"≥ {self.least:g}"
		return f"≤ {self.most:g}" if self.most is not None else ""


FIGURES = (
	Figure("queue_ms", "ms to queue one email"),
	Figure("queue_ms_standard", "ms on the standard path (Communication, sendmail)"),
	Figure("queue_ms_erpnext", "ms with ERPNext's own Email Campaign job"),
	Figure("queue_speedup", "times as fast as the standard path", least=40),
	Figure("queue_over_limit", "times what raw inserts of the same rows take", most=3),
	Figure("statements_per_email", "SQL statements an email, from due to accepted", most=0.2),
	Figure("statements_per_email_standard", "SQL statements on the standard path, to queue it"),
	Figure("statements_per_email_erpnext", "SQL statements with ERPNext's job, to queue it"),
	Figure("conditions_over_plain", "times as long to queue with three conditions", most=1.3),
	Figure("deliver_ms", "ms to deliver one email"),
	Figure("deliver_over_limit", "times what plain smtplib takes for the same bytes", most=2),
	Figure("end_to_end_per_s", "emails a second from due to accepted, one process"),
	Figure("end_to_end_over_limit", "times raw inserts and plain smtplib", most=2.5),
	Figure("message_kb", "KB of one message on the wire"),
	Figure("enroll_100k_s", "seconds to enroll 100,000", most=30),
	Figure("save_overhead_ms", "ms that 50 triggers of other kinds add to saving a Contact", most=0.5),
	Figure("enroll_list_100k_s", "seconds to enroll 100,000 by list filters, in a run", most=30),
	Figure("audience_count_500k_s", "seconds to count an audience of 500,000 by filters", most=2),
	Figure(
		"existing_count_500k_s",
		"seconds to count who met three triggers before, among 500,000 records",
		most=6,
	),
	Figure(
		"refresh_dynamic_100k_s",
		"seconds to fill a list of 100,000 by filters, a campaign listening, or to refresh it",
		most=20,
	),
	Figure("enroll_target_list_100k_s", "seconds to enroll everybody on that list", most=30),
	Figure("ping_ms", "ms of the server for Frappe's plainest guest method, 95 of 100 faster"),
	Figure("click_ms", "ms of the server to follow a link, 95 of 100 faster"),
	Figure("open_ms", "ms of the server for the picture of an open, 95 of 100 faster"),
	Figure("click_over_ping", "times what Frappe's plainest guest method takes", most=2),
	Figure(
		"clicks_per_s",
		"clicks a second taken in by two processes through drip_campaigns.wsgi, none lost when one is killed",
		least=1000,
	),
	Figure("clicks_per_s_frappe", "the same through frappe.app"),
	Figure("pings_per_s", "requests a second for Frappe's plainest guest method, by the same processes"),
	Figure("clicks_over_pings", "times as many clicks a second through frappe.app as that method's requests"),
	Figure("visits_counted_per_s", "clicks a second counted from the buffer"),
	Figure("idle_ms_100k", "ms of a dispatch with nothing due, 100,000 waiting"),
	Figure("idle_ms_1m", "ms of a dispatch with nothing due, 1,000,000 waiting", most=50),
	Figure("idle_statements_1m", "SQL statements of that dispatch", most=10),
	Figure("peak_rss_mb", "MB that a worker process took at most", most=400),
)
IDLE_GROWTH = 1.5  # how much longer an idle dispatch may take beside ten times as many


def show(figures: dict[str, Any], console: Console) -> bool:
	"""Print the table; return whether every threshold was met."""
	table = Table("figure", "", "threshold", "", title="Drip Campaigns: what it costs to send")
	table.columns[1].justify = table.columns[2].justify = "right"
	met = []
	for figure in FIGURES:
		if figure.key in figures:
			met.append(figure.is_met_by(figures[figure.key]))
			_add(table, figure.meaning, figures[figure.key], figure.threshold, met[-1])
	if "idle_ms_1m" in figures:
		growth = figures["idle_ms_1m"] / figures["idle_ms_100k"]
		met.append(growth <= IDLE_GROWTH)
		_add(table, "times as long beside ten times as many", growth, f"≤ {IDLE_GROWTH}", met[-1])
	for workers, speed in figures["workers"].items():
		_add(table, f"emails a second, {workers} processes at once", speed, "", True)
	console.print(table)
	return all(met)


def _add(table: Table, meaning: str, value: float, threshold: str, is_met: bool) -> None:
	result = ("[green]yes[/green]" if is_met else "[red]NO[/red]") if threshold else ""
	table.add_row(meaning, f"{value:,.2f}" if value < 100 else f"{value:,.0f}", threshold, result)
