"""Webhooks of mail providers: verify a request, and record the events that it reports. Nothing here commits.

An event that arrives twice has one effect. Redis remembers each signature after the commit, which saves the work the
second time; an event that failed is recorded when the provider repeats the request.
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
from drip_campaigns.inbound.find_email import find_email, find_latest_to, is_sent_to
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
SAVE_POINT = "drip_provider_event"


class PartlyProcessedError(DripError):
	"""Some of the events that a provider reports could not be recorded."""


@retry_on_deadlock
def process_report(provider: str, request: ProviderRequest, now: datetime) -> int:
	"""Record the events that a provider reports, and return how many were new.

	Events without an email of ours and unknown events have no effect. Raises UnprovenError for an unsigned request, and
	PartlyProcessedError after recording the rest if an event failed, which is logged: the provider then repeats all.
	"""
	module = PROVIDERS[provider]
	try:
		proof = module.verify(request, now)
		payload = request.json()
	except (ValueError, OverflowError) as error:  # not JSON, or not a number
		raise UnprovenError from error
	if proof and _is_processed(provider, proof):
		return 0
	recorded = [_record_isolated(event, provider, now) for event in _with_address(module.read(payload))]
	if None in recorded:
		raise PartlyProcessedError
	if proof:
		frappe.db.after_commit.add(lambda: _remember_processed(provider, proof))
	return sum(recorded)


def _record_isolated(event: ProviderEvent, provider: str, now: datetime) -> bool | None:
	"""Return whether an event was new; None if it failed."""
	frappe.db.savepoint(SAVE_POINT)
	try:
		return _record(event, provider, now)
	except frappe.QueryDeadlockError:
		raise  # the database undid the whole transaction
	except Exception:  # noqa: BLE001 - it is logged and must not stop the other events of the request
		frappe.db.rollback(save_point=SAVE_POINT)
		log_failure(_("Drip Campaigns could not record an event that {0} reports").format(provider))
		return None


def _with_address(reported: Iterator[ProviderEvent]) -> Iterator[ProviderEvent]:
	return (event for event in reported if is_valid(normalize(event.address)))


def _record(event: ProviderEvent, provider: str, now: datetime) -> bool:
	mail = find_email((), [event.message_id]) if event.message_id else None
	if not mail or not is_sent_to(mail, event.address):
		mail = find_latest_to(event.address)  # providers replace our Message-ID
	if not mail:
		return False
	source = f"Webhook of {provider}"
	if event.is_unsubscribe:
		return suppress(
			mail.email_address, SuppressionReason.OPTED_OUT, now, source=source, note=event.detail
		)
	if event.bounce is None:
		return bounces.record_complaint(mail, event.detail, now, source=source)
	return bounces.record_bounce(mail, event.bounce, now, source=source)


def _is_processed(provider: str, proof: str) -> bool:
	try:
		return bool(frappe.cache.get(_key(provider, proof)))
	except redis.RedisError:
		return False


def _remember_processed(provider: str, proof: str) -> None:
	try:
		frappe.cache.set(_key(provider, proof), 1, ex=int(FRESH.total_seconds()))
	except redis.RedisError:
		frappe.logger("drip_campaigns").warning(
			"Redis did not store that a report of %s was processed", provider
		)


def _key(provider: str, proof: str) -> str:
	digest = hashlib.blake2b(proof.encode("utf-8", "replace"), digest_size=16).hexdigest()
	return frappe.cache.make_key(f"drip_campaigns:webhook:{provider}:{digest}")
