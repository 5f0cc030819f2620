"""The kinds of one sort (triggers, actions, conditions, waits): those built into this app, then those that other apps name under a hook."""

from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError


class UnknownKindError(DripError, frappe.ValidationError):
	"""The app that adds this kind is not installed."""


Kind = TypeVar("Kind")


class KindRegistry(Generic[Kind]):
	"""The kinds in the order in which the form offers them. `hook` names a list of dotted paths to classes of kinds.

	`key` returns what a kind is found by: its label, unless it says otherwise.
	"""

	def __init__(
		self,
		hook: str,
		built_in: Sequence[Kind],
		key: Callable[[Kind], Hashable] = attrgetter("label"),
	) -> None:
		self._hook, self._key = hook, key
		self._built_in = {key(kind): kind for kind in built_in}

	def all(self) -> dict[Any, Kind]:
		"""Return every kind by its key."""
		added = (frappe.get_attr(path)() for path in frappe.get_hooks(self._hook))
		return {**self._built_in, **{self._key(kind): kind for kind in added}}

	def find(self, key: Hashable) -> Kind | None:
		"""Return the kind with this key, or None."""
		return self._built_in.get(key) or self.all().get(key)

	def get(self, key: Hashable) -> Kind:
		"""Return the kind with this key; raise UnknownKindError if there is none."""
		if kind := self.find(key):
			return kind
		message = _("“{0}” isn't a known kind. Choose one of: {1}.")
		raise UnknownKindError(message.format(key or "", ", ".join(map(str, self.all()))))

	def labels_with(self, trait: str) -> list[str]:
		"""Return the labels of the kinds whose attribute `trait` is true."""
		return [label for label, kind in self.all().items() if getattr(kind, trait)]
