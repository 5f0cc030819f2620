"""A visit: a person or a bot followed a link or loaded the picture of an email. One line in the buffer."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone

from drip_campaigns.core.model import Label

MAX_AGENT_LENGTH = 300


class VisitKind(Label):
	"""What the visitor did."""

	OPEN = "Opened"
	CLICK = "Clicked"


@dataclass(frozen=True)
class Visit:
	"""What a request contains. The id becomes the name of its row in the log, so a visit counts once."""

	id: str
	kind: VisitKind
	mail: str
	at: datetime  # aware, UTC
	key: str = ""  # which link
	url: str = ""  # the target of a link that differs by recipient
	agent: str = ""
	network_address: str = ""
	is_ahead: bool = False  # a HEAD request, or a prefetch


def write_visit(visit: Visit) -> str:
	"""Return a visit as one line, without a line break."""
	return json.dumps(
		[
			*(visit.id, visit.kind.value, visit.mail, visit.at.timestamp(), visit.key, visit.url),
			*(visit.agent[:MAX_AGENT_LENGTH], visit.network_address, visit.is_ahead),
		]
	)


def read_visit(line: str | bytes) -> Visit | None:
	"""Return the visit of a line; None for a line that is incomplete or not ours."""
	try:
		name, kind, mail, at, *rest = json.loads(line)
		return Visit(str(name), VisitKind(kind), str(mail), datetime.fromtimestamp(at, timezone.utc), *rest)
	except (ValueError, TypeError, OverflowError, OSError):
		return None
