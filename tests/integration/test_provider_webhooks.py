"""Webhooks of mail providers over HTTP: signed as each of them signs, and as a stranger would."""

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import frappe
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from drip_campaigns.api.public import PublicPages
from drip_campaigns.core.inbound.provider_events import UnprovenError
from drip_campaigns.inbound import bounces, webhooks
from drip_campaigns.inbound.providers import brevo, mailgun, postmark, sendgrid, ses
from drip_campaigns.inbound.providers.request import ProviderRequest
from drip_campaigns.site.clock import utc_now
from tests import factories
from tests.factories import DOMAIN, step
from tests.web import Browser

SECRET = "a long random text"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-x.pem"
KEY = ec.generate_private_key(ec.SECP256R1())
AMAZON = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def ada(web):
	"""Somebody who was sent the first email of a campaign, on a site that knows the providers' secrets."""
	public = KEY.public_key().public_bytes(
		serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
	)
	settings = frappe.get_doc("Drip Settings")
	settings.update(
		{
			"postmark_secret": SECRET,
			"brevo_secret": SECRET,
			"mailgun_signing_key": SECRET,
			"sendgrid_public_key": base64.b64encode(public).decode(),
			"ses_topics": TOPIC,
		}
	)
	settings.save()
	clock = factories.Clock(utc_now())
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	enrollment = factories.enroll(campaign, factories.make_contact("Ada", f"ada@{DOMAIN}"), clock)
	factories.run(clock)
	frappe.cache.delete_keys("drip_campaigns:webhook")
	return enrollment


def mail_of(enrollment):
	"""Return the enrollment's Drip Email as it is now."""
	frappe.db.rollback()
	return frappe.get_last_doc("Drip Email", {"enrollment": enrollment.name})


def post(web: str, provider: str, payload: object, headers: dict | None = None, body: bytes = b"") -> int:
	"""Send a webhook and return the status of the answer."""
	body = body or json.dumps(payload).encode()
	request = urllib.request.Request(f"{web}/drip/webhook/{provider}", data=body, method="POST")
	for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
		request.add_header(name, value)
	return Browser(web)._ask(request).status


def mailgun_event(mail, *, key: str = SECRET, at: float | None = None, event: str = "failed") -> dict:
	"""Return what Mailgun sends about an email that failed for good."""
	stamp, token = str(int(at or time.time())), frappe.generate_hash(length=50)
	signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
	return {
		"signature": {"timestamp": stamp, "token": token, "signature": signature},
		"event-data": {
			"event": event,
			"severity": "permanent",
			"reason": "bounce",
			"recipient": mail.email_address,
			"message": {"headers": {"message-id": mail.message_id}},
			"delivery-status": {"code": 550, "message": "5.1.1 The email account does not exist"},
		},
	}


def signed_by_sendgrid(body: bytes, at: float | None = None, key=KEY) -> dict[str, str]:
	"""Return the headers with which SendGrid signs a body."""
	stamp = str(int(at or time.time()))
	signature = key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
	return {sendgrid.TIMESTAMP: stamp, sendgrid.SIGNATURE: base64.b64encode(signature).decode()}


def sns(message: dict, key=AMAZON, **changes: str) -> dict:
	"""Return a message as Amazon's notification service signs it."""
	wrapped = {
		"Type": "Notification",
		"MessageId": frappe.generate_hash(length=20),
		"TopicArn": TOPIC,
		"Message": json.dumps(message),
		"Timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
		"SignatureVersion": "2",
		"SigningCertURL": CERTIFICATE,
		**changes,
	}
	names = ses._NOTIFICATION if wrapped["Type"] == "Notification" else ses._CONFIRMATION
	text = "".join(f"{name}\n{wrapped[name]}\n" for name in names if name in wrapped)
	signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
	return {**wrapped, "Signature": base64.b64encode(signature).decode()}


