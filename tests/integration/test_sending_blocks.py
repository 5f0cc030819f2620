"""What servers say about the sender: nobody is suppressed, the account is blocked, and the emails wait."""

import smtplib

import frappe
import pytest
from frappe.utils.password import remove_encrypted_password, set_encrypted_password

from drip_campaigns.enrollment.enroll import enroll_many
from drip_campaigns.jobs import deliver as delivery
from drip_campaigns.jobs import dispatch_due, rescue
from drip_campaigns.outbox import sending_blocks
from tests import factories
from tests.factories import DOMAIN, EMAIL_ACCOUNT, step


def send_to_many(smtp, clock, count: int, answer: str, refused: int | None = None) -> list[str]:
	"""Send the first email of a campaign to people, of whom the first `refused` (default: all) get the answer."""
	campaign = factories.make_active_campaign(clock, step(0), step(2))
	addresses = [f"p{number}@{DOMAIN}" for number in range(count)]
	contacts = [factories.make_contact(address=address).name for address in addresses]
	for number, address in enumerate(addresses[: count if refused is None else refused]):
		smtp.answer(address, answer.format(address=address, queue=f"4X{number:06d}Zq{number % 7}"))
	for _result in enroll_many(campaign.name, "Contact", contacts, clock.now):
		frappe.db.commit()
	factories.run(clock)
	return addresses


def block() -> frappe._dict:
	return frappe.db.get_value(
		"Drip Sending Block", EMAIL_ACCOUNT, ["state", "reason", "figures", "remedy"], as_dict=True
	)


def statuses() -> dict[str, int]:
	names = frappe.get_all("Drip Email", pluck="status")
	return {status: names.count(status) for status in sorted(set(names))}


def accept_all_again(smtp, clock, addresses) -> None:
	for address in addresses:
		smtp.answer(address, "250 OK")
	frappe.delete_doc("Drip Sending Block", EMAIL_ACCOUNT)
	frappe.db.commit()
	clock.advance(minutes=20)
	factories.run(clock)


