"""Webhooks call public servers only: not this machine, its network, or what a name turns out to be a moment later."""

import socket

import frappe
import pytest
import requests
from urllib3.connection import HTTPConnection

from drip_campaigns.actions import public_http
from drip_campaigns.actions.public_http import ForbiddenHostError
from tests import factories
from tests.receiver import Receiver

NOT_PUBLIC = [
	"127.0.0.1",
	"127.1",
	"2130706433",
	"0x7f000001",
	"0.0.0.0",
	"localhost",
	"anything.localhost",
	"10.0.0.7",
	"192.168.1.1",
	"172.16.0.1",
	"100.64.0.1",
	"169.254.169.254",
	"[::1]",
	"[::]",
	"[::ffff:127.0.0.1]",
	"[64:ff9b::7f00:1]",
	"[2002:7f00:1::]",
	"[fe80::1]",
	"[fd00::1]",
	"224.0.0.1",
	"user:password@127.0.0.1",
]


@pytest.fixture
def receiver(site, monkeypatch):
	"""A server on this machine, of a site that allows no host that is not public."""
	monkeypatch.setitem(frappe.local.conf, "drip_webhook_hosts", [])
	with Receiver() as running:
		yield running


@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_server_that_is_not_public_is_not_called(receiver, host):
	port = receiver.url.rpartition(":")[2]

	with pytest.raises(ForbiddenHostError, match="drip_webhook_hosts"):
		public_http.request("POST", f"http://{host}:{port}", data="{}", timeout=2)

	assert receiver.calls == []


def test_name_that_turns_into_this_machine_after_the_check_is_not_called(receiver, monkeypatch):
	port = int(receiver.url.rpartition(":")[2].partition("/")[0])
	real, answers = socket.getaddrinfo, iter(["93.184.216.34", "127.0.0.1"])

	def rebind(host, *args, **options):
		return real(next(answers) if host == "rebinding.example" else host, *args, **options)

	monkeypatch.setattr(socket, "getaddrinfo", rebind)

	with pytest.raises(requests.ConnectionError, match="not a public address"):
		public_http.request("POST", f"http://rebinding.example:{port}/hook", data="{}", timeout=2)

	assert receiver.calls == []


def test_redirect_is_not_followed(receiver, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "drip_webhook_hosts", ["127.0.0.1"])
	receiver.status = 302

	with public_http.request("POST", receiver.url, data="{}", timeout=5) as response:
		assert response.status_code == 302

	assert len(receiver.calls) == 1


def test_public_server_is_called_with_its_own_name(monkeypatch, receiver):
	reached = []

	def connect(self):
		reached.append(self.host)
		raise OSError("no network here")

	monkeypatch.setattr(HTTPConnection, "connect", connect)

	with pytest.raises((requests.RequestException, OSError)):
		public_http.request("POST", "http://93.184.216.34/hook", data="{}", timeout=2)

	assert reached == ["93.184.216.34"]


def test_host_that_the_site_allows_is_called(receiver, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "drip_webhook_hosts", ["127.0.0.1"])

	public_http.request("POST", receiver.url, data="{}", timeout=5).close()

	assert len(receiver.calls) == 1


def test_campaign_with_a_webhook_to_this_machine_is_refused(receiver):
	frappe.delete_doc("Webhook", "Drip Test Loopback", force=True, ignore_missing=True)
	frappe.get_doc(
		doctype="Webhook",
		name="Drip Test Loopback",
		__newname="Drip Test Loopback",
		enabled=0,
		webhook_doctype="Contact",
		webhook_docevent="on_update",
		request_url=receiver.url,
		request_method="POST",
		request_structure="JSON",
		webhook_json="{}",
	).insert(set_name="Drip Test Loopback")
	call = {
		"step_type": "Action",
		"action": "Call Webhook",
		"webhook": "Drip Test Loopback",
		"send_after_days": 0,
	}

	with pytest.raises(frappe.ValidationError, match=r"calls 127\.0\.0\.1, which is not a public server"):
		factories.make_campaign(factories.step(0), call)

	frappe.delete_doc("Webhook", "Drip Test Loopback", force=True)
