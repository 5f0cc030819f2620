"""What one text or expression may cost. Each step is counted before it is taken, so this works in every thread.

A step is about one microsecond of work: one operation, or 64 characters.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from drip_campaigns.core.errors import DripError

T = TypeVar("T")
MOST_STEPS = 200_000
LONGEST = 1_000_000  # characters of one value
MOST_ITEMS = 10_000  # of one list, with the lists inside it
MOST_BITS = 4_000  # of a whole number: about 1,200 digits
DEEPEST = 30  # calls inside calls
SHORT = 64  # characters of a text that costs no step of its own
_LISTS = (list, tuple, set, frozenset)
_SIZED = (*_LISTS, range, type({}.keys()), type({}.values()), type({}.items()))
_CONTAINERS = (*_SIZED, Mapping)


class TooCostlyError(DripError):
	"""Filling it takes too many steps, or too much memory. Shorten its loops and its long values."""


class Budget(threading.local):
	"""The steps that the text or expression of this thread has left."""

	left = MOST_STEPS
	depth = 0

	@contextmanager
	def begin(self, steps: int = MOST_STEPS) -> Iterator[None]:
		"""Give what runs in this block its own steps."""
		before = self.left, self.depth
		self.left, self.depth = steps, 0
		try:
			yield
		finally:
			self.left, self.depth = before

	def enter(self) -> None:
		"""Count a call, until `leave`; raise TooCostlyError if calls are nested too deeply."""
		self.depth += 1
		self.left -= 1
		if self.depth > DEEPEST or self.left < 0:
			raise TooCostlyError

	def leave(self) -> None:
		"""End a call."""
		self.depth -= 1

	def spend(self, steps: int) -> None:
		"""Take steps; raise TooCostlyError if there are no more."""
		self.left -= steps
		if self.left < 0:
			raise TooCostlyError


budget = Budget()


def each(items: Iterable[T], steps: int = 1) -> Iterator[T]:
	"""Yield the items, and take steps for each."""
	for item in items:
		budget.left -= steps
		if budget.left < 0:
			raise TooCostlyError
		yield item


def check(value: T) -> T:
	"""Return a value, after its size is counted; raise TooCostlyError if it is too large."""
	if isinstance(value, str):
		length = len(value)
		if length > SHORT:
			check_length(length)
			budget.spend(length >> 6)
	elif isinstance(value, int):
		if value.bit_length() > MOST_BITS:
			raise TooCostlyError
	elif isinstance(value, _CONTAINERS):
		_check_tree(value)
	return value


def check_length(length: int) -> None:
	"""Raise TooCostlyError if a text of this length is too long."""
	if length > LONGEST:
		raise TooCostlyError


def check_items(count: int) -> None:
	"""Raise TooCostlyError if a list of this length is too long."""
	if count > MOST_ITEMS:
		raise TooCostlyError


def take(items: Iterable[T]) -> list[T]:
	"""Return a list of what an iterable yields; raise TooCostlyError before it is too long."""
	found = []
	for item in each(items):
		found.append(item)
		check_items(len(found))
	return found


def _check_tree(value: Any) -> None:
	"""Count a list with all that is in it, as often as it is in it: printing and comparing visit it as often."""
	waiting, items, characters = [value], 0, 0
	while waiting:
		one = waiting.pop()
		if isinstance(one, str):
			characters += len(one)
			check_length(characters)
		elif isinstance(one, Mapping):
			items += 2 * len(one)
			check_items(items)
			waiting += [*one.keys(), *one.values()]
		elif isinstance(one, _SIZED):
			items += len(one)
			check_items(items)
			waiting += () if isinstance(one, range) else one
	budget.spend(items + (characters >> 6))