@pytest.mark.parametrize(
	("people", "answer", "remedy"),
	[
		(150, "550 5.7.1 Our system does not accept mail from your organization, ref {queue}", None),
		(
			150,
			"550 5.1.1 <{address}>: Recipient address rejected: User unknown ({queue})",
			"several recipients",
		),
		(15, "550 5.7.30 Basic authentication is not supported for Client Submission. [{queue}]", "OAuth"),
		(
			15,
			"554 5.7.1 Service unavailable; Client host blocked using zen.example.org; {address}",
			"blocklist",
		),
		(15, "571 Xyzzy {queue}", "several recipients"),
	],
)
def test_one_response_to_all_suppresses_nobody_and_all_are_sent_once_the_block_is_lifted(
	site, smtp, clock, monkeypatch, people, answer, remedy
):
	monkeypatch.setattr(delivery, "GROUP_SIZE", people // 3)
	addresses = send_to_many(smtp, clock, people, answer)

	found, waiting = block(), statuses()
	tried = frappe.get_all("Drip Email", filters={"error": ("not like", "%is blocked%")}, pluck="name")
	suppressed = factories.count("Drip Suppression")
	live = factories.count("Drip Enrollment", status="In Progress")
	accept_all_again(smtp, clock, addresses)

	assert found.state == "Blocked"
	assert f"{people // 3} of {people // 3}" in found.figures
	assert remedy is None or remedy.lower() in found.remedy.lower()
	assert suppressed == 0
	assert waiting == {"Queued": people}
	assert len(tried) <= people // 3  # the second group was not begun
	assert live == people
	assert sorted(message.recipient for message in smtp.messages) == sorted(addresses)
	assert statuses() == {"Sent": people}


def test_managers_read_the_servers_words_the_figures_and_the_remedy(site, smtp, clock):
	manager = factories.make_user("boss", "Drip Manager")
	send_to_many(smtp, clock, 6, "550 5.1.1 no mailbox here")

	[text] = [text for text in factories.notifications_of(manager) if "blocked" in text]
	assert "6 of 6 recipients got the same response" in text
	assert "550 5.1.1 no mailbox here" in text
	assert "Several recipients got this response" in text


@pytest.mark.parametrize(("count", "dead"), [(20, 9), (4, 4)])
def test_few_dead_addresses_stay_hard_bounces(site, smtp, clock, count, dead):
	send_to_many(smtp, clock, count, "550 5.1.1 <{address}>: User unknown", refused=dead)

	assert block() is None
	assert factories.count("Drip Suppression", reason="Hard Bounce") == dead
	assert len(smtp.messages) == count - dead


def test_different_responses_about_dead_addresses_are_about_them(site, smtp, clock):
	words = (
		"no such user",
		"mailbox disabled",
		"account closed",
		"user has moved",
		"unknown user",
		"gone, does not exist",
	)
	campaign = factories.make_active_campaign(clock, step(0))
	for number, said in enumerate(words):
		address = f"p{number}@{DOMAIN}"
		smtp.answer(address, f"550 5.1.1 {said}")
		factories.enroll(campaign, factories.make_contact(address=address), clock)
	factories.run(clock)

	assert block() is None
	assert factories.count("Drip Suppression") == len(words)


def test_refused_sender_blocks_the_account_and_its_email_waits(site, smtp, clock):
	addresses = send_to_many(smtp, clock, 1, "550 5.7.30 Basic authentication is not supported")

	found, waiting = block(), statuses()
	accept_all_again(smtp, clock, addresses)

	assert (found.state, waiting) == ("Blocked", {"Queued": 1})
	assert "OAuth" in found.remedy
	assert len(smtp.to(addresses[0])) == 1


def test_policy_of_one_recipient_among_many_blocks_nothing_but_a_share_does(site, smtp, clock):
	policy = "550 5.7.1 Rejected for policy reasons"
	send_to_many(smtp, clock, 40, policy, refused=4)
	few = block()
	campaign = factories.make_active_campaign(clock, step(0), name="Drip Test Second")
	for number in range(4):
		address = f"q{number}@{DOMAIN}"
		smtp.answer(address, policy)
		factories.enroll(campaign, factories.make_contact(address=address), clock)
	factories.run(clock)

	assert few is None
	assert block().figures == "8 of the last 44 emails were refused"
	assert factories.count("Drip Suppression") == 0


def test_window_forgets_what_is_older_than_a_day(site, clock):
	before = [sending_blocks.find_share("Drip Test Window", [True], clock.now) for _ in range(2)]
	clock.advance(days=1, minutes=1)
	after = [sending_blocks.find_share("Drip Test Window", [True], clock.now) for _ in range(3)]

	assert before == ["", ""]
	assert after == ["", "", "3 of the last 3 emails were refused"]


def test_refused_login_blocks_the_account_with_the_remedy_and_suppresses_nobody(
	site, smtp, clock, monkeypatch
):
	answer = smtplib.SMTPAuthenticationError(
		535, b"5.7.139 Authentication unsuccessful, basic authentication is disabled."
	)

	def refuse(*_args, **_options):
		raise answer

	with monkeypatch.context() as patch:
		patch.setattr(smtplib.SMTP, "login", refuse)
		frappe.db.set_value("Email Account", EMAIL_ACCOUNT, "no_smtp_authentication", 0)
		set_encrypted_password("Email Account", EMAIL_ACCOUNT, "old")
		frappe.clear_document_cache("Email Account", EMAIL_ACCOUNT)
		try:
			addresses = send_to_many(smtp, clock, 3, "250 OK")
		finally:
			frappe.db.set_value("Email Account", EMAIL_ACCOUNT, "no_smtp_authentication", 1)
			remove_encrypted_password("Email Account", EMAIL_ACCOUNT)
			frappe.clear_document_cache("Email Account", EMAIL_ACCOUNT)
	found, waiting = block(), statuses()
	accept_all_again(smtp, clock, addresses)

	assert found.state == "Blocked"
	assert "5.7.139" in found.reason
	assert "OAuth" in found.remedy
	assert waiting == {"Queued": 3}
	assert factories.count("Drip Suppression") == 0
	assert statuses() == {"Sent": 3}


def test_refusal_that_frappes_own_queue_met_blocks_the_account_too(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, step(0))
	address = f"ada@{DOMAIN}"
	factories.enroll(campaign, factories.make_contact(address=address), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)
	line = "smtplib.SMTPRecipientsRefused: {'ada': (550, b'5.7.26 unauthenticated')}"
	frappe.db.set_value("Email Queue", {"status": "Not Sent"}, {"status": "Error", "error": line})
	frappe.db.commit()

	rescue.rescue_strays(clock.advance(minutes=20))

	assert block().state == "Blocked"
	assert statuses() == {"Queued": 1}
