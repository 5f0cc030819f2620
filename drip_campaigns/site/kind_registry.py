"""The kinds of one sort (triggers, actions): those built into this app, then those that other apps name under a hook."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import frappe
from frappe import _

from drip_campaigns.core.errors import DripError


class UnknownKindError(DripError, frappe.ValidationError):
	"""The app that adds this kind is not installed."""


class Labeled(Protocol):
	"""What every kind has: the word that the Select field stores."""

	label: str


Kind = TypeVar("Kind", bound=Labeled)


class KindRegistry(Generic[Kind]):
	"""The kinds in the order in which the form offers them. `hook` names a list of dotted paths to classes of kinds."""

	def __init__(self, hook: str, built_in: Sequence[Kind]) -> None:
		self._hook = hook
		self._built_in = {kind.label: kind for kind in built_in}

	def all(self) -> dict[str, Kind]:
		"""Return every kind by its label."""
		added = (frappe.get_attr(path)() for path in frappe.get_hooks(self._hook))
		return {**self._built_in, **{kind.label: kind for kind in added}}

	def find(self, label: str | None) -> Kind | None:
		"""Return the kind with this label, or None."""
		return self._built_in.get(label) or self.all().get(label)

	def get(self, label: str | None) -> Kind:
		"""Return the kind with this label; raise UnknownKindError if there is none."""
		if kind := self.find(label):
			return kind
		message = _("“{0}” isn't a known kind. Choose one of: {1}.")
		raise UnknownKindError(message.format(label or "", ", ".join(self.all())))

	def labels_with(self, trait: str) -> list[str]:
		"""Return the labels of the kinds whose attribute `trait` is true."""
		return [label for label, kind in self.all().items() if getattr(kind, trait)]
