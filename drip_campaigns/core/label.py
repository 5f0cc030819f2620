"""The base of the core's enums: labels that the Desk shows and the database stores."""

from __future__ import annotations

from enum import Enum


class Label(str, Enum):
	"""An enum whose members are strings: their labels."""

	def __str__(self) -> str:
		return self.value
