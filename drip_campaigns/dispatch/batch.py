"""One batch of one campaign: take each enrollment's turn, and collect every row to be written.

Nothing here commits or sends. An error of one enrollment stays on that enrollment.
"""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import frappe
from frappe import _

from drip_campaigns.core.errors import NoAllowedMomentError
from drip_campaigns.dispatch.batch_rows import Batch
from drip_campaigns.dispatch.campaign_run import CampaignRun
from drip_campaigns.dispatch.enrollment_turn import EnrollmentTurn
from drip_campaigns.dispatch.guard import Guard
from drip_campaigns.dispatch.step_templates import StepTextError
from drip_campaigns.outbox.frequency_cap import load_cap
from drip_campaigns.people.field_rights import UnreadableFieldError
from drip_campaigns.plans.condition_data import BatchConditionData
from drip_campaigns.rendering.senders import NoOutgoingAccountError

# When the first 10 recipients of a batch all fail and the text was never sent, the text is at fault.
SYSTEMATIC = 10
# While all fail: an expression that loops forever is stopped once for each of up to 500 recipients.
FAILING_SECONDS = 10
ACCOUNT_RETRY = timedelta(minutes=15)


def make_batch(
	run: CampaignRun,
	rows: list[frappe._dict],
	handled: Mapping[str, Mapping[str, frappe._dict]],
	now: datetime,
) -> Batch:
	"""Decide for every claimed enrollment at `now` and return the rows to write; nothing is stored here.

	`handled` are the steps of each enrollment that have an email or an action. Raises StepTextError if a text fails
	for every recipient.
	"""
	batch = Batch()
	guard = Guard(run.campaign, rows, run.rules.find(rows, now))
	guard.cap = load_cap(run.campaign, [recipient.email for recipient in guard.recipients.values()], now)
	data = (
		BatchConditionData(run.plan, rows, guard.recipients, run.composer.rights, now)
		if run.plan.has_flow
		else None
	)
	run.composer.begin_batch([row.name for row in rows])
	began = time.monotonic()
	for number, row in enumerate(rows, 1):
		_take_turn(
			EnrollmentTurn(run, batch, guard, data.of(row) if data else None, row, handled[row.name], now)
		)
		all_fail = number == len(batch.text_errors) >= SYSTEMATIC
		if all_fail and time.monotonic() - began > FAILING_SECONDS:
			break
	is_systematic = len(batch.text_errors) >= SYSTEMATIC and not batch.mails
	if is_systematic and not run.composer.templates.were_sent(batch.text_steps):
		raise StepTextError(_("The text fails for every recipient: {0}").format(batch.text_errors[0]))
	return batch


def _take_turn(turn: EnrollmentTurn) -> None:
	try:
		turn.take()
	except (StepTextError, NoAllowedMomentError):
		raise  # the campaign is paused, and no enrollment counts a failure
	except UnreadableFieldError as error:
		step = turn.run.composer.templates.label_of(turn.making or turn.row.next_step)
		raise StepTextError(f"{step}: {error}") from error
	except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
		raise  # the whole batch is tried again
	except NoOutgoingAccountError as error:
		turn.rows.retry_later(error, turn.row.attempts or 0, turn.now + ACCOUNT_RETRY)
	except Exception as error:  # noqa: BLE001 - recorded on the enrollment: one recipient or template must not stop the batch
		turn.rows.fail(turn.turn.position, error, turn.making)
