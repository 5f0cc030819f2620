"""Check a campaign before it is saved, and before it is activated. Each problem names its step and what to do."""

from collections.abc import Callable, Collection, Iterator

import frappe
from frappe import _
from frappe.utils import getdate

from drip_campaigns.campaign.check_actions import find_action_problems, find_right_problems
from drip_campaigns.campaign.check_goals import find_goal_problems
from drip_campaigns.campaign.check_lists import find_list_problems
from drip_campaigns.campaign.check_statuses import find_status_problems
from drip_campaigns.campaign.check_texts import find_enrolled_types, find_row_problems, find_text_problems
from drip_campaigns.campaign.check_triggers import find_trigger_problems
from drip_campaigns.campaign.check_variants import find_variant_problems
from drip_campaigns.campaign.owners import explain_forbidden_sender, explain_unfit_owner
from drip_campaigns.core.errors import DripError, DuplicateLabelError, InvalidFlowError
from drip_campaigns.core.flow.actions import RunWhen
from drip_campaigns.core.model import SenderRule, StepType
from drip_campaigns.core.schedule.plan_checks import validate_plan
from drip_campaigns.core.schedule.send_window import next_allowed
from drip_campaigns.core.schedule.wall_clock import find_zone
from drip_campaigns.people.field_rights import FieldRights
from drip_campaigns.plans.campaign_plan import WEEKDAY_FIELDS, make_plan
from drip_campaigns.plans.check_flow import find_flow_problems
from drip_campaigns.rendering.senders import NoOutgoingAccountError, Senders
from drip_campaigns.rendering.step_text import load_template
from drip_campaigns.rendering.text_rights import rights_of
from drip_campaigns.site.clock import utc_now
from drip_campaigns.site.public_address import find_address_problem
from drip_campaigns.site.settings import postal_address


def find_save_problems(campaign) -> Iterator[str]:
	"""Yield each problem that prevents saving a Drip Campaign document, also a draft."""
	yield from _dates(campaign)
	yield from _senders(campaign)
	enrolled = find_enrolled_types(campaign)
	for row in campaign.steps:
		yield from _step(campaign, row, enrolled)
	if campaign.confirmation_template:
		yield from _confirmation(campaign)
	yield from find_variant_problems(campaign)
	yield from find_flow_problems(campaign, _rights_by_step(campaign))
	yield from find_trigger_problems(campaign)
	yield from find_list_problems(campaign)
	yield from find_goal_problems(campaign)
	yield from find_action_problems(campaign)


def find_activation_problems(campaign) -> Iterator[str]:
	"""Yield each problem that prevents activating it but not saving it."""
	if not [
		row for row in campaign.steps if row.enabled and not row.is_draft and row.run_when != RunWhen.ON_EXIT
	]:
		yield _("Campaign {0} has no enabled step. Add a step, or enable one.").format(campaign.campaign_name)
	if unfit := explain_unfit_owner(campaign):
		yield unfit
	yield from find_right_problems(campaign)
	yield from find_status_problems(campaign)
	if not postal_address().strip():
		yield _(
			"Add your postal address before activating: most anti-spam laws require it in every marketing email. Enter it in {0} under Footer."
		).format(_("Drip Settings"))
	if unreachable := find_address_problem():
		yield unreachable
	try:
		Senders().find(campaign.sender or campaign.owner)
	except NoOutgoingAccountError as error:
		yield str(error)


def _senders(campaign) -> Iterator[str]:
	users = [row.user for row in campaign.senders]
	if campaign.sender_rule == SenderRule.ROUND_ROBIN.value and not users:
		yield _("Round Robin needs users to share the enrollments. Choose them under Take Turns.")
	enabled = set(frappe.get_all("User", filters={"name": ["in", users], "enabled": 1}, pluck="name"))
	for user in users:
		if user not in enabled:
			yield _("Sender {0} is disabled or does not exist. Choose another user.").format(user)
	owner = frappe.session.user if campaign.is_new() else campaign.owner
	if forbidden := explain_forbidden_sender(campaign, owner):
		yield forbidden


def _dates(campaign) -> Iterator[str]:
	if (
		campaign.start_date
		and campaign.end_date
		and getdate(campaign.end_date) < getdate(campaign.start_date)
	):
		yield _("The end date {0} is before the start date {1}. Correct one of the two.").format(
			frappe.format(campaign.end_date, "Date"), frappe.format(campaign.start_date, "Date")
		)
		return
	if not any(campaign.get(day) for day in WEEKDAY_FIELDS):
		yield _("No weekday is allowed. Select at least one under Timing.")
		return
	try:
		plan = make_plan(campaign)
		validate_plan(plan)
		next_allowed(plan, find_zone(plan.timezone), utc_now())
	except (InvalidFlowError, DuplicateLabelError):
		return  # `find_flow_problems` names the step
	except DripError as error:
		yield str(error)


def _rights_by_step(campaign) -> Callable[[str], FieldRights]:
	rows = {row.name or f"new-{row.idx}": row for row in campaign.steps}
	return lambda step: rights_of(campaign, rows[step])


def _step(campaign, row, enrolled: Collection[str]) -> Iterator[str]:
	label = _("Step {0}").format(row.idx)
	for field, name in (("send_after_days", _("Send After (Days)")), ("send_after_hours", _("Hours"))):
		if (row.get(field) or 0) < 0:
			yield _("{0}: {1} is {2}. Enter 0 or more.").format(label, name, row.get(field))
	if row.step_type and row.step_type != StepType.SEND.value:
		return
	yield from find_row_problems(
		label, row, rights_of(campaign, row), enrolled=enrolled, is_draft=bool(row.is_draft)
	)


def _confirmation(campaign) -> Iterator[str]:
	label, template = _("Confirmation Email"), campaign.confirmation_template
	if not frappe.db.exists("Email Template", template):
		yield _("{0}: Email Template {1} does not exist. Choose another one.").format(label, template)
		return
	yield from find_text_problems(
		label, load_template(template), rights_of(campaign), also_known=("confirm_url",)
	)
