"""Tell the visits of bots from those of people. Privacy proxies and link scanners follow links that no person looks at.

In doubt, a visit is a bot's: a rate that is too low does less harm than an email to people who did not do anything.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from crawleruseragents import is_crawler

from drip_campaigns.core.tracking.visits import Visit, VisitKind

# No person reads an email this soon after it was sent. The receiving server scans it at this moment.
TOO_SOON = {VisitKind.OPEN: timedelta(seconds=3), VisitKind.CLICK: timedelta(seconds=10)}
BURST = timedelta(seconds=10)  # a person does not follow BURST_LINKS links of one email in this time
BURST_LINKS = 3
HASTE = timedelta(seconds=1)  # a person does not follow two links in this time

# Apple loads the pictures of all emails through its own network or partners', whether a person looks or not. Servers
# of Microsoft and the security companies follow links before the recipient gets the email. The file says how old it is.
_LINES = Path(__file__).with_name("scanner_networks.txt").read_text(encoding="utf-8").splitlines()
NETWORKS = tuple(line.split()[0] for line in _LINES if not line.startswith("#"))
# These proxies load pictures when the recipient looks: a person's visit, unless it comes too soon.
_PICTURE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|FastmailUA|Shortwave Image Fetcher")
# What crawler-user-agents does not list: Apple's privacy proxy, whose agent is "Mozilla/5.0", and security scanners
_SCANNING_AGENTS = re.compile(
	r"^(?:mozilla/\d\.\d)?$|(?<!cu)bot\b|crawl|spider|scan|preview|monitor|headless|python|curl|java/|httpclient|"
	r"postman|barracuda|mimecast|proofpoint|symantec|trendmicro|safelinks|microsoft office existence|bitdefender|"
	r"sophos|forcepoint|fireeye|cloudmark|virustotal",
	re.IGNORECASE,
)


def find_bots(
	visits: Sequence[Visit],
	sent_at: Mapping[str, datetime | None],
	around: Iterable[Visit] = (),
	networks: Sequence[str] = (),
) -> set[str]:
	"""Return the ids of the bots' visits among `visits`.

	`sent_at`: when each email was sent. `around`: visits shortly before and after, which can belong to the same
	burst. `networks`: the site's own list of bots' networks, in addition to ours.
	"""
	bursts = _find_bursts([*visits, *around])
	known = _parse((*NETWORKS, *networks))
	return {
		visit.id
		for visit in visits
		if visit.id in bursts or _comes_from_bot(visit, known) or _is_too_soon(visit, sent_at.get(visit.mail))
	}


def _comes_from_bot(visit: Visit, networks: tuple) -> bool:
	if visit.is_ahead or _is_bot_agent(visit.agent.strip()):
		return True
	try:
		address = ipaddress.ip_address(visit.network_address)
	except ValueError:
		return False
	return any(address in network for network in networks if network.version == address.version)


@lru_cache(maxsize=4096)
def _is_bot_agent(agent: str) -> bool:
	# The library takes 1 ms per agent, and most visits share a few hundred agents.
	if _SCANNING_AGENTS.search(agent):
		return True
	return is_crawler(agent) and not _PICTURE_PROXIES.search(agent)


def _is_too_soon(visit: Visit, sent_at: datetime | None) -> bool:
	return sent_at is not None and visit.at - sent_at < TOO_SOON[visit.kind]


def _find_bursts(visits: Iterable[Visit]) -> set[str]:
	"""Return the ids of visits that came faster than a person follows the links of one email."""
	by_mail: dict[str, dict[str, Visit]] = {}
	for visit in visits:
		by_mail.setdefault(visit.mail, {})[visit.id] = visit
	found: set[str] = set()
	for own in by_mail.values():
		if len(own) > 1:
			found |= _bursts_of_one(sorted(own.values(), key=lambda visit: visit.at))
	return found


def _bursts_of_one(visits: list[Visit]) -> set[str]:
	found: set[str] = set()
	for number, first in enumerate(visits):
		window = [visit for visit in visits[number:] if visit.at - first.at <= BURST]
		links = {_link(visit) for visit in window if visit.kind is VisitKind.CLICK}
		hasty = {
			_link(visit) for visit in window if visit.kind is VisitKind.CLICK and visit.at - first.at <= HASTE
		}
		if len(links) >= BURST_LINKS:
			found |= {visit.id for visit in window}
		elif len(hasty) > 1:
			found |= {visit.id for visit in window if visit.at - first.at <= HASTE}
	return found


def _link(visit: Visit) -> tuple[str, str]:
	return visit.key, visit.url


def is_network(text: str) -> bool:
	"""Say whether `text` names a network, such as 192.0.2.0/24, or a single address."""
	try:
		ipaddress.ip_network(text, strict=False)
	except ValueError:
		return False
	return True


@lru_cache(maxsize=4)
def _parse(networks: tuple[str, ...]) -> tuple:
	return tuple(ipaddress.ip_network(text, strict=False) for text in networks if is_network(text))
