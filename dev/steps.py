"""Doing the steps of the set-up: side by side where they can, once only, with a line and the seconds for each."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dev import paths, shell


@dataclass(frozen=True)
class Step:
	"""One part of the set-up.

	`fingerprint` returns what the result depends on; while it equals the one of the last success, and `needs`
	have not run anew, the step is skipped. `refreshes` lists steps whose new run makes this one stale.
	"""

	name: str
	title: str
	run: Callable[[], None]
	needs: tuple[str, ...] = ()
	refreshes: tuple[str, ...] = ()
	fingerprint: Callable[[], str] = lambda: "once"
	present: Callable[[], bool] = lambda: True


def stamp_path(name: str) -> Path:
	return paths.CACHE / "steps" / name


def file_fingerprint(*files: Path) -> str:
	"""Return a hash over the names and contents of files; one that is missing counts as empty."""
	digest = hashlib.sha256()
	for file in files:
		digest.update(file.name.encode() + b"\0" + (file.read_bytes() if file.exists() else b"") + b"\0")
	return digest.hexdigest()


class StepRunner:
	"""Run steps in the order of their needs, in parallel; after a failure nothing new is started."""

	def __init__(self, steps: Sequence[Step], say: Callable[[str], None] = print) -> None:
		self.steps = {step.name: step for step in steps}
		self.say = say
		self.ran: set[str] = set()
		self.failed = threading.Event()

	def run_all(self) -> list[str]:
		"""Do what is to be done and return the names of the steps that ran; raise the first StepError."""
		futures: dict[str, Future] = {}
		with ThreadPoolExecutor(max_workers=len(self.steps)) as pool:
			for step in self.steps.values():
				needed = [futures[name] for name in step.needs]
				futures[step.name] = pool.submit(self._run_after, step, needed)
			try:
				self._raise_first(list(futures.values()))
			except BaseException:
				self.failed.set()
				shell.end_running()
				raise
		return [name for name in self.steps if name in self.ran]

	def _raise_first(self, futures: list[Future]) -> None:
		pending = list(futures)
		while pending:
			for future in [future for future in pending if future.done()]:
				future.result()
				pending.remove(future)
			time.sleep(0.05)

	def _run_after(self, step: Step, needed: list[Future]) -> None:
		for future in needed:
			# A need that failed raises in the main thread; here the step just does not start
			if future.exception() is not None:
				return
		if self.failed.is_set() or not self._is_due(step):
			return
		started = time.monotonic()
		# Read before the run: the next run handles later changes
		fingerprint = step.fingerprint()
		stamp_path(step.name).unlink(missing_ok=True)
		try:
			step.run()
		except BaseException:
			self.failed.set()
			raise
		stamp_path(step.name).parent.mkdir(parents=True, exist_ok=True)
		stamp_path(step.name).write_text(fingerprint)
		self.ran.add(step.name)
		self.say(f"  {step.title:<58} {time.monotonic() - started:6.1f} s")

	def _is_due(self, step: Step) -> bool:
		stamp = stamp_path(step.name)
		if any(name in self.ran for name in step.refreshes):
			return True
		return not stamp.exists() or stamp.read_text() != step.fingerprint() or not step.present()
