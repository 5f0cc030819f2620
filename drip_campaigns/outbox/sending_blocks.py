"""Email Accounts that mail servers complain about: slowed down after 4.7.x, held after 5.7.x until somebody looks.

A policy refusal says something of who sends and nothing of who receives (RFC 3463, x.7.x): it holds the account at once.
What is one recipient's wish, by its code or its words, or has no code at all, holds it when three come within an hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import frappe
import redis
from frappe import _

from drip_campaigns.core.inbound.bounces import classify_response, is_about_one_recipient, is_about_sender
from drip_campaigns.core.model import Label
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.notify import find_managers, notify

DOCTYPE = "Drip Sending Block"
SLOW_FOR = timedelta(hours=1)
SLOW_PER_HOUR = 60
LOOK_AGAIN = timedelta(minutes=15)
POLICY_REFUSALS = 3
COMPLAINING = (DeliveryOutcome.DEFERRED, DeliveryOutcome.REFUSED, DeliveryOutcome.BLOCKED)


class BlockState(Label):
	"""How an account is braked."""

	SLOWED = "Slowed"
	HELD = "Held"


@dataclass
class SendingBlocks:
	"""Which accounts are held and which are slowed, as of one moment."""

	held: dict[str, str] = field(default_factory=dict)  # account -> reason
	slowed: set[str] = field(default_factory=set)

	def hold_back(self, account: str | None, now: datetime) -> ServerReply | None:
		"""Return the answer of a held account, or None."""
		reason = self.held.get(account or "")
		return ServerReply(DeliveryOutcome.HELD, text=reason, until=now + LOOK_AGAIN) if reason else None


def load(now: datetime) -> SendingBlocks:
	"""Return the brakes that are on at `now`, in one query."""
	brakes = SendingBlocks()
	for row in frappe.get_all(DOCTYPE, fields=["email_account", "state", "reason", "until"]):
		if row.state == BlockState.HELD.value:
			brakes.held[row.email_account] = _("The account is held: {0}").format(row.reason)
		elif row.until and from_site(row.until) > now:
			brakes.slowed.add(row.email_account)
	return brakes


def record_replies(answers: Iterable[tuple[str | None, ServerReply]], now: datetime) -> None:
	"""Look through a group's answers, each with its account, for what servers say of the sender. Does not commit."""
	for account, answer in answers:
		# Without a code it is no server's word about an email; what refuses a login is told elsewhere.
		if not (account and answer.code and answer.outcome in COMPLAINING):
			continue
		text = f"{answer.code or ''} {answer.text}"
		code = classify_response("", text).code
		if is_about_sender(code):
			record_policy_refusal(account, code, text, now)


def record_policy_refusal(account: str, code: str, reason: str, now: datetime) -> None:
	"""Take note of a refusal for policy, of a server or in a bounce: slow the account down, or hold it."""
	if not account:
		return
	if code.startswith("4"):
		_brake(account, BlockState.SLOWED, reason, now + SLOW_FOR, now)
		return
	is_clear = is_about_sender(code) and not is_about_one_recipient(code, reason)
	if is_clear or _count(account) >= POLICY_REFUSALS:
		_brake(account, BlockState.HELD, reason, None, now)


def _brake(account: str, state: BlockState, reason: str, until: datetime | None, now: datetime) -> None:
	values = {
		"state": state.value,
		"reason": reason.strip()[:500],
		"since": to_site(now),
		"until": to_site(until),
	}
	known = frappe.db.get_value(DOCTYPE, account, "state", for_update=True)
	if known == BlockState.HELD.value or (known and not frappe.db.exists("Email Account", account)):
		return
	if known:
		frappe.db.set_value(DOCTYPE, account, values)
	else:
		document = frappe.get_doc(doctype=DOCTYPE, email_account=account, **values)
		document.insert(ignore_permissions=True, ignore_if_duplicate=True)
	if known != state.value:
		_tell(account, state, values["reason"])


def _tell(account: str, state: BlockState, reason: str) -> None:
	text = (
		_("Email Account {0} is held: {1}. Correct its set-up, then delete the Drip Sending Block.")
		if state is BlockState.HELD
		else _("Email Account {0} is slowed down for an hour: {1}")
	)
	subject = text.format(frappe.bold(account), frappe.utils.escape_html(reason))
	frappe.db.after_commit.add(lambda: notify({*find_managers(), "Administrator"}, subject, DOCTYPE, account))


def _count(account: str) -> int:
	"""Count one more refusal of the last hour; without Redis the first is enough."""
	key = frappe.cache.make_key(f"drip_campaigns:policy:{account}")
	try:
		count = frappe.cache.incrby(key, 1)
		if count == 1:
			frappe.cache.expire(key, 3600)
	except redis.RedisError:
		return POLICY_REFUSALS
	return count
