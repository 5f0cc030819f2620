"""The action steps of a chaos run, and a check that counts each one's effects in the database against its Drip Action.

The receiver counts a Webhook's effects by the key that all attempts of an action share.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import frappe
from frappe.installer import update_site_config

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.flow.actions import UNSETTLED, ActionKind
from tests import factories
from tests.fakes import LOOPBACK
from tests.receiver import Receiver, make_webhook

HOOK, TAG, USER, NEXT = "Drip Chaos Hook", "Drip Chaos", "chaos-colleague", "Drip Chaos Next"
ACTIONS_A_DAY = 2
FAR_DAY = 900  # after the end of every run


@dataclass(frozen=True)
class ActionResults:
	"""The outcome of a run's actions. The lists name Drip Actions."""

	due: int = 0
	done: int = 0
	duplicates: list[str] = field(default_factory=list)
	lost: list[str] = field(default_factory=list)  # done without effect, failed, open, or never recorded
	untrue: list[str] = field(default_factory=list)  # recorded as failed, with an effect
	in_doubt: list[str] = field(default_factory=list)

	def is_good(self, doubts_allowed: int) -> bool:
		"""Return whether each was done exactly once."""
		return not (self.duplicates or self.lost or self.untrue) and len(self.in_doubt) <= doubts_allowed


class ActionChecks:
	"""Action steps of seven kinds, and the check of their effects. `receiver` gets the Webhook calls."""

	def __init__(self, receiver: Receiver) -> None:
		self.receiver = receiver
		self.user = factories.make_user(USER, "Drip User")
		frappe.db.set_value("Notification Settings", self.user, "enable_email_notifications", 0)
		self.campaigns: list[str] = []

	def make_steps(self, days: int, now) -> list[dict[str, Any]]:
		"""Return the rows of two actions for each day, of alternating kinds."""
		if LOOPBACK not in frappe.conf.get("drip_webhook_hosts", ()):
			update_site_config("drip_webhook_hosts", [LOOPBACK])  # the receiver runs on this machine
		make_webhook(HOOK, self.receiver.url, "name")
		numbers = range(days * ACTIONS_A_DAY)
		return [self._make_step(_ORDER[number % len(_ORDER)], number, now) for number in numbers]

	def _make_step(self, kind: ActionKind, number: int, now) -> dict[str, Any]:
		mark = mark_of(number)
		values = {
			ActionKind.ADD_TAG: {"action_tag": mark},
			ActionKind.SET_FIELD: {
				"action_doctype": "Contact",
				"action_field": "department",
				"action_value": f"{{{{ doc.department or '' }}}}|{mark}|",
			},
			ActionKind.CREATE: {
				"action_doctype": "ToDo",
				"action_values": frappe.as_json(
					{"description": mark, "reference_type": "Contact", "reference_name": "{{ doc.name }}"}
				),
			},
			ActionKind.ASSIGN: {"action_user": self.user, "action_text": mark},
			ActionKind.NOTIFY: {"action_user": self.user, "action_text": mark},
			ActionKind.WEBHOOK: {"webhook": HOOK},
		}
		fields = values[kind] if kind in values else {"action_campaign": self._make_next(mark, now)}
		day = number // ACTIONS_A_DAY
		return {"step_type": "Action", "action": kind.value, "send_after_days": day, "label": mark, **fields}

	def _make_next(self, mark: str, now) -> str:
		"""Return a campaign to enroll people in, whose first email is years away."""
		campaign = factories.make_campaign(factories.step(FAR_DAY), name=f"{NEXT} {mark}")
		lifecycle.activate(campaign, now)
		self.campaigns.append(campaign.name)
		return campaign.name

	def check_campaign(self, campaign: str, early: tuple[str, ...]) -> ActionResults:
		"""Return the results of a campaign. Enrollments that ended with a status in `early` did not reach every step."""
		steps = _load_steps(campaign)
		rows = frappe.get_all(
			"Drip Action",
			filters={"campaign": campaign},
			fields=["name", "step", "action", "recipient", "status"],
		)
		effects = {step.name: _EFFECTS[ActionKind(step.action)](step, self.receiver) for step in steps}
		counted = {row.name: effects[row.step][_key_of(row)] for row in rows}
		status = {row.name: row.status for row in rows}
		missing = _find_missing(campaign, steps, status, early)
		by_status: dict[str, list[str]] = {}
		for name, value in status.items():
			by_status.setdefault(value, []).append(name)
		done, failed = by_status.get("Done", []), by_status.get("Failed", [])
		still_open = [name for value in UNSETTLED for name in by_status.get(value, [])]
		return ActionResults(
			due=len(rows) + len(missing),
			done=len(done),
			duplicates=[name for name, count in counted.items() if count > 1],
			lost=[name for name in done if not counted[name]] + failed + still_open + missing,
			untrue=[name for name in failed if counted[name]],
			in_doubt=by_status.get("In Doubt", []),
		)


