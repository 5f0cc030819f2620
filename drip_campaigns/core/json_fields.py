"""Read a JSON object field by field, so that an error names the field by its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from drip_campaigns.core.errors import InvalidScenarioError

Value = TypeVar("Value")
Reader = Callable[[Any, str], Value]
REQUIRED: Any = object()
LARGEST_COUNT = 1_000_000


def fail(path: str, message: str) -> NoReturn:
	"""Raise the InvalidScenarioError that names the field at `path`."""
	raise InvalidScenarioError(message, field=path)


class Fields:
	"""The fields of one object: each is read once, and unknown fields are rejected."""

	def __init__(self, value: Any, path: str) -> None:
		if not isinstance(value, Mapping):
			fail(path, "must be an object")
		self.left = dict(value)
		self.path = path

	def path_of(self, key: str) -> str:
		"""Return the path of the field `key` of this object for messages."""
		return f"{self.path}.{key}" if self.path else key

	def take(self, key: str, read: Reader[Value], default: Any = REQUIRED) -> Value:
		"""Return the value of the field that `read` returns, or `default` if the object does not have the field."""
		if key in self.left:
			return read(self.left.pop(key), self.path_of(key))
		if default is REQUIRED:
			fail(self.path_of(key), "is missing")
		return default

	def refuse_others(self) -> None:
		"""Raise an error that names the first unknown field."""
		for key in self.left:
			fail(self.path_of(key), "is not a field of this object")


def read_text(value: Any, path: str) -> str:
	"""Return a text that is not empty."""
	if not isinstance(value, str) or not value.strip():
		fail(path, "must be a text")
	return value


def read_boolean(value: Any, path: str) -> bool:
	"""Return true or false."""
	if not isinstance(value, bool):
		fail(path, "must be true or false")
	return value


def read_count(value: Any, path: str) -> int:
	"""Return a whole number that is not negative."""
	if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
		fail(path, f"must be a whole number from 0 to {LARGEST_COUNT}")
	return value


def read_choice(choices: Mapping[str, Value]) -> Reader[Value]:
	"""Return a reader that accepts these words and returns their values."""

	def read(value: Any, path: str) -> Value:
		if not isinstance(value, str) or value not in choices:
			fail(path, f"must be one of: {', '.join(choices)}")
		return choices[value]

	return read


def read_list(read_item: Reader[Value]) -> Reader[tuple[Value, ...]]:
	"""Return a reader of a list whose items `read_item` reads."""

	def read(value: Any, path: str) -> tuple[Value, ...]:
		if not isinstance(value, list):
			fail(path, "must be a list")
		return tuple(read_item(item, f"{path}[{index}]") for index, item in enumerate(value))

	return read


def or_null(read: Reader[Value]) -> Reader[Value | None]:
	"""Return a reader that also accepts null."""

	def read_or_null(value: Any, path: str) -> Value | None:
		return None if value is None else read(value, path)

	return read_or_null
