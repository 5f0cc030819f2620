"""When something is wrong with a text or an account: nobody is failed for it, and those who can mend it are told."""

import frappe
import pytest

from drip_campaigns.campaign import lifecycle
from drip_campaigns.core.model import SuppressionReason
from drip_campaigns.dispatch import batch
from drip_campaigns.enrollment.suppress import suppress
from drip_campaigns.jobs import dispatch_due
from drip_campaigns.people.suppression import find_suppressed
from tests import factories
from tests.processes import run_together


def test_text_that_cannot_be_used_holds_the_campaign_and_fails_nobody(site, smtp, clock):
	template = factories.make_email_template("Drip Test Broken", "Hi", "<p>Hi {{ recipient.first_name }}</p>")
	campaign = factories.make_active_campaign(clock, factories.step(0, email_template=template.name))
	enrollment = factories.enroll(campaign, factories.make_contact(), clock)
	frappe.db.set_value("Email Template", template.name, "response", "<p>{{ recipient.first_name </p>")
	frappe.clear_document_cache("Email Template", template.name)
	frappe.db.commit()

	factories.run(clock)

	campaign.reload()
	assert campaign.status == "Paused"
	assert "Step 1 has a text that cannot be used" in campaign.pause_reason
	enrollment.reload()
	assert (enrollment.status, enrollment.attempts) == ("In Progress", 0)


@pytest.mark.parametrize(("has_served", "status"), [(False, "Paused"), (True, "Active")])
def test_many_records_that_a_text_does_not_fit_hold_only_what_has_served_nobody(
	site, smtp, clock, has_served, status
):
	text = "<p>{{ doc.first_name.split('-')[1] }}</p>"
	campaign = factories.make_active_campaign(clock, factories.step(0, message=text))
	for number in range(batch.SYSTEMATIC):
		factories.enroll(campaign, factories.make_contact(f"Plain{number}"), clock)
	if has_served:
		factories.enroll(campaign, factories.make_contact("An-na"), clock)

	factories.run(clock)
	clock.advance(minutes=6)  # those who failed are tried again, all of them at one time
	factories.run(clock)

	assert len(smtp.messages) == int(has_served)
	assert campaign.reload().status == status
	attempts = set(frappe.get_all("Drip Enrollment", filters={"status": "In Progress"}, pluck="attempts"))
	assert attempts == ({2} if has_served else {0})


def test_held_campaign_goes_on_where_it_stopped_once_the_text_is_mended(site, smtp, clock):
	template = factories.make_email_template("Drip Test Mended", "Hi", "<p>x</p>")
	campaign = factories.make_active_campaign(clock, factories.step(0, email_template=template.name))
	factories.enroll(campaign, factories.make_contact(), clock)
	frappe.db.set_value("Email Template", template.name, "response", "{% if %}")
	frappe.clear_document_cache("Email Template", template.name)
	frappe.db.commit()
	factories.run(clock)

	template.reload()
	template.response = "<p>Mended</p>"
	template.save()
	campaign.reload()
	lifecycle.activate(campaign, clock.advance(hours=1))
	frappe.db.commit()
	factories.run(clock)

	assert [message.part("plain").splitlines()[0] for message in smtp.messages] == ["Mended"]
	assert not frappe.db.get_value("Drip Campaign", campaign.name, "pause_reason")


def test_site_restored_elsewhere_holds_everything_until_somebody_confirms(site, smtp, clock, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "drip_host", "the-original")
	campaign = factories.make_active_campaign(clock, factories.step(0), factories.step(1))
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)

	monkeypatch.setitem(frappe.local.conf, "drip_host", "the-copy")
	clock.advance(days=1)
	factories.run(clock)

	settings = frappe.get_doc("Drip Settings")
	assert settings.pause_sending
	assert "was the-original and is now the-copy" in settings.pause_reason
	assert len(smtp.messages) == 1

	settings.pause_sending = 0
	settings.save()
	frappe.db.commit()
	factories.run(clock)
	assert len(smtp.messages) == 2