def clear() -> None:
	"""Delete what the actions of a run have created, and commit."""
	frappe.db.rollback()
	user = f"{USER}@{factories.DOMAIN}"
	frappe.db.delete("ToDo", {"description": ("like", f"%{TAG}%")})
	frappe.db.delete("Notification Log", {"for_user": user})
	frappe.db.delete("Tag Link", {"tag": ("like", f"{TAG}%")})
	frappe.db.delete("Tag", {"name": ("like", f"{TAG}%")})
	frappe.delete_doc("Webhook", HOOK, force=True, ignore_missing=True)
	frappe.db.commit()


def mark_of(number: int) -> str:
	"""Return a text that each effect of one step contains, and no other effect."""
	return f"{TAG} {number:02}"


def _load_steps(campaign: str) -> list[frappe._dict]:
	filters = {"parent": campaign, "step_type": "Action"}
	fields = ["name", "action", "label", "action_campaign"]
	return frappe.get_all("Drip Campaign Step", filters=filters, fields=fields)


def _find_missing(
	campaign: str, steps: list[frappe._dict], written: Mapping[str, str], early: tuple[str, ...]
) -> list[str]:
	filters = {"campaign": campaign, "status": ["not in", early]}
	names = [
		f"{enrollment}-{step.name}"
		for enrollment in frappe.get_all("Drip Enrollment", filters=filters, pluck="name")
		for step in steps
	]
	return [name for name in names if name not in written]


def _key_of(row: frappe._dict) -> str:
	return row.name if row.action == ActionKind.WEBHOOK.value else row.recipient


def _count(doctype: str, recipient: str, **filters: Any) -> Counter[str]:
	return Counter(frappe.get_all(doctype, filters=filters, pluck=recipient))


def _count_tags(step: frappe._dict, _receiver: Receiver) -> Counter[str]:
	"""Count a tag, which is in two places, by its links, and as 0 if it is missing from one place."""
	links = _count("Tag Link", "document_name", tag=step.label, document_type="Contact")
	rows = frappe.get_all("Contact", filters={"name": ["in", list(links)]}, fields=["name", "_user_tags"])
	tagged = {row.name for row in rows if step.label in (row._user_tags or "").split(",")}
	return Counter({name: count if name in tagged else 0 for name, count in links.items()})


def _count_values(step: frappe._dict, _receiver: Receiver) -> Counter[str]:
	"""Count a field's marks: each action appends its mark, so a second run shows."""
	like = {"department": ["like", f"%|{step.label}|%"]}
	rows = frappe.get_all("Contact", filters=like, fields=["name", "department"])
	return Counter({row.name: row.department.count(f"|{step.label}|") for row in rows})


def _count_documents(step: frappe._dict, _receiver: Receiver) -> Counter[str]:
	return _count("ToDo", "reference_name", description=["like", f"%{step.label}%"])


def _count_messages(step: frappe._dict, _receiver: Receiver) -> Counter[str]:
	return _count("Notification Log", "document_name", subject=step.label, type="Alert")


def _count_enrolled(step: frappe._dict, _receiver: Receiver) -> Counter[str]:
	return _count("Drip Enrollment", "recipient", campaign=step.action_campaign)


# Two of a kind on one day write to one record: two workers at once must not undo each other.
_ORDER = (
	*(ActionKind.ADD_TAG, ActionKind.ADD_TAG),
	*(ActionKind.WEBHOOK, ActionKind.CREATE),
	*(ActionKind.SET_FIELD, ActionKind.SET_FIELD),
	*(ActionKind.ASSIGN, ActionKind.ENROLL),
	*(ActionKind.NOTIFY, ActionKind.WEBHOOK),
)
_EFFECTS: dict[ActionKind, Callable[[frappe._dict, Receiver], Counter[str]]] = {
	ActionKind.ADD_TAG: _count_tags,
	ActionKind.CREATE: _count_documents,
	ActionKind.SET_FIELD: _count_values,
	ActionKind.WEBHOOK: lambda _step, receiver: Counter(receiver.accepted),
	ActionKind.ASSIGN: _count_documents,
	ActionKind.ENROLL: _count_enrolled,
	ActionKind.NOTIFY: _count_messages,
}