def publish_certificate() -> None:
	"""Put the certificate of our Amazon where the web server keeps the real one."""
	name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
	start = datetime.now(timezone.utc) - timedelta(days=1)
	certificate = (
		x509.CertificateBuilder(name, name, AMAZON.public_key(), 1, start, start + timedelta(days=9))
	).sign(AMAZON, hashes.SHA256())
	pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
	frappe.cache.set_value(f"drip_campaigns:sns:{CERTIFICATE}", pem, expires_in_sec=600)


def ses_bounce(mail, kind: str = "Permanent") -> dict:
	"""Return what SES reports about a bounce."""
	return {
		"notificationType": "Bounce",
		"bounce": {
			"bounceType": kind,
			"bouncedRecipients": [
				{"emailAddress": mail.email_address, "status": "5.1.1", "diagnosticCode": "550"}
			],
		},
		"mail": {"headers": [{"name": "Message-ID", "value": f"<{mail.message_id}>"}]},
	}


def was_suppressed(enrollment) -> bool:
	"""Say whether the address of an enrollment gets nothing more, and the enrollment has ended."""
	frappe.db.rollback()
	reason = frappe.db.get_value("Drip Suppression", {"email_address": enrollment.email_address}, "reason")
	enrollment.reload()
	return bool(reason) and (enrollment.exit_reason or "Opted Out") == reason


def test_mailgun(web, ada):
	event = mailgun_event(mail_of(ada))
	refused = [
		post(web, "mailgun", mailgun_event(mail_of(ada), key="another")),
		post(web, "mailgun", mailgun_event(mail_of(ada), at=time.time() - 3 * 86400)),
		post(web, "mailgun", {**event, "signature": {**event["signature"], "timestamp": "0"}}),
		post(web, "mailgun", {"signature": []}),
	]
	untouched = not was_suppressed(ada)

	answers = [post(web, "mailgun", event) for _ in range(2)]

	assert (refused, untouched, answers) == ([403] * 4, True, [200, 200])
	assert was_suppressed(ada)
	assert factories.count("Drip Event", event_type="Bounced") == 1


def test_sendgrid(web, ada):
	mail = mail_of(ada)
	events = [
		{"event": "delivered", "email": mail.email_address},
		{"event": "invented", "email": mail.email_address},
		{"event": "bounce", "type": "bounce", "email": mail.email_address, "smtp-id": f"<{mail.message_id}>",
		 "status": "5.1.1", "reason": "550 no such user"},
	]  # fmt: skip
	body = json.dumps(events).encode()
	refused = [
		post(web, "sendgrid", None, signed_by_sendgrid(body + b" "), body),
		post(
			web, "sendgrid", None, signed_by_sendgrid(body, key=ec.generate_private_key(ec.SECP256R1())), body
		),
		post(web, "sendgrid", None, signed_by_sendgrid(body, at=time.time() - 3 * 86400), body),
		post(web, "sendgrid", None, {}, body),
	]
	untouched = not was_suppressed(ada)

	answer = post(web, "sendgrid", None, signed_by_sendgrid(body), body)

	assert (refused, untouched, answer) == ([403] * 4, True, 200)
	assert was_suppressed(ada)


@pytest.mark.parametrize(
	("provider", "payload"),
	[
		("postmark", {"RecordType": "Bounce", "Type": "HardBounce", "Email": f"ada@{DOMAIN}", "Details": "550"}),
		("postmark", {"RecordType": "SpamComplaint", "Email": f"ada@{DOMAIN}"}),
		("brevo", {"event": "hard_bounce", "email": f"ada@{DOMAIN}", "reason": "user unknown"}),
		("brevo", {"event": "spam", "email": f"ADA@{DOMAIN}"}),
		("brevo", {"event": "unsubscribed", "email": f"ada@{DOMAIN}"}),
		("postmark", {"RecordType": "SubscriptionChange", "Recipient": f"ada@{DOMAIN}", "SuppressSending": True,
			"SuppressionReason": "ManualSuppression", "Origin": "Recipient"}),
	],
)  # fmt: skip
def test_postmark_and_brevo_carry_a_secret(web, ada, provider, payload):
	refused = [post(web, provider, payload, {"X-Webhook-Secret": secret}) for secret in ("", "wrong", "ä")]
	untouched = not was_suppressed(ada)

	answers = [post(web, provider, payload, {"X-Webhook-Secret": SECRET}) for _ in range(2)]

	assert (refused, untouched, answers) == ([403] * 3, True, [200] * 2)
	assert was_suppressed(ada)
	told = ("Bounced", "Complained", "Unsubscribed")
	assert factories.count("Drip Event", event_type=("in", told)) == 1


