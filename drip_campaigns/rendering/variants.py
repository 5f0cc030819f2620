"""The variants of a campaign's steps in a run: which text each enrollment gets. One query per run, none without variants."""

from collections import defaultdict

import frappe

from drip_campaigns.core.flow.variants import choose_variant

TEST = "Drip Variant Result"
OWN = "A"  # the step's own text


class Variants:
	"""Which variant of a step an enrollment gets, and its text."""

	def __init__(self, campaign) -> None:
		labels = {row.label: row for row in campaign.steps if row.label}
		self._rows: dict[str, dict[str, object]] = defaultdict(dict)
		for row in campaign.get("variants") or []:
			if step := labels.get(row.step_label):
				self._rows[step.name].setdefault(OWN, step)
				self._rows[step.name][row.variant] = row
		self._winners = _load_winners(campaign.name) if self._rows else {}

	def of(self, enrollment: str, step: str) -> str:
		"""Return the letter of a step's variant for an enrollment: the winner's, otherwise a drawn one."""
		rows = self._rows.get(step)
		if not rows:
			return ""
		winner = self._winners.get(step)
		return winner if winner in rows else choose_variant(weights_of(rows), enrollment, step)

	def row_of(self, step_row, variant: str):
		"""Return the row with the text of a variant: the step's own row for A, and without variants."""
		return self._rows[step_row.name].get(variant, step_row) if variant else step_row

	def steps(self) -> dict[str, dict[str, object]]:
		"""Return the rows of each step that has variants, by letter, its own first."""
		return self._rows


def weights_of(rows: dict[str, object]) -> list[tuple[str, int]]:
	"""Return the letters of a step's variants with their weights."""
	return [
		(letter, int(row.control_weight if letter == OWN else row.weight)) for letter, row in rows.items()
	]


def _load_winners(campaign: str) -> dict[str, str]:
	rows = frappe.get_all(TEST, filters={"campaign": campaign}, fields=["name", "variant"])
	return {row.name: row.variant for row in rows}
