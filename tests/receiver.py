"""A web server for Webhook calls: it records them and gives scripted responses."""

import json
import random
import threading
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import frappe

from tests.fakes import LOOPBACK


class Receiver:
	"""Use it as a context manager; `calls` are the headers and bodies in their order.

	`accepted` says how often a call with each Idempotency-Key was answered 200, `refusals` how many of a hundred get a 500.
	"""

	def __init__(self) -> None:
		self.calls: list[tuple[dict[str, str], Any]] = []
		self.status = 200
		self.is_silent = False  # accepts the call, and closes the connection without a response
		self.ends = threading.Event()  # before it is set, the text of an answer never ends
		self.ends.set()
		self.accepted: Counter[str] = Counter()
		self.refusals, self._random = 0, random.Random(1)

	def __enter__(self) -> "Receiver":
		self._server = ThreadingHTTPServer((LOOPBACK, 0), _make_handler(self))
		self.url = f"http://{LOOPBACK}:{self._server.server_port}/hook"
		threading.Thread(target=self._server.serve_forever, daemon=True).start()
		return self

	def answer(self, key: str | None) -> int:
		"""Return the status of a call, after recording it if it is accepted."""
		status = 500 if self._random.random() * 100 < self.refusals else self.status
		if status == HTTPStatus.OK and key:
			self.accepted[key] += 1
		return status

	def __exit__(self, *_error: object) -> None:
		self.ends.set()
		self._server.shutdown()
		self._server.server_close()


def make_webhook(name: str, url: str, who: str) -> None:
	"""Insert a Webhook on Contact that only campaigns call; its body has the field `who` of the record."""
	frappe.delete_doc("Webhook", name, force=True, ignore_missing=True)
	frappe.get_doc(
		doctype="Webhook",
		name=name,
		__newname=name,
		enabled=0,
		webhook_doctype="Contact",
		webhook_docevent="on_update",
		request_url=url,
		request_method="POST",
		request_structure="JSON",
		webhook_json=f'{{"who": "{{{{ doc.{who} }}}}"}}',
	).insert(set_name=name)


def _make_handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
	class Handler(BaseHTTPRequestHandler):
		def do_POST(self) -> None:
			body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
			receiver.calls.append((dict(self.headers), body))
			if receiver.is_silent:
				return
			self.send_response(receiver.answer(self.headers["Idempotency-Key"]))
			self.send_header("Content-Length", "0" if receiver.ends.is_set() else "9")
			self.end_headers()
			receiver.ends.wait()

		def log_message(self, *_args: object) -> None:
			"""Print no log."""

	return Handler