def test_amazon_ses(web, ada):
	publish_certificate()
	good = sns(ses_bounce(mail_of(ada)))
	stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
	refused = [
		post(web, "ses", {**good, "Message": good["Message"].replace("5.1.1", "5.1.2")}),
		post(web, "ses", sns(ses_bounce(mail_of(ada)), key=stranger)),
		post(web, "ses", sns(ses_bounce(mail_of(ada)), TopicArn="arn:aws:sns:eu-west-1:666:mine")),
		post(web, "ses", sns(ses_bounce(mail_of(ada)), SigningCertURL="https://sns.evil.example/x.pem")),
		post(web, "ses", sns(ses_bounce(mail_of(ada)), SigningCertURL=f"http://{CERTIFICATE[8:]}")),
		post(web, "ses", sns(ses_bounce(mail_of(ada)), SignatureVersion="9")),
		post(web, "ses", sns(ses_bounce(mail_of(ada)), Timestamp="2020-01-01T00:00:00.000Z")),
	]
	untouched = not was_suppressed(ada)

	answers = [
		post(web, "ses", None, {"Content-Type": "text/plain"}, json.dumps(good).encode()) for _ in range(2)
	]

	assert (refused, untouched, answers) == ([403] * 7, True, [200, 200])
	assert was_suppressed(ada)


def ses_report(kind: str, subtype: str, **recipient: str) -> dict:
	"""Return a notification of SES as its documentation shows it."""
	bounce = {"bounceType": kind, "bounceSubType": subtype, "bouncedRecipients": [recipient]}
	return {"Type": "Notification", "Message": json.dumps({"notificationType": "Bounce", "bounce": bounce})}


@pytest.mark.parametrize("kind", [("Transient", "General"), ("Undetermined", "Undetermined")])
def test_amazon_ses_without_a_diagnosis_counts_toward_no_series(kind):
	[event] = ses.read(ses_report(*kind, emailAddress=f"ada@{DOMAIN}"))

	assert event.bounce.severity.value == "Soft"
	assert not event.bounce.counts


def test_reports_that_come_twice_or_in_another_order_change_nothing_twice(web, ada):
	mail = mail_of(ada)
	hard, soft = mailgun_event(mail), mailgun_event(mail)
	soft["event-data"] |= {
		"severity": "temporary",
		"delivery-status": {"code": 452, "message": "4.2.2 mailbox full"},
	}

	first = post(web, "mailgun", hard)
	again = [post(web, "mailgun", report) for report in (hard, soft, mailgun_event(mail), soft)]
	frappe.db.rollback()

	assert first == 200
	assert set(again) == {200}
	assert mail_of(ada).bounce == "Hard"
	assert factories.count("Drip Event", event_type="Bounced", drip_email=mail.name) == 1
	assert factories.count("Drip Event", event_type="Suppressed", email_address=ada.email_address) == 1
	assert factories.count("Drip Suppression") == 1


def test_subscription_is_confirmed_to_amazon_and_nobody_else(ada, monkeypatch):
	publish_certificate()
	asked = []
	monkeypatch.setattr(ses, "_fetch", lambda address: asked.append(address) or "")  # the network

	def confirm(url: str) -> None:
		message = sns({}, Type="SubscriptionConfirmation", Token="t", SubscribeURL=url)
		ses.verify(ProviderRequest({}, json.dumps(message).encode()), utc_now())

	confirm("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t")
	for url in (
		"https://evil.example/?sns.eu-west-1.amazonaws.com",
		"https://sns.eu-west-1.amazonaws.com@evil.example/",
		"https://sns.eu-west-1.amazonaws.com.evil.example/",
		"http://sns.eu-west-1.amazonaws.com/",
		"file:///etc/passwd",
	):
		with pytest.raises(UnprovenError):
			confirm(url)

	assert asked == ["https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"]


