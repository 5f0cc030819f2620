"""The data of the simulation's one recipient: from its file, and changed by its script."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from drip_campaigns.core.flow.condition_kinds.campaign import CampaignStanding, CampaignTest
from drip_campaigns.core.flow.condition_kinds.event import PastEvent
from drip_campaigns.core.flow.condition_kinds.tag import TagTest
from drip_campaigns.core.flow.flow_reader import option_values
from drip_campaigns.core.json_fields import Fields, fail, read_choice, read_list, read_text


class ScriptedData:
	"""The recipient's data in a scenario (`conditions.ConditionData`)."""

	doctype = ""

	def __init__(self, given: Mapping[str, Any]) -> None:
		self._fields: dict[str, Any] = dict(given.get("fields", {}))
		self._has = {kind: set(given.get(kind, ())) for kind in ("tags", "lists", "groups")}
		self._campaigns: dict[str, frozenset[CampaignStanding]] = {}
		self._happenings: list[PastEvent] = []

	def value_of(self, link: str, field: str) -> Any:
		return self._fields.get(f"{link}.{field}" if link else field)

	def day_of(self, field: str) -> Any:
		return self.value_of("", field)

	def happenings(self) -> Sequence[PastEvent]:
		return self._happenings

	def memberships(self, kind: str) -> Collection[Any]:
		if kind == CampaignTest.kind:
			return {(name, one) for name, standings in self._campaigns.items() for one in standings}
		names = self._has[f"{kind}s"]
		return {name.casefold() for name in names} if kind == TagTest.kind else names

	def evaluate(self, expression: str) -> bool:
		raise NotImplementedError("a file with an expression is refused")

	def add_event(self, event: str, step: str, at: datetime, link: str = "") -> None:
		"""Record an event of a step's email."""
		self._happenings.append(PastEvent(event, step, at, link))

	def change(self, action: str, given: Mapping[str, Any]) -> None:
		"""Apply a change from a line of the script."""
		if action == "set_field":
			self._fields[given["field"]] = given["value"]
		elif action == "stand_on":
			self._campaigns[given["campaign"]] = frozenset({CampaignStanding.EVER, given["stands"]})
		else:
			verb, _, kind = action.partition("_")
			update = set.add if verb in ("add", "join") else set.discard
			update(self._has[f"{kind}s"], given["name"])


CHANGES = (
	"set_field",
	"stand_on",
	"add_tag",
	"remove_tag",
	"join_list",
	"leave_list",
	"join_group",
	"leave_group",
)


def read_change(fields: Fields, action: str) -> Mapping[str, Any]:
	"""Read what a line of the script changes."""
	if action == "set_field":
		return {"field": fields.take("field", read_text), "value": fields.take("value", read_plain)}
	if action == "stand_on":
		stands = read_choice(option_values(CampaignStanding))
		return {"campaign": fields.take("campaign", read_text), "stands": fields.take("stands", stands)}
	return {"name": fields.take(action.partition("_")[2], read_text)}


def read_data(fields: Fields) -> Mapping[str, Any]:
	"""Read the recipient's data at the start."""
	return {
		"fields": fields.take("fields", _read_fields, {}),
		**{kind: fields.take(kind, read_list(read_text), ()) for kind in ("tags", "lists", "groups")},
	}


def read_plain(value: Any, path: str) -> Any:
	"""Return the value of a field: a text, a number, true, false or null."""
	if not isinstance(value, str | int | float | type(None)):
		fail(path, "must be a text, a number, true, false or null")
	return value


def _read_fields(value: Any, path: str) -> dict[str, Any]:
	if not isinstance(value, Mapping):
		fail(path, "must be an object")
	return {name: read_plain(one, f"{path}.{name}") for name, one in value.items()}
