"""Webhooks of mail providers: proven to be theirs, each read once, and what they report done. Nothing here commits.

What is reported has no effect the second time whatever happens; that a signature is good once spares the work. It is
noted after the commit: what could not be done is done when the provider sends it again.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

import frappe
import redis
from frappe import _

from drip_campaigns.core.errors import DripError
from drip_campaigns.core.inbound.provider_events import ProviderEvent, UnprovenError
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.db.deadlocks import retry_on_deadlock
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.inbound import bounces
from drip_campaigns.inbound.find_email import find_latest_to, find_mail, is_to
from drip_campaigns.inbound.providers import brevo, mailgun, postmark, sendgrid, ses
from drip_campaigns.inbound.providers.request import FRESH, ProviderRequest
from drip_campaigns.people.addresses import is_valid, normalize
from drip_campaigns.site.error_log import log_failure

PROVIDERS = {
	"brevo": brevo,
	"mailgun": mailgun,
	"postmark": postmark,
	"sendgrid": sendgrid,
	"ses": ses,
}
LARGEST_BODY = 1_000_000
SAVE_POINT = "drip_provider_news"


class PartlyProcessedError(DripError):
	"""Some of what a provider reports could not be done."""


@retry_on_deadlock
def process_report(provider: str, request: ProviderRequest, now: datetime) -> int:
	"""Do what a provider reports; return how much of it was news. Raises UnprovenError for whatever is not signed.

	Events that say nothing about an email of ours, and those that we do not know, are passed over. One that cannot be
	done leaves nothing and is logged; the others are done, and PartlyTakenError lets the provider send it again.
	"""
	module = PROVIDERS[provider]
	try:
		proof = module.verify(request, now)
		payload = request.json()
	except (ValueError, OverflowError) as error:  # no JSON, no number
		raise UnprovenError from error
	if proof and _is_done(provider, proof):
		return 0
	done = [_record_apart(news, provider, now) for news in _readable(module.read(payload))]
	if None in done:
		raise PartlyProcessedError
	if proof:
		frappe.db.after_commit.add(lambda: _note_done(provider, proof))
	return sum(done)


def _record_apart(news: ProviderEvent, provider: str, now: datetime) -> bool | None:
	"""Return whether an event was news; None for one that cannot be done."""
	frappe.db.savepoint(SAVE_POINT)
	try:
		return _record(news, provider, now)
	except frappe.QueryDeadlockError:
		raise  # the whole transaction is undone
	except Exception:  # noqa: BLE001 - it is logged, and stops none of the others in the same request
		frappe.db.rollback(save_point=SAVE_POINT)
		log_failure(_("Drip Campaigns could not do what {0} reports").format(provider))
		return None


def _readable(reported: Iterator[ProviderEvent]) -> Iterator[ProviderEvent]:
	return (news for news in reported if is_valid(normalize(news.address)))


def _record(news: ProviderEvent, provider: str, now: datetime) -> bool:
	mail = find_mail((), [news.message_id]) if news.message_id else None
	if not mail or not is_to(mail, news.address):
		mail = find_latest_to(news.address)  # providers put Message-IDs of their own
	if not mail:
		return False
	source = f"Webhook of {provider}"
	if news.has_left:
		return suppress(mail.email_address, SuppressionReason.OPTED_OUT, now, source=source, note=news.detail)
	if news.bounce is None:
		return bounces.record_complaint(mail, news.detail, now, source=source)
	return bounces.record_bounce(mail, news.bounce, now, source=source)


def _is_done(provider: str, proof: str) -> bool:
	try:
		return bool(frappe.cache.get(_key(provider, proof)))
	except redis.RedisError:
		return False


def _note_done(provider: str, proof: str) -> None:
	try:
		frappe.cache.set(_key(provider, proof), 1, ex=int(FRESH.total_seconds()))
	except redis.RedisError:
		frappe.logger("drip_campaigns").warning("Redis keeps no note of what %s has reported", provider)


def _key(provider: str, proof: str) -> str:
	digest = hashlib.blake2b(proof.encode("utf-8", "replace"), digest_size=16).hexdigest()
	return frappe.cache.make_key(f"drip_campaigns:webhook:{provider}:{digest}")