def test_oversized_and_senseless_requests_change_nothing(web, ada):
	secret = {"X-Webhook-Secret": SECRET}

	statuses = [
		post(
			web,
			"postmark",
			None,
			{**secret, "Content-Type": "text/plain"},
			b"x" * (webhooks.LARGEST_BODY + 1),
		),
		post(web, "postmark", ["a", 1, None], secret),
		post(
			web,
			"brevo",
			[None, "x", {"event": ["hard_bounce"]}, {"event": "hard_bounce", "email": 7}],
			secret,
		),
		post(web, "brevo", {"event": "hard_bounce", "email": "never@written.example"}, secret),
		post(web, "mailgun", None, {"Content-Type": "text/plain"}, b"[" * 200_000),
		post(web, "unknown", {}, secret),
		Browser(web).get("/drip/webhook/postmark").status,
	]

	assert statuses == [413, 200, 200, 200, 403, 404, 405]
	assert factories.count("Drip Suppression") == 0


@pytest.mark.parametrize(
	"body", [b"{", b"not json", b"5", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000, b"NaN"]
)
@pytest.mark.parametrize("provider", ["mailgun", "postmark"])
def test_body_that_is_not_json_gets_a_response_of_ours(web, ada, provider, body):
	before = factories.count("Error Log")

	answer = Browser(web).post_raw(f"/drip/webhook/{provider}", body, "application/json")

	frappe.db.rollback()
	assert answer.status == 400
	assert answer.headers["Content-Type"].startswith("text/plain")
	assert "Traceback" not in answer.text and "exception" not in answer.text
	assert factories.count("Error Log") == before
	assert not was_suppressed(ada)


def test_body_without_a_length_that_is_too_large_is_refused(web, ada):
	connection = http.client.HTTPConnection(urlsplit(web).netloc, timeout=60)
	chunks = (b'{"x": "' if number == 0 else b"x" * 100_000 for number in range(12))

	connection.request("POST", "/drip/webhook/mailgun", body=chunks, encode_chunked=True, headers={
		"Content-Type": "text/plain", "Transfer-Encoding": "chunked",
	})  # fmt: skip

	assert connection.getresponse().status in (403, 413)  # 403: the server passed on nothing of it


def test_site_without_secrets_takes_nothing(web, ada):
	frappe.db.delete("__Auth", {"doctype": "Drip Settings"})
	frappe.db.delete("Singles", {"doctype": "Drip Settings"})
	frappe.db.commit()
	body = json.dumps([{"event": "bounce", "email": ada.email_address}]).encode()

	statuses = [
		post(
			web,
			"postmark",
			{"RecordType": "SpamComplaint", "Email": ada.email_address},
			{"X-Webhook-Secret": ""},
		),
		post(web, "brevo", {}, {"X-Webhook-Secret": "x"}),
		post(web, "mailgun", mailgun_event(mail_of(ada), key="")),
		post(web, "sendgrid", None, signed_by_sendgrid(body), body),
		post(web, "ses", sns(ses_bounce(mail_of(ada)))),
	]

	assert statuses == [403] * 5
	assert not was_suppressed(ada)


