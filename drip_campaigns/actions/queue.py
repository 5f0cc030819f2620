"""Queue actions: the transaction that decides them inserts them, and a job does them after its commit.

An action's name is its enrollment and step, like a Drip Email's, so it cannot be inserted twice. Nothing here commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.flow.actions import ActionStatus
from drip_campaigns.db.bulk_writes import insert_records, standard_values
from drip_campaigns.site.background_jobs import call_after_commit
from drip_campaigns.site.clock import to_site

DOCTYPE = "Drip Action"
WORK_JOB = "drip_campaigns.jobs.run_actions.run_job"


@dataclass(frozen=True)
class ActionTask:
	"""An action to do at `due_at`: the step's row, and the fields of the enrollment."""

	step: Any
	enrollment: Mapping[str, Any]
	due_at: datetime

	@property
	def name(self) -> str:
		"""The same for the same step of the same enrollment."""
		return f"{self.enrollment['name']}-{self.step.name}"


def record_actions(tasks: Sequence[ActionTask], now: datetime) -> None:
	"""Insert actions in one statement, without those that exist, and start the job that does them after the commit."""
	if not tasks:
		return
	site_now, user = to_site(now), frappe.session.user
	standard = standard_values(user, site_now)
	insert_records(DOCTYPE, [standard | _record_of(task) for task in tasks], keep_existing=True)
	if any(task.due_at <= now for task in tasks):
		call_after_commit(WORK_JOB, "drip-actions")


def _record_of(task: ActionTask) -> dict[str, Any]:
	enrollment, step = task.enrollment, task.step
	return {
		"name": task.name,
		"campaign": enrollment["campaign"],
		"enrollment": enrollment["name"],
		"step": step.name,
		"action": step.action,
		"recipient_type": enrollment["recipient_type"],
		"recipient": enrollment["recipient"],
		"email_address": enrollment["email_address"],
		"status": ActionStatus.WAITING.value,
		"due_at": to_site(task.due_at),
		"waits": int(step.wait_for_todo or 0),
	}
