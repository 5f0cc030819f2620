"""Count the opens and clicks that wait in the buffer: they become events of the log, in batches, each exactly once.

An event names the person only if the email's tracking mode allows it and the person has not refused since. The lines
stay in the buffer until their batch is committed, so a killed worker loses none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import frappe
import redis
from frappe import _

from drip_campaigns.core.model import EmailStatus
from drip_campaigns.core.tracking.bot_detection import BURST, find_bots
from drip_campaigns.core.tracking.tracking_mode import TrackingMode
from drip_campaigns.core.tracking.visits import Visit, VisitKind, read_visit
from drip_campaigns.db.dialect import select_in
from drip_campaigns.db.events import record_events
from drip_campaigns.jobs.batches import run_transaction
from drip_campaigns.outbox.settle import settle_in_doubt
from drip_campaigns.people.addresses import normalize
from drip_campaigns.people.preferences import find_tracking_refused
from drip_campaigns.site.clock import from_site, to_site
from drip_campaigns.site.settings import bot_networks
from drip_campaigns.stats import visit_buffer
from drip_campaigns.stats.visit_totals import Total, add_to_emails, add_to_urls

BATCH = 2000
BATCHES_A_RUN = 100
SIGHT = 500  # lines after a batch in which its bursts may go on
_MAIL_FIELDS = (
	*("name", "enrollment", "campaign", "step", "email_address", "tracking_mode"),
	*("sent_at", "queued_at", "status"),
)
_URL_FIELDS = ("name", "url_name", "url", "campaign", "step")


@dataclass(frozen=True)
class Counted:
	"""A visit with its email and its link."""

	visit: Visit
	mail: frappe._dict | None  # None when the email is gone
	url: frappe._dict | None  # the link, of a click
	is_bot: bool
	is_personal: bool


def count_visits(now: datetime) -> int:
	"""Count every visit that is older than a burst lasts; return how many. Commits after each batch."""
	total = 0
	for _number in range(BATCHES_A_RUN):
		try:
			counted, is_done = run_transaction(partial(_count_batch, now))
		except redis.RedisError:
			frappe.logger("drip_campaigns").warning(
				"Redis cannot be read: visits are counted by the next run"
			)
			return total
		total += counted
		if is_done:
			break
	return total


def _count_batch(now: datetime) -> tuple[int, bool]:
	lines = visit_buffer.read(BATCH + SIGHT)
	visits = [read_visit(line) for line in lines]
	ripe = _count_ripe(visits, now)
	if not ripe:
		return 0, True
	own = {visit.id: visit for visit in visits[:ripe] if visit}
	around = [*visit_buffer.read_recent(), *filter(None, visits[ripe:])]
	events = record(_without_known(list(own.values())), around, now)
	last = max((visit.at for visit in own.values()), default=now)
	recent = [
		line for line, visit in zip(lines[:ripe], visits, strict=False) if visit and last - visit.at <= BURST
	]
	frappe.db.after_commit.add(partial(visit_buffer.remove_counted, lines[:ripe], recent[-SIGHT:]))
	return events, ripe < BATCH


def _count_ripe(visits: Sequence[Visit | None], now: datetime) -> int:
	"""Return how many of the first lines are old enough to show whether they belong to a burst."""
	for number, visit in enumerate(visits[:BATCH]):
		if visit and now - BURST < visit.at <= now + timedelta(days=1):
			return number
	return min(len(visits), BATCH)


def _without_known(visits: list[Visit]) -> list[Visit]:
	"""Drop visits that a worker counted and did not remove from the buffer before it stopped."""
	known = {row.name for row in select_in("Drip Event", ["name"], "name", [visit.id for visit in visits])}
	return [visit for visit in visits if visit.id not in known]


def record(visits: Sequence[Visit], around: Sequence[Visit], now: datetime) -> int:
	"""Write visits to the log and the totals; return how many events were written."""
	if not visits:
		return 0
	mails = {row.name: row for row in _load_mails({visit.mail for visit in visits})}
	urls = {row.name: row for row in select_in("Drip Tracking URL", _URL_FIELDS, "name", _keys(visits))}
	sent_at = {name: from_site(mail.sent_at or mail.queued_at) for name, mail in mails.items()}
	bots = find_bots(visits, sent_at, around, bot_networks())
	refused = find_tracking_refused(mail.email_address for mail in mails.values())
	counted = list(_classify(visits, mails, urls, bots, refused))
	record_events([_event(one) for one in counted], to_site(now))
	add_to_emails([_total(one, one.mail.name) for one in counted if one.is_personal], to_site(now))
	add_to_urls([_total(one, one.url.name) for one in counted if one.url])
	seen = {one.mail.name for one in counted if one.is_personal and not one.is_bot and _is_in_doubt(one.mail)}
	settle_in_doubt(sorted(seen), now, _("The recipient opened it."))
	return len(counted)


def _is_in_doubt(mail: frappe._dict) -> bool:
	return mail.status == EmailStatus.IN_DOUBT.value


def _load_mails(names: set[str]) -> list[frappe._dict]:
	return select_in("Drip Email", _MAIL_FIELDS, "name", sorted(names))


def _keys(visits: Sequence[Visit]) -> list[str]:
	return sorted({visit.key for visit in visits if visit.key})


def _classify(
	visits: Sequence[Visit], mails: dict, urls: dict, bots: set[str], refused: set[str]
) -> Iterator[Counted]:
	for visit in visits:
		mail, url = mails.get(visit.mail), urls.get(visit.key)
		if visit.kind is VisitKind.CLICK and not _belongs(url, mail):
			continue  # a link of another email: somebody put the address together by hand
		if mail is None and url is None or mail and mail.tracking_mode == TrackingMode.NONE.value:
			continue
		is_personal = (
			mail is not None
			and mail.tracking_mode == TrackingMode.INDIVIDUAL.value
			and normalize(mail.email_address or "") not in refused
		)
		yield Counted(visit, mail, url, visit.id in bots, is_personal)


def _belongs(url: frappe._dict | None, mail: frappe._dict | None) -> bool:
	return url is not None and (not url.step or mail is None or url.step == mail.step)


def _event(one: Counted) -> dict:
	"""Return the event; one that is not personal names the link and the step, but no person."""
	mail, url, visit = one.mail or frappe._dict(), one.url or frappe._dict(), one.visit
	link = url.url_name or url.url
	event = {
		"name": visit.id,
		"event_type": visit.kind.value,
		"occurred_at": to_site(visit.at),
		"detail": link,
		"link": link and link[:500],
		"tracking_url": url.name,
		"is_bot": int(one.is_bot),
		"campaign": mail.campaign or url.campaign,
		"step": mail.step or url.step,
	}
	if one.is_personal:
		event |= {
			"detail": visit.url or url.url,
			"enrollment": mail.enrollment,
			"drip_email": mail.name,
			"email_address": mail.email_address,
		}
	return event


def _total(one: Counted, name: str) -> Total:
	return Total(name, one.visit.kind, one.is_bot, to_site(one.visit.at))