def test_soft_bounces_and_news_of_no_weight_suppress_nobody():
	soft = [
		*postmark.read({"RecordType": "Bounce", "Type": "SoftBounce", "Email": "a@b.example", "Details": "full"}),
		*brevo.read([{"event": "soft_bounce", "email": "a@b.example", "reason": "mailbox full"}]),
		*mailgun.read({"event-data": {"event": "failed", "severity": "permanent", "reason": "bounce", "recipient": "a@b.example",
			"delivery-status": {"code": 552, "message": "5.2.2 over quota"}}}),
		*sendgrid.read([{"event": "bounce", "type": "blocked", "email": "a@b.example", "status": "5.7.1", "reason": "spam"}]),
		*ses.read({"Type": "Notification", "Message": json.dumps({"notificationType": "Bounce", "bounce": {
			"bounceType": "Transient", "bouncedRecipients": [{"emailAddress": "a@b.example"}]}})}),
	]  # fmt: skip
	nothing = [
		*postmark.read({"RecordType": "Open", "Email": "a@b.example"}),
		*brevo.read({"event": "deferred", "email": "a@b.example"}),
		*mailgun.read(
			{"event-data": {"event": "failed", "severity": "temporary", "recipient": "a@b.example"}}
		),
		*sendgrid.read([{"event": "deferred"}, {"event": "dropped", "email": "a@b.example"}]),
		*ses.read({"Type": "Notification", "Message": "no JSON"}),
	]

	assert [str(news.bounce.severity) for news in soft] == ["Soft", "Soft", "Soft", "Sender", "Soft"]
	assert nothing == []


def test_what_a_provider_did_not_even_try_is_taken_for_what_it_knows_of_the_address():
	news = [
		*sendgrid.read([
			{"event": "dropped", "email": "a@b.example", "reason": "Bounced Address"},
			{"event": "dropped", "email": "a@b.example", "reason": "Spam Reporting Address"},
			{"event": "dropped", "email": "a@b.example", "reason": "Spam Content (if Spam Checker app is enabled)"},
			{"event": "dropped", "email": "a@b.example", "reason": ["Bounced Address"]},
			{"event": "dropped", "email": "a@b.example", "reason": "Unsubscribed Address"},
			{"event": "group_unsubscribe", "email": "a@b.example"},
		]),
		*mailgun.read({"event-data": {"event": "failed", "severity": "permanent", "reason": "suppress-bounce",
			"recipient": "a@b.example", "delivery-status": {"code": 605, "message": "Not delivering to previously bounced address"}}}),
		*mailgun.read({"event-data": {"event": "failed", "severity": "permanent", "reason": "suppress-complaint",
			"recipient": "a@b.example", "delivery-status": {"code": 607}}}),
		*mailgun.read({"event-data": {"event": "unsubscribed", "recipient": "a@b.example"}}),
		*postmark.read({"RecordType": "SubscriptionChange", "Recipient": "a@b.example", "SuppressSending": True,
			"SuppressionReason": "HardBounce"}),
	]  # fmt: skip

	said = ["left" if one.is_unsubscribe else one.bounce and str(one.bounce.severity) for one in news]
	assert said == ["Hard", None, "left", "left", "Hard", None, "left"]


def test_report_that_fails_half_way_leaves_nothing_stops_no_other_and_is_done_when_it_is_sent_again(
	ada, monkeypatch
):
	clock = factories.Clock(utc_now())
	campaign = frappe.get_doc("Drip Campaign", ada.campaign)
	bob = factories.enroll(campaign, factories.make_contact("Bob", f"bob@{DOMAIN}"), clock)
	factories.run(clock)
	news = [
		{"event": "bounce", "type": "bounce", "email": one.email_address, "status": "5.1.1", "reason": "550"}
		for one in (ada, bob)
	]
	body, suppress = json.dumps(news).encode(), bounces.suppress

	def deliver() -> int:
		builder = EnvironBuilder(
			"/drip/webhook/sendgrid", method="POST", data=body, headers=signed_by_sendgrid(body)
		)
		monkeypatch.setattr(frappe.local, "request", Request(builder.get_environ()), raising=False)
		status = PublicPages().render().status_code
		frappe.db.commit()  # as Frappe does, for it is a POST
		return status

	def fail_for_ada(address: str, *args: object, **fields: object) -> bool:
		if address == ada.email_address:
			raise frappe.QueryTimeoutError
		return suppress(address, *args, **fields)

	with monkeypatch.context() as broken:
		broken.setattr(bounces, "suppress", fail_for_ada)
		first = deliver()
	left = (mail_of(ada).bounce or "", was_suppressed(ada), was_suppressed(bob))

	assert (first, left) == (500, ("", False, True))
	assert deliver() == 200 and was_suppressed(ada)
	assert factories.count("Drip Event", event_type="Bounced") == 2