def test_copy_is_found_out_before_frappe_sends_what_the_original_had_queued(site, smtp, clock, monkeypatch):
	monkeypatch.setitem(frappe.local.conf, "drip_host", "the-original")
	campaign = factories.make_active_campaign(clock, factories.step(0))
	factories.enroll(campaign, factories.make_contact(), clock)
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	monkeypatch.setitem(frappe.local.conf, "drip_host", "the-copy")
	job = {"method": "run_scheduled_job", "kwargs": {"job_type": "frappe.email.queue.flush"}}
	for hook in frappe.get_hooks("before_job"):
		frappe.call(hook, **job, transaction_type="job")
	factories.flush_email_queue()

	assert frappe.get_doc("Drip Settings").pause_sending
	assert smtp.messages == []


def test_another_key_for_addresses_holds_everything_and_confirming_keeps_opt_outs_known(
	site, smtp, clock, monkeypatch
):
	monkeypatch.setitem(frappe.local.conf, "drip_address_key", "the first")
	campaign = factories.make_active_campaign(clock, factories.step(0), factories.step(1))
	ada, bob = factories.make_contact("Ada"), factories.make_contact("Bob")
	factories.enroll(campaign, ada, clock)
	factories.run(clock)
	suppress(bob.email_id, SuppressionReason.OPTED_OUT, clock.now, source="page")
	frappe.get_last_doc("Drip Suppression").add_comment("Info", "Told us so")
	frappe.db.commit()

	monkeypatch.setitem(frappe.local.conf, "drip_address_key", "the second")
	clock.advance(days=1)
	factories.run(clock)
	settings = frappe.get_doc("Drip Settings")
	held, lost = settings.pause_sending, find_suppressed([bob.email_id])
	settings.pause_sending = 0
	settings.save()

	[suppression] = frappe.get_all("Drip Suppression", fields=["name", "address_hash"])
	assert (held, lost) == (1, {})
	assert "Restore the old key" in settings.pause_reason
	assert find_suppressed([bob.email_id])
	assert suppression.name == suppression.address_hash
	assert frappe.db.exists("Comment", {"reference_name": suppression.name, "content": "Told us so"})


def test_database_older_than_what_was_sent_from_here_holds_everything(site, smtp, clock):
	campaign = factories.make_active_campaign(clock, factories.step(0), factories.step(20))
	factories.enroll(campaign, factories.make_contact(), clock)
	factories.run(clock)
	backup = frappe.db.get_single_value("Drip Settings", "last_dispatch_at")
	clock.advance(days=3)
	factories.run(clock)
	frappe.db.set_single_value("Drip Settings", "last_dispatch_at", backup)
	frappe.db.commit()

	clock.advance(days=17)
	factories.run(clock)

	assert len(smtp.messages) == 1
	assert "restored from a backup" in frappe.db.get_single_value(
		"Drip Settings", "pause_reason", cache=False
	)


def test_dispatches_at_the_same_moment_after_a_long_pause_do_not_take_each_other_for_a_backup(site, clock):
	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	for _day in range(5):
		answers = run_together(_dispatch, [[clock.advance(days=1)]] * 3)

		assert answers == [0, 0, 0]
		assert not frappe.db.get_single_value("Drip Settings", "pause_sending", cache=False)


def _dispatch(now):
	return dispatch_due.dispatch(now, enqueue_delivery=False)


def test_text_that_loops_for_ever_fails_one_and_lets_the_others_have_theirs(site, smtp, clock):
	loop = "{% for a in range(9999) %}{% for b in range(9999) %}{% set c = a * b %}{% endfor %}{% endfor %}"
	text = "<p>Hi</p>{% if recipient.first_name == 'Endless' %}" + loop + "{% endif %}"
	campaign = factories.make_active_campaign(clock, factories.step(0, message=text))
	endless = factories.enroll(campaign, factories.make_contact("Endless"), clock)
	factories.enroll(campaign, factories.make_contact("Quick"), clock)

	factories.run(clock)

	assert len(smtp.messages) == 1
	assert "Filling it takes too" in frappe.db.get_value("Drip Enrollment", endless.name, "last_error")


def test_email_of_ten_megabytes_is_refused_and_the_others_leave(site, smtp, clock):
	text = "<p>Hi</p>{% if recipient.first_name == 'Long' %}{{ 'x' * 10000000 }}{% endif %}"
	campaign = factories.make_active_campaign(clock, factories.step(0, message=text))
	long = factories.enroll(campaign, factories.make_contact("Long"), clock)
	factories.enroll(campaign, factories.make_contact("Short"), clock)

	factories.run(clock)

	assert len(smtp.messages) == 1
	assert "Shorten it" in frappe.db.get_value("Drip Enrollment", long.name, "last_error")
