"""Block Email Accounts that mail servers refuse: slow them down after 4.7.x, block them until a person acts.

Nothing here commits. `run_replies.py` judges the responses while emails are sent, `inbound/` the bounces that come back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import frappe
import redis
from frappe import _

from drip_campaigns.core.inbound.bounces import LEAST_EVENTS, exceeds_rate
from drip_campaigns.core.inbound.server_responses import Finding
from drip_campaigns.core.model import Label
from drip_campaigns.db.field_values import clean_values
from drip_campaigns.db.single_writes import write_values
from drip_campaigns.outbox.remedies import find_remedy
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.messages import as_html, bold
from drip_campaigns.site.notify import find_managers, notify

DOCTYPE = "Drip Sending Block"
SLOW_FOR = timedelta(hours=1)
SLOW_PER_HOUR = 60
RECHECK_AFTER = timedelta(minutes=15)
# A share of the last responses blocks an account for policy: one recipient's server can refuse alone.
LATEST = 200
LATEST_WITHIN = timedelta(days=1)
REFUSED_PERCENT = 10


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


@dataclass(frozen=True)
class Refusal:
	"""Why an account is slowed down or blocked: what a server's words mean, the words, and the figures behind it."""

	account: str
	finding: Finding
	words: str
	figures: str = ""
	is_alike: bool = False  # the same response for several recipients


def block_accounts(refusals: Iterable[Refusal], now: datetime) -> None:
	"""Slow the accounts down if their refusals are temporary, else block them; notify the managers."""
	for refusal in refusals:
		if refusal.finding.is_temporary:
			_block(refusal, BlockState.SLOWED, now + SLOW_FOR, now)
		else:
			_block(refusal, BlockState.BLOCKED, None, now)


def record_bounce(account: str, finding: Finding, words: str, now: datetime) -> None:
	"""Slow an account down, or block it by its share of refusals, because a bounce is about the sender."""
	if not account:
		return
	figures = "" if finding.is_temporary else find_share(account, [True], now)
	if finding.is_temporary or figures:
		block_accounts([Refusal(account, finding, words, figures)], now)


def find_share(account: str, refused: Sequence[bool], now: datetime) -> str:
	"""Count the newest responses of an account, by whether each refused the sender; return the figures if they are too many.

	The window is the last 200 responses within a day, the sample at least three refusals. Without Redis, nothing counts.
	"""
	key = frappe.cache.make_key(f"drip_campaigns:policy:{account}")
	moment = int(now.timestamp())
	pipeline = frappe.cache.pipeline()
	pipeline.lpush(key, *(f"{moment}:{int(one)}" for one in refused))
	pipeline.ltrim(key, 0, LATEST - 1)
	pipeline.expire(key, LATEST_WITHIN)
	pipeline.lrange(key, 0, LATEST - 1)
	try:
		rows = [row.decode().partition(":") for row in pipeline.execute()[-1]]
	except redis.RedisError:
		return ""
	since = (now - LATEST_WITHIN).timestamp()
	latest = [flag == "1" for seconds, _colon, flag in rows if int(seconds) > since]
	count, total = sum(latest), len(latest)
	if not exceeds_rate(count, total, REFUSED_PERCENT, LEAST_EVENTS):
		return ""
	return _("{0} of the last {1} emails were refused").format(count, total)


def _block(refusal: Refusal, state: BlockState, until: datetime | None, now: datetime) -> None:
	account = refusal.account
	values = {
		"state": state.value,
		"reason": refusal.words.strip()[:500],
		"figures": refusal.figures,
		"remedy": find_remedy(refusal.finding, refusal.words, is_alike=refusal.is_alike),
		"since": to_site(now),
		"until": to_site(until),
	}
	values = clean_values(DOCTYPE, values)
	known = frappe.db.get_value(DOCTYPE, account, "state", for_update=True)
	if known == BlockState.BLOCKED.value or not frappe.db.exists("Email Account", account):
		return
	if known:
		write_values(DOCTYPE, account, values)
	else:
		document = frappe.get_doc(doctype=DOCTYPE, email_account=account, **values)
		# nosemgrep: ignore-permissions - a record of the app, which no role may create
		document.insert(ignore_permissions=True, ignore_if_duplicate=True)
	if known != state.value:
		_notify_managers(account, state, values)


def _notify_managers(account: str, state: BlockState, values: dict) -> None:
	text = (
		_("Email Account {0} is blocked: {1}. {2} Then click Resume Sending on the Drip Sending Block.")
		if state is BlockState.BLOCKED
		else _("Email Account {0} is slowed down for an hour: {1}. {2}")
	)
	reason = ". ".join(part for part in (values["figures"], values["reason"].rstrip(".")) if part)
	subject = as_html(text, bold(account), reason, values["remedy"])
	frappe.db.after_commit.add(lambda: notify({*find_managers(), "Administrator"}, subject, DOCTYPE, account))
