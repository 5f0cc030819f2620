"""A web server that a Webhook calls: it notes what arrives, and answers as told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes import LOOPBACK


class Receiver:
	"""Use it as a context manager; `calls` are the headers and bodies in their order."""

	def __init__(self) -> None:
		self.calls: list[tuple[dict[str, str], Any]] = []
		self.status = 200
		self.is_silent = False  # takes the call, and hangs up without an answer

	def __enter__(self) -> "Receiver":
		self._server = ThreadingHTTPServer((LOOPBACK, 0), _make_handler(self))
		self.url = f"http://{LOOPBACK}:{self._server.server_port}/hook"
		threading.Thread(target=self._server.serve_forever, daemon=True).start()
		return self

	def __exit__(self, *_error: object) -> None:
		self._server.shutdown()
		self._server.server_close()


def _make_handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
	class Handler(BaseHTTPRequestHandler):
		def do_POST(self) -> None:
			body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
			receiver.calls.append((dict(self.headers), body))
			if receiver.is_silent:
				return
			self.send_response(receiver.status)
			self.send_header("Content-Length", "0")
			self.end_headers()

		def log_message(self, *_args: object) -> None:
			"""Say nothing."""

	return Handler
