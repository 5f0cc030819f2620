"""The earlier names of fields and options in the simulation's file. Files that use them stay readable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FIELDS = {
	"if_in_vain": "on_timeout",
	"if_in_vain_step": "on_timeout_step",
	"leaving_because": "on_exit_reason",
	"one_a_day": "one_per_day",
	"own_weight": "control_weight",
	"waits_for_close": "wait_for_todo",
	"without_winner": "no_winner_fallback",
}
OPTIONS = {
	("on_timeout", "go on"): "continue",
	("run_when", "when somebody leaves"): "on exit",
	("action", "tell a user"): "notify user",
	("assign_to", "users in turn"): "round robin",
}


def use_current_names(value: Any) -> Any:
	"""Return an object of the file with today's names for its fields and options; anything else unchanged."""
	if not isinstance(value, Mapping):
		return value
	named = {FIELDS.get(key, key): option for key, option in value.items()}
	return {key: OPTIONS.get((key, _lower(option)), option) for key, option in named.items()}


def _lower(option: Any) -> str:
	return option.casefold() if isinstance(option, str) else ""
