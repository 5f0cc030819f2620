"""The site's web server for tests, in a process of its own: the same application that a bench serves.

Run as a program it serves: `python -m tests.web SITE PORT`, in the folder of the sites.
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.fakes import LOOPBACK, _free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


class WebServer:
	"""A web server of one site on a free port of this machine."""

	def __init__(self, site: str, sites_path: str) -> None:
		self.site, self.sites_path, self.port = site, sites_path, _free_port()
		self.url = f"http://{LOOPBACK}:{self.port}"
		self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server that writes to it
		self._process: subprocess.Popen | None = None

	def start(self) -> None:
		"""Start and wait until it answers; raise RuntimeError with its log if it does not."""
		environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
		command = [sys.executable, "-m", "tests.web", self.site, str(self.port)]
		self._process = subprocess.Popen(
			command, cwd=self.sites_path, env=environment, stdout=self._log, stderr=subprocess.STDOUT
		)
		deadline = time.monotonic() + START_SECONDS
		while not self._answers():
			if time.monotonic() > deadline or self._process.poll() is not None:
				self._log.seek(0)
				raise RuntimeError(f"the web server does not answer:\n{self._log.read().decode()[-4000:]}")
			time.sleep(0.2)

	def stop(self) -> None:
		"""Stop the process."""
		if self._process:
			self._process.terminate()
			self._process.wait(timeout=10)
		self._log.close()

	def _answers(self) -> bool:
		try:
			with urllib.request.urlopen(f"{self.url}/api/method/ping", timeout=5) as response:
				return response.status == 200
		except (urllib.error.URLError, OSError):
			return False


def serve(site: str, port: int) -> None:
	"""Serve `site` on the loopback address until the process is ended."""
	import frappe.app
	from werkzeug.serving import run_simple

	frappe.app._site = site
	frappe.app._sites_path = "."
	run_simple(LOOPBACK, port, frappe.app.application_with_statics(), threaded=True)


if __name__ == "__main__":
	serve(sys.argv[1], int(sys.argv[2]))
