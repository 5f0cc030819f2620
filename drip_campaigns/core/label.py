"""What every enum of the core is: words that the Desk shows and the database stores."""

from __future__ import annotations

from enum import Enum


class Label(str, Enum):
	"""An enum whose members are, print and store as their label."""

	def __str__(self) -> str:
		return self.value
