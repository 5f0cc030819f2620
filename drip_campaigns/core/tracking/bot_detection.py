"""Which visits are a person's: the pure part. Privacy proxies and link scanners follow links that nobody looks at.

In doubt a visit is a machine's: a rate that is too low does less harm than mail to people who have not done anything.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from drip_campaigns.core.tracking.visits import Visit, VisitKind

# Nobody reads an email so soon after it was sent; a server that takes it in looks at it then.
TOO_SOON = {VisitKind.OPEN: timedelta(seconds=3), VisitKind.CLICK: timedelta(seconds=10)}
BURST = timedelta(seconds=10)  # in which a person does not follow so many links of one email:
BURST_LINKS = 3
HASTE = timedelta(seconds=1)  # and in which nobody follows two

# Apple loads the pictures of all emails through its own network (17.0.0.0/8) or partners', whoever looks at them.
# Microsoft's and the security companies' servers look at links before the recipient gets them.
NETWORKS = (
	"17.0.0.0/8",  # Apple
	"40.92.0.0/15",  # Microsoft 365, mail protection
	"40.107.0.0/16",
	"52.100.0.0/14",
	"104.47.0.0/17",
	"2a01:111:f400::/48",
	"207.211.30.0/23",  # Mimecast
	"205.139.110.0/23",
	"67.231.144.0/20",  # Proofpoint
	"148.163.128.0/19",
	"185.132.180.0/22",
	"64.235.144.0/20",  # Barracuda
	"209.222.80.0/21",
	"85.158.136.0/21",  # Symantec / Broadcom Email Security
	"46.226.48.0/21",
)
# The whole agent of Apple's mail privacy proxy is "Mozilla/5.0". Gmail's and Yahoo's picture proxies load when the
# recipient looks, so they are persons unless the moment says otherwise.
_AGENTS = re.compile(
	r"^(?:mozilla/\d\.\d)?$|(?<!cu)bot\b|crawl|spider|scan|preview|monitor|headless|phantom|selenium|python|curl|wget|java/|"
	r"okhttp|go-http|libwww|httpclient|axios|node-fetch|postman|barracuda|mimecast|proofpoint|symantec|trendmicro|"
	r"safelinks|microsoft office existence|bitdefender|sophos|forcepoint|fireeye|cloudmark|virustotal|"
	r"facebookexternalhit|whatsapp|skypeuri",
	re.IGNORECASE,
)


def find_bots(
	visits: Sequence[Visit],
	sent_at: Mapping[str, datetime | None],
	around: Iterable[Visit] = (),
	networks: Sequence[str] = (),
) -> set[str]:
	"""Return the ids of those of `visits` that are a machine's.

	`sent_at` is when each email was sent; `around` are visits shortly before and after, which may belong to the same
	burst; `networks` are known to the site beside ours.
	"""
	bursts = _find_bursts([*visits, *around])
	known = _parse((*NETWORKS, *networks))
	return {
		visit.id
		for visit in visits
		if visit.id in bursts or _shows_itself(visit, known) or _is_too_soon(visit, sent_at.get(visit.mail))
	}


def _shows_itself(visit: Visit, networks: tuple) -> bool:
	if visit.is_ahead or _AGENTS.search(visit.agent.strip()):
		return True
	try:
		address = ipaddress.ip_address(visit.network_address)
	except ValueError:
		return False
	return any(address in network for network in networks if network.version == address.version)


def _is_too_soon(visit: Visit, sent_at: datetime | None) -> bool:
	return sent_at is not None and visit.at - sent_at < TOO_SOON[visit.kind]


def _find_bursts(visits: Iterable[Visit]) -> set[str]:
	"""Return the visits of emails whose links were followed faster than a person does, as long as that lasted."""
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
