"""Remove what a campaign file names and this site lacks from the draft, with a sentence for each."""

from collections.abc import Iterator

import frappe
from frappe import _

from drip_campaigns.actions.registry import ACTION_KINDS
from drip_campaigns.actions.users import read_users
from drip_campaigns.campaign.check_actions import LINKS
from drip_campaigns.campaign.check_goals import find_goal_problems
from drip_campaigns.core.errors import DripError
from drip_campaigns.core.flow.flow_reader import WAIT_FIELDS
from drip_campaigns.core.flow.wait_kind import WaitFor
from drip_campaigns.core.model import StepType
from drip_campaigns.plans.campaign_plan import make_plan
from drip_campaigns.plans.check_flow import find_missing_fields, find_unusable
from drip_campaigns.plans.wait_registry import WAIT_KINDS


def remove_missing(campaign) -> list[str]:
	"""Remove what this site lacks from a new Drip Campaign document; return a sentence for each."""
	sentences = list(_from_goal(campaign))
	for row in campaign.steps:
		if row.step_type == StepType.ACTION:
			sentences += _from_action(row)
		elif row.step_type == StepType.WAIT:
			sentences += _from_wait(row)
	return [*sentences, *_from_flow(campaign)]


def _from_goal(campaign) -> Iterator[str]:
	problems = list(find_goal_problems(campaign))
	if problems:
		campaign.update({"goal": "", "goal_recipient_type": None, "goal_document": "", "goal_filters": None})
	yield from problems


def _from_action(row) -> Iterator[str]:
	if row.action and not ACTION_KINDS.find(row.action):
		yield _take_out_kind(row, "action")
	for field, doctype in LINKS:
		name = row.get(field)
		if name and not frappe.db.exists(doctype, name):
			yield _take_out(row, field, "", doctype, name)
	named = read_users(row.action_users)
	there = set(
		frappe.get_all("User", {"name": ["in", [row.action_user, *named]], "enabled": 1}, pluck="name")
	)
	if row.action_user and row.action_user not in there:
		yield _take_out(row, "action_user", "", "User", row.action_user)
	for name in (name for name in named if name not in there):
		rest = [user for user in read_users(row.action_users) if user != name]
		yield _take_out(row, "action_users", "\n".join(rest), "User", name)


def _take_out(row, field: str, rest: str, doctype: str, name: str) -> str:
	row.update({field: rest, "is_draft": 1})
	sentence = _("Step {0}: {1} {2} does not exist. Choose another one, and release the step.")
	return sentence.format(row.idx, _(doctype), name)


def _from_wait(row) -> Iterator[str]:
	known = [label for awaited in WAIT_KINDS.all() for label in awaited.kinds]
	if row.wait_for and row.wait_for not in known:
		yield _take_out_kind(row, "wait_for")
		_wait_for_creation(row)


def _take_out_kind(row, field: str) -> str:
	sentence = _(
		"Step {0}: the app that adds “{1}” isn't installed. Choose another kind, and release the step."
	)
	sentence = sentence.format(row.idx, row.get(field))
	row.update({field: "", "is_draft": 1})
	return sentence


def _wait_for_creation(row) -> None:
	"""Let a step wait for a date that every record has, until a user chooses what to wait for."""
	row.update({name: None for name in WAIT_FIELDS})
	row.update({"wait_for": WaitFor.DATE_FIELD.value, "wait_field": "creation"})


def _from_flow(campaign) -> list[str]:
	"""Remove conditions that cannot be evaluated and make their steps drafts, so that they are not sent to everyone."""
	found = _find_flow_problems(campaign)
	for row, _sentence in found:
		row.update({"conditions": None, "is_draft": 1})
	for row, _sentence in _find_flow_problems(campaign) if found else ():  # a wait for a missing field
		_wait_for_creation(row)
	return list(dict.fromkeys(sentence for _row, sentence in found))


def _find_flow_problems(campaign) -> list[tuple]:
	rows = {f"new-{row.idx}": row for row in campaign.steps}
	try:
		plan = make_plan(campaign)
	except DripError:
		return []  # an invalid plan: saving the campaign reports the place
	return [
		(
			rows[problem.step],
			f"{_('Step {0}').format(rows[problem.step].idx)}: {problem.sentence}",
		)
		for problem in [*find_missing_fields(plan), *find_unusable(plan)]
	]
