"""One visit: somebody, or something, has followed a link or loaded the picture of an email. A line in the buffer."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone

from drip_campaigns.core.model import Label

MAX_AGENT_LENGTH = 300


class VisitKind(Label):
	"""What was done."""

	OPEN = "Opened"
	CLICK = "Clicked"


@dataclass(frozen=True)
class Visit:
	"""What a request tells. Its id becomes the name of its line in the log, so it is counted once."""

	id: str
	kind: VisitKind
	mail: str
	at: datetime  # aware, UTC
	key: str = ""  # which link
	url: str = ""  # where a link leads that is different for each recipient
	agent: str = ""
	network_address: str = ""
	is_ahead: bool = False  # asked for the head only, or ahead of time


def write_visit(visit: Visit) -> str:
	"""Return one line without a line break."""
	return json.dumps(
		[
			*(visit.id, visit.kind.value, visit.mail, visit.at.timestamp(), visit.key, visit.url),
			*(visit.agent[:MAX_AGENT_LENGTH], visit.network_address, visit.is_ahead),
		]
	)


def read_visit(line: str | bytes) -> Visit | None:
	"""Return the visit of a line; None for a line that was cut off or is none of ours."""
	try:
		name, kind, mail, at, *rest = json.loads(line)
		return Visit(str(name), VisitKind(kind), str(mail), datetime.fromtimestamp(at, timezone.utc), *rest)
	except (ValueError, TypeError, OverflowError, OSError):
		return None
