"""The site's web server in the demo's time: `python -m dev.demo.web web PORT`, else as `dev.inside.serve`.

What recipients do on its pages happens at the demo's time: each of the app's public pages reads the clock that
`set_clock` has set.
"""

from __future__ import annotations

import sys
from datetime import datetime

from dev import paths

CLOCK = paths.RUN / "demo-clock"


def set_clock(now: datetime) -> None:
	"""Set the web server's time."""
	CLOCK.write_text(now.isoformat())


def read_clock() -> datetime:
	"""Return the demo's time, aware, in UTC."""
	return datetime.fromisoformat(CLOCK.read_text())


def main(arguments: list[str]) -> None:
	from dev.inside import serve  # only the program needs it
	from drip_campaigns.api import public

	for page in public.PAGES.values():
		vars(sys.modules[page.show.__module__])["utc_now"] = read_clock
	serve.main(arguments)


if __name__ == "__main__":
	main(sys.argv[1:])
