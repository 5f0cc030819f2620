"""Block Email Accounts that mail servers refuse: slow them down after 4.7.x, block them after 5.7.x until a person acts.

A policy refusal (RFC 3463, x.7.x) is about the sender, not the recipient, and blocks the account at the first one. A
refusal that may be about one recipient, or has no code, blocks the account at the third within an hour.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import frappe
import redis
from frappe import _

from drip_campaigns.core.inbound.response_words import Category, Severity
from drip_campaigns.core.inbound.server_responses import Finding, classify_response
from drip_campaigns.core.model import Label
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import find_managers, notify

DOCTYPE = "Drip Sending Block"
SLOW_FOR = timedelta(hours=1)
SLOW_PER_HOUR = 60
RECHECK_AFTER = timedelta(minutes=15)
POLICY_REFUSALS = 3
# A server says this about an account as such; about a text or for policy, one recipient's server can say it alone.
CLEAR = (Category.AUTHENTICATION, Category.SENDER_REJECTED, Category.BLOCKED_IP)
COMPLAINING = (DeliveryOutcome.DEFERRED, DeliveryOutcome.REFUSED, DeliveryOutcome.BLOCKED)


class BlockState(Label):
	"""How an account is blocked."""

	SLOWED = "Slowed"
	BLOCKED = "Blocked"


@dataclass
class SendingBlocks:
	"""The accounts that are blocked or slowed down at one moment."""

	blocked: dict[str, str] = field(default_factory=dict)  # account -> reason
	slowed: set[str] = field(default_factory=set)

	def find_reply(self, account: str | None, now: datetime) -> ServerReply | None:
		"""Return the reply for an email of a blocked account, or None."""
		reason = self.blocked.get(account or "")
		return ServerReply(DeliveryOutcome.HELD, text=reason, until=now + RECHECK_AFTER) if reason else None


def load(now: datetime) -> SendingBlocks:
	"""Return the blocks that are valid at `now`, in one query."""
	blocks = SendingBlocks()
	for row in frappe.get_all(DOCTYPE, fields=["email_account", "state", "reason", "until"]):
		if row.state == BlockState.BLOCKED.value:
			blocks.blocked[row.email_account] = _("The account is blocked: {0}").format(row.reason)
		elif row.until and from_site(row.until) > now:
			blocks.slowed.add(row.email_account)
	return blocks


def record_replies(replies: Iterable[tuple[str | None, ServerReply]], now: datetime) -> None:
	"""Block accounts by the replies of a group, each given with its account. Does not commit."""
	for account, reply in replies:
		# A reply without a code is not about an email; `connections.py` reports a refused login.
		if not (account and reply.code and reply.outcome in COMPLAINING):
			continue
		text = f"{reply.code or ''} {reply.text}"
		finding = classify_response("", text)
		if finding.severity is Severity.SENDER:
			record_refusal(account, finding, text, now)


def record_refusal(account: str, finding: Finding, reason: str, now: datetime) -> None:
	"""Slow an account down, or block it, because a server or a bounce refuses the sender."""
	if not account:
		return
	if finding.is_temporary:
		_block(account, BlockState.SLOWED, reason, now + SLOW_FOR, now)
		return
	if finding.category in CLEAR or _count(account) >= POLICY_REFUSALS:
		_block(account, BlockState.BLOCKED, reason, None, now)


def _block(account: str, state: BlockState, reason: str, until: datetime | None, now: datetime) -> None:
	values = {
		"state": state.value,
		"reason": reason.strip()[:500],
		"since": to_site(now),
		"until": to_site(until),
	}
	values = clean_values(DOCTYPE, values)
	known = frappe.db.get_value(DOCTYPE, account, "state", for_update=True)
	if known == BlockState.BLOCKED.value or (known and not frappe.db.exists("Email Account", account)):
		return
	if known:
		write_values(DOCTYPE, account, values)
	else:
		document = frappe.get_doc(doctype=DOCTYPE, email_account=account, **values)
		# nosemgrep: ignore-permissions - a record of the app, which no role may create
		document.insert(ignore_permissions=True, ignore_if_duplicate=True)
	if known != state.value:
		_notify_managers(account, state, values["reason"])


def _notify_managers(account: str, state: BlockState, reason: str) -> None:
	text = (
		_("Email Account {0} is blocked: {1}. Correct its setup, then delete the Drip Sending Block.")
		if state is BlockState.BLOCKED
		else _("Email Account {0} is slowed down for an hour: {1}")
	)
	subject = as_html(text, bold(account), reason)
	frappe.db.after_commit.add(lambda: notify({*find_managers(), "Administrator"}, subject, DOCTYPE, account))


def _count(account: str) -> int:
	"""Count one more refusal within the last hour; without Redis the first one is enough."""
	key = frappe.cache.make_key(f"drip_campaigns:policy:{account}")
	try:
		count = frappe.cache.incrby(key, 1)
		if count == 1:
			frappe.cache.expire(key, 3600)
	except redis.RedisError:
		return POLICY_REFUSALS
	return count
