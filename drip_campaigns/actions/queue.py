"""Queue actions: the transaction that decides them inserts them, and a job does them after its commit.

An action's name is its enrollment and step, like a Drip Email's, so it cannot be inserted twice. Nothing here commits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe

from drip_campaigns.core.flow.actions import ActionStatus
from drip_campaigns.db.dialect import insert_new_rows
from drip_campaigns.site.background_jobs import call_after_commit
from drip_campaigns.site.clock import to_site

DOCTYPE = "Drip Action"
WORK_JOB = "drip_campaigns.jobs.run_actions.run_job"
_COLUMNS = (
	*("name", "owner", "creation", "modified", "modified_by", "campaign", "enrollment", "step", "action"),
	*("recipient_type", "recipient", "email_address", "status", "due_at", "waits"),
)


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
	rows = [
		(
			*(task.name, user, site_now, site_now, user),
			*(task.enrollment["campaign"], task.enrollment["name"], task.step.name, task.step.action),
			*(
				task.enrollment["recipient_type"],
				task.enrollment["recipient"],
				task.enrollment["email_address"],
			),
			*(ActionStatus.WAITING.value, to_site(task.due_at), int(task.step.wait_for_todo or 0)),
		)
		for task in tasks
	]
	insert_new_rows(DOCTYPE, _COLUMNS, rows)
	if any(task.due_at <= now for task in tasks):
		call_after_commit(WORK_JOB, "drip-actions")
