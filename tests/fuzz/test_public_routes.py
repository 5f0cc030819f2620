"""Requests of strangers to the public routes: a response of ours, and nothing changes."""

import urllib.parse

import frappe
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from drip_campaigns.api.public import PAGES, VISITS, WEBHOOKS, PublicPages
from drip_campaigns.rendering.links import Links
from tests import factories
from tests.core.test_tokens import mutate
from tests.fuzz.depth import examples
from tests.fuzz.hostile import texts, trees

NAMES = (*PAGES, *VISITS)
TABLES = (
	"Drip Enrollment",
	"Drip Email",
	"Drip Event",
	"Drip Suppression",
	"Drip Consent",
	"Email Unsubscribe",
	"Email Queue",
)
OURS = {200, 302, 400, 403, 404, 405, 410, 413, 422, 429}


@pytest.fixture
def enrollment(site, clock, campaign):
	"""Somebody who was sent an email."""
	found = factories.enroll(campaign, factories.make_contact("Ada"), clock)
	factories.run(clock)
	return found


def respond(method: str, path: str, form: dict | None = None, body: bytes = b"", headers: dict | None = None):
	"""Return the response of the public pages to a request, and forget the request."""
	data = {"data": form} if form else {"input_stream": None, "data": body}
	builder = EnvironBuilder(
		path="/", method=method, headers=headers, **{k: v for k, v in data.items() if v is not None}
	)
	before = getattr(frappe.local, "request", None), frappe.local.form_dict, frappe.local.lang
	frappe.local.request = Request(builder.get_environ())
	frappe.local.request.path = path
	frappe.local.form_dict = frappe._dict(form or {})
	try:
		pages = PublicPages(path)
		return pages.render() if pages.can_render() else None
	finally:
		frappe.local.request, frappe.local.form_dict, frappe.local.lang = before


def fingerprint() -> list[tuple]:
	"""Return what the tables of people hold."""
	latest = {
		table: frappe.get_all(table, fields=["name", "modified"], order_by="modified desc", limit=1)
		for table in TABLES
	}
	return [(table, factories.count(table), latest[table]) for table in TABLES]


forms = st.dictionaries(
	st.sampled_from(("action", "scope", "reason", "comment", "new_address", "language", "seen", "x")),
	texts,
	max_size=5,
)


@examples(60)
@given(
	st.sampled_from(NAMES), st.randoms(use_true_random=False), st.sampled_from(("GET", "POST", "HEAD")), forms
)
def test_token_that_nobody_signed_opens_nothing(enrollment, name, chance, method, form):
	token = mutate(Links().unsubscribe(enrollment.name).rpartition("/")[2], chance)
	if token in Links().unsubscribe(enrollment.name):
		return
	before = fingerprint()

	response = respond(method, f"/drip/{name}/{token}", form if method == "POST" else None)

	assert response.status_code in (404, 429)
	assert fingerprint() == before


@examples(60)
@given(forms)
def test_form_with_a_good_token_never_fails(enrollment, form):
	path = urllib.parse.urlsplit(Links().unsubscribe(enrollment.name)).path
	frappe.cache.delete_keys("drip-page-limit")
	try:
		response = respond("POST", path, form)
	finally:
		frappe.db.rollback()  # the page begins a transaction of its own

	assert response.status_code in OURS
	assert "<script" not in response.get_data(as_text=True).lower()
	assert "onerror=alert" not in response.get_data(as_text=True) or "&lt;" in response.get_data(as_text=True)


@examples(60)
@given(st.sampled_from(sorted(WEBHOOKS)), st.one_of(st.binary(max_size=500), trees.map(repr).map(str.encode)), st.dictionaries(
	st.sampled_from(("X-Webhook-Secret", "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp")),
	st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=90),
	max_size=3,
))  # fmt: skip
def test_webhook_without_proof_is_refused(site, name, body, headers):
	frappe.cache.delete_keys("drip-page-limit")

	response = respond("POST", f"/drip/{name}", body=body, headers=headers)

	assert response.status_code in (400, 403)
