"""The form applies the batch verbs with one row: the same events and fields, and a message with record, cause and remedy."""

import frappe
import pytest

from drip_campaigns.api import desk
from drip_campaigns.enrollment.verbs import EnrollmentVerb, VerbRequest, apply_verb
from drip_campaigns.site.clock import utc_now
from tests import factories

FORM = {
	"Pause": desk.pause_enrollment,
	"Resume": desk.resume_enrollment,
	"Remove": desk.remove_enrollment,
}


@pytest.fixture
def pair(site, clock):
	"""Two people in one campaign: the form changes one, a batch the other."""
	campaign = factories.make_active_campaign(clock)
	return [factories.enroll(campaign, factories.make_contact(name), clock) for name in ("Form", "Batch")]


@pytest.mark.parametrize("verbs", [["Pause"], ["Pause", "Resume"], ["Remove"], ["Remove", "Resume"]])
def test_form_and_batch_write_the_same_fields_and_events(pair, verbs):
	user = factories.make_user("changer", "Drip Manager", "Sales User")
	frappe.set_user(user)
	for verb in verbs:
		FORM[verb](pair[0].name)
		apply_verb([pair[1].name], VerbRequest(EnrollmentVerb(verb)), utc_now())
	frappe.set_user("Administrator")

	fields = ["status", "exit_reason", "next_step", "modified_by", "paused_until", "own_paused_until"]
	written = [frappe.db.get_value("Drip Enrollment", one.name, fields) for one in pair]
	events = [
		frappe.get_all(
			"Drip Event",
			filters={"enrollment": one.name},
			fields=["event_type", "detail"],
			order_by="event_type, detail",
		)
		for one in pair
	]
	assert written[0] == written[1]
	assert written[0][3] == user
	assert events[0] == events[1]
	assert len(events[0]) == 1 + len(verbs)


@pytest.mark.parametrize(
	("before", "verb", "said"),
	[
		(["Pause"], "Pause", "Form is Paused. Reload the form to see what you can do."),
		(["Remove"], "Remove", "Form is Exited. Reload the form to see what you can do."),
		([], "Resume", "Form is In Progress. Reload the form to see what you can do."),
	],
)
def test_form_says_whom_a_verb_refuses_why_and_what_to_do(pair, before, verb, said):
	for earlier in before:
		FORM[earlier](pair[0].name)

	with pytest.raises(frappe.ValidationError) as caught:
		FORM[verb](pair[0].name)

	assert str(caught.value) == said
