"""Judge the responses of mail servers in one delivery job: which are about the sender, whatever they say.

Emails with such a response wait, their recipients are not suppressed, and their account is blocked or slowed down.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import frappe
from frappe import _

from drip_campaigns.core.inbound.response_words import Category, Severity
from drip_campaigns.core.inbound.server_responses import Finding, classify_response, make_alike
from drip_campaigns.outbox.sending_blocks import RECHECK_AFTER, Refusal, find_share
from drip_campaigns.outbox.settle import is_too_old
from drip_campaigns.outbox.transport import DeliveryOutcome, ServerReply

LEAST_ALIKE = 5  # recipients with the same response; fewer can be dead addresses
ALIKE_PERCENT = (
	50  # of the job's emails of this account: an old list has many dead addresses, but not half of them
)
# Our own mail server says this about the account as such; for policy, it can pass on what one recipient's server said.
ABOUT_ACCOUNT = (Category.AUTHENTICATION, Category.SENDER_REJECTED, Category.BLOCKED_IP)
ANSWERED = (DeliveryOutcome.REFUSED, DeliveryOutcome.DEFERRED, DeliveryOutcome.BLOCKED)
Answer = tuple[frappe._dict, ServerReply]


class RunReplies:
	"""The responses of one delivery job so far."""

	def __init__(self) -> None:
		self._attempts: Counter[str] = Counter()
		self._alike: defaultdict[tuple[str, str], set[str]] = defaultdict(set)

	def judge(
		self, mails: Sequence[frappe._dict], replies: Mapping[str, ServerReply], now: datetime
	) -> tuple[dict[str, ServerReply], list[Refusal]]:
		"""Return the replies of a group, those about the sender as held, and the refusals that concern an account."""
		answers: defaultdict[str, list[Answer]] = defaultdict(list)
		for mail in mails:
			reply = replies.get(mail.name)
			if mail.email_account and reply and _is_answer(reply):
				answers[mail.email_account].append((mail, reply))
		held, refusals = {}, []
		for account, given in answers.items():
			for names, refusal in self._judge_account(account, given, now):
				held.update({name: _hold(replies[name], now) for name in names})
				refusals.append(refusal)
		return {**replies, **held}, refusals

	def _judge_account(
		self, account: str, given: Sequence[Answer], now: datetime
	) -> Iterator[tuple[list[str], Refusal]]:
		"""Yield what concerns the account, each with the names of the emails that wait because of it."""
		self._attempts[account] += len(given)
		alike = list(self._find_alike(account, given))
		yield from alike
		waiting = {name for names, _refusal in alike for name in names}
		rest = [(mail, reply) for mail, reply in given if mail.name not in waiting]
		found = [(mail, reply, _classify(reply)) for mail, reply in rest]
		about_us = [row for row in found if row[2].severity is Severity.SENDER]
		clear = [row for row in about_us if not row[2].is_temporary and row[2].category in ABOUT_ACCOUNT]
		policy = [row for row in about_us if not row[2].is_temporary and row[2].category not in ABOUT_ACCOUNT]
		slow = next((row for row in about_us if row[2].is_temporary), None)
		figures = find_share(account, [True] * len(policy) + [False] * (len(given) - len(policy)), now)
		for rows, why in ((clear, ""), (policy if figures else [], figures)):
			if rows:
				_mail, reply, finding = rows[0]
				names = [mail.name for mail, _reply, _finding in rows if not is_too_old(mail, now)]
				yield names, Refusal(account, finding, words_of(reply), why)
		if slow:
			yield [], Refusal(account, slow[2], words_of(slow[1]))

	def _find_alike(self, account: str, given: Sequence[Answer]) -> Iterator[tuple[list[str], Refusal]]:
		"""Yield the responses that at least five recipients and half of the job's emails of the account got."""
		names, first = defaultdict(list), {}
		for mail, reply in given:
			if reply.outcome is DeliveryOutcome.REFUSED:
				key = (account, make_alike(words_of(reply), mail.email_address))
				self._alike[key].add(mail.email_address)
				names[key].append(mail.name)
				first.setdefault(key, reply)
		for key, waiting in names.items():
			count, total = len(self._alike[key]), self._attempts[account]
			if count >= LEAST_ALIKE and count * 100 >= total * ALIKE_PERCENT:
				figures = _("{0} of {1} recipients got the same response").format(count, total)
				finding = _classify(first[key])
				is_alike = finding.severity is not Severity.SENDER
				finding = replace(finding, is_temporary=False)
				yield waiting, Refusal(account, finding, words_of(first[key]), figures, is_alike)


def words_of(reply: ServerReply) -> str:
	"""Return the code and the text of a reply."""
	return f"{reply.code or ''} {reply.text}".strip()


def _is_answer(reply: ServerReply) -> bool:
	"""Return whether a server said this: without a code, it is an error of the network."""
	return reply.outcome is DeliveryOutcome.ACCEPTED or (bool(reply.code) and reply.outcome in ANSWERED)


def _classify(reply: ServerReply) -> Finding:
	"""Return the meaning of a reply; a sender that is refused before any recipient was named is about the sender."""
	if reply.outcome is DeliveryOutcome.ACCEPTED:
		return Finding(Severity.SOFT, Category.NOT_UNDERSTOOD)
	finding = classify_response("", words_of(reply))
	if reply.outcome is DeliveryOutcome.BLOCKED and finding.severity is not Severity.SENDER:
		return Finding(Severity.SENDER, Category.SENDER_REJECTED, finding.code, finding.is_temporary)
	return finding


def _hold(reply: ServerReply, now: datetime) -> ServerReply:
	return replace(reply, outcome=DeliveryOutcome.HELD, until=now + RECHECK_AFTER)
