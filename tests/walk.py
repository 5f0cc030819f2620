"""Print the files that one enrollment enters from the dispatch to its Email Queue row, in order.

Run it with `make test ARGS="tests/walk.py -s"`; nothing is collected from it otherwise. A call back up is a pair of files
of which the first calls into a folder that comes later in the order of folders (`tests/test_boundaries.py`).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from drip_campaigns.jobs import dispatch_due
from tests import factories
from tests.factories import step
from tests.test_boundaries import ORDER, PACKAGE

ROOT = f"{PACKAGE}/"
PLACES = {folder: place for place, folder in enumerate(ORDER)}


@dataclass
class Walk:
	"""The files of the package in the order in which they were entered, and the calls back up."""

	files: list[str] = field(default_factory=list)
	calls_up: list[tuple[str, str]] = field(default_factory=list)

	def enter(self, frame: FrameType, event: str, _argument: object) -> None:
		"""Record a call, as `sys.setprofile` reports it."""
		called = find_file(frame) if event == "call" and frame.f_code.co_name != "<module>" else None
		if called is None:
			return
		if called not in self.files:
			self.files.append(called)
		caller = find_caller(frame)
		if caller and place_of(called) > place_of(caller) and (caller, called) not in self.calls_up:
			self.calls_up.append((caller, called))


def find_file(frame: FrameType) -> str | None:
	"""Return the file of a frame inside the package, or None for a frame of other code."""
	name = frame.f_code.co_filename
	return name[len(ROOT) :] if name.startswith(ROOT) else None


def find_caller(frame: FrameType) -> str | None:
	"""Return the file of the package that a frame was called from, also through other code."""
	outer = frame.f_back
	while outer and not find_file(outer):
		outer = outer.f_back
	return find_file(outer) if outer else None


def place_of(file: str) -> int:
	"""Return the place of a file's folder in the order of folders."""
	return PLACES.get(file.split("/")[0], len(PLACES))


@contextmanager
def record_walk() -> Iterator[Walk]:
	"""Record what is called meanwhile."""
	walk = Walk()
	sys.setprofile(walk.enter)
	try:
		yield walk
	finally:
		sys.setprofile(None)


def test_walk_of_one_enrollment_from_the_dispatch_to_the_email_queue(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	factories.enroll(campaign, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)  # fills the caches
	factories.enroll(campaign, factories.make_contact(), clock)

	with record_walk() as walk:
		assert dispatch_due.dispatch(clock.now, enqueue_delivery=False) == 1

	print(f"\n{len(walk.files)} files:", *walk.files, sep="\n\t")
	print(f"{len(walk.calls_up)} calls back up:", *(" -> ".join(pair) for pair in walk.calls_up), sep="\n\t")
