"""The site's web server for tests, in its own process: the same application that a bench serves.

Run as a program it serves: `python -m tests.web SITE PORT MODULE`, in the folder of the sites; the module has the application.
"""

import http.client
import http.cookiejar
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from tests.fakes import LOOPBACK, _free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Answer:
	"""What the server answered."""

	status: int
	headers: Message
	text: str

	def json(self) -> dict:
		"""Return the answer's JSON."""
		return json.loads(self.text)


class Browser:
	"""Asks the web server as a browser does: it keeps cookies, sends the token against forged requests, and does not
	follow redirects."""

	def __init__(self, url: str) -> None:
		self.url = url
		self.csrf_token = ""
		self.cookies = http.cookiejar.CookieJar()
		self._opener = urllib.request.build_opener(
			urllib.request.HTTPCookieProcessor(self.cookies), _NoRedirect, urllib.request.ProxyHandler({})
		)

	def sign_in(self, user: str, password: str) -> "Browser":
		"""Sign in as `user`, and return this browser."""
		answer = self.post("/api/method/login", {"usr": user, "pwd": password})
		assert answer.status == 200, answer.text
		desks = [self.get(path).text for path in ("/app", "/desk")]  # Frappe 15, Frappe 16
		self.csrf_token = re.search(r'csrf_token\s*=\s*"([^"]+)"', "".join(desks)).group(1)
		return self

	def get(self, path: str, method: str = "GET") -> Answer:
		"""Ask for a path of the site, or a whole address."""
		return self._ask(urllib.request.Request(self._whole(path), method=method))

	def post(self, path: str, form: dict, *, as_json: bool = False, headers: dict | None = None) -> Answer:
		"""Send a form."""
		body = json.dumps(form) if as_json else urllib.parse.urlencode(form)
		request = urllib.request.Request(
			self._whole(path), data=body.encode(), method="POST", headers=headers or {}
		)
		if as_json:
			request.add_header("Content-Type", "application/json")
		if self.csrf_token:
			request.add_header("X-Frappe-CSRF-Token", self.csrf_token)
		return self._ask(request)

	def send(self, path: str, method: str, body: bytes | None = None, headers: dict | None = None) -> Answer:
		"""Send a request with any method and body."""
		return self._ask(urllib.request.Request(self._whole(path), body, headers or {}, method=method))

	def post_raw(self, path: str, body: bytes, content_type: str) -> Answer:
		"""Send a body as it is."""
		return self._ask(
			urllib.request.Request(
				self._whole(path), data=body, method="POST", headers={"Content-Type": content_type}
			)
		)

	def _whole(self, path: str) -> str:
		return urllib.parse.quote(path if path.startswith("http") else self.url + path, safe="/:?=&%")

	def _ask(self, request: urllib.request.Request) -> Answer:
		request.add_header("Accept", "text/html,application/json")
		try:
			with self._opener.open(request, timeout=60) as response:
				return Answer(response.status, response.headers, _text(response))
		except urllib.error.HTTPError as error:
			return Answer(error.code, error.headers, _text(error))


def _text(response: http.client.HTTPResponse | urllib.error.HTTPError) -> str:
	return response.read().decode(errors="replace")  # a picture is no text


class _NoRedirect(urllib.request.HTTPRedirectHandler):
	def redirect_request(self, *_args: object) -> None:
		return None


class WebServer:
	"""A web server of one site on a free port of this machine."""

	def __init__(self, site: str, sites_path: str, module: str = "frappe.app") -> None:
		self.site, self.sites_path, self.module, self.port = site, sites_path, module, _free_port()
		self.url = f"http://{LOOPBACK}:{self.port}"
		self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server that writes to it
		self._process: subprocess.Popen | None = None

	def start(self) -> None:
		"""Start and wait until it answers; raise RuntimeError with its log if it does not."""
		environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
		command = [sys.executable, "-m", "tests.web", self.site, str(self.port), self.module]
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


def serve(site: str, port: int, module: str) -> None:
	"""Serve `site` on the loopback address until the process is ended, by the WSGI application of `module`."""
	import frappe.app
	from werkzeug.serving import run_simple

	frappe.app._site = site
	frappe.app._sites_path = "."
	own = importlib.import_module(module)
	statics = getattr(own, "application_with_statics", lambda: own.application)
	run_simple(LOOPBACK, port, statics(), threaded=True)


if __name__ == "__main__":
	serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
