"""Measure time and SQL statements, and compare repetitions by the median of pairs."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import frappe

PAUSE_SECONDS = 1.5  # time for the database to write its pages to disk, outside the measurement


@dataclass
class Reading:
	"""The wall-clock seconds of some work, and its SQL statements as the server counts them."""

	seconds: float = 0
	statements: int = 0


@contextmanager
def reading() -> Iterator[Reading]:
	"""Measure a `with` block on this process's connection. Begin, commit, and rollback count as statements."""
	result = Reading()
	before, begun = _questions(), time.perf_counter()
	yield result
	result.seconds = time.perf_counter() - begun
	result.statements = _questions() - before - 1  # reading the count is a statement, too


def _questions() -> int:
	return int(frappe.db.sql("SHOW SESSION STATUS LIKE 'Questions'")[0][1])


def seconds_of(work: Callable[[], object]) -> float:
	"""Do some work and return its wall-clock seconds."""
	begun = time.perf_counter()
	work()
	return time.perf_counter() - begun


@dataclass
class Pairs:
	"""What ours and the raw way took, in turns, so that a slow minute affects both."""

	ours: list[Reading] = field(default_factory=list)
	raw: list[float] = field(default_factory=list)

	def take(self, ours: Callable[[], object], raw: Callable[[], float]) -> None:
		"""Take one turn: every other time the raw way comes first."""
		raw_first = len(self.raw) % 2
		time.sleep(PAUSE_SECONDS)
		if raw_first:
			self.raw.append(raw())
			time.sleep(PAUSE_SECONDS)
		with reading() as mine:
			ours()
		self.ours.append(mine)
		if not raw_first:
			time.sleep(PAUSE_SECONDS)
			self.raw.append(raw())

	def take_in_slices(self, ours: Callable[[], object], raw: Sequence[Callable[[], float]]) -> None:
		"""Take one turn in slices, ours and raw by turns: for work so short that the processor core matters."""
		turn, other = Reading(), 0.0
		time.sleep(PAUSE_SECONDS)
		for number, raw_slice in enumerate(raw):
			if number % 2:
				other += raw_slice()
			with reading() as mine:
				ours()
			turn.seconds, turn.statements = turn.seconds + mine.seconds, turn.statements + mine.statements
			if not number % 2:
				other += raw_slice()
		self.ours.append(turn)
		self.raw.append(other)

	@property
	def seconds(self) -> float:
		"""The median of ours."""
		return median(mine.seconds for mine in self.ours)

	@property
	def statements(self) -> float:
		"""The median of our statements."""
		return median(mine.statements for mine in self.ours)

	def over_raw(self) -> float:
		"""Return the median of the turns' ratios."""
		return median(mine.seconds / other for mine, other in zip(self.ours, self.raw, strict=True))


def over_raw_together(first: Pairs, second: Pairs) -> float:
	"""Return the median ratio of two pieces of work that follow each other, turn by turn."""
	turns = zip(first.ours, second.ours, first.raw, second.raw, strict=True)
	return median((a.seconds + b.seconds) / (x + y) for a, b, x, y in turns)
