"""A text for two recipient types: a field that one of them lacks is named at save, and a plain sentence at run time."""

import frappe
import pytest

from drip_campaigns.jobs import dispatch_due
from tests import factories
from tests.factories import DOMAIN, step
from tests.trigger_steps import trigger

TAGGED = [trigger("Tag Added"), trigger("Tag Added", recipient_type="User")]
TEXT = "<p>Dear {{ recipient.first_name }} of {{ doc.department }}</p>"


@pytest.mark.parametrize(
	("rows", "said"),
	[
		(
			[step(message=TEXT)],
			"Step 1, Message line 1: doc.department is not a field of User, which this campaign",
		),
		(
			[step(), step(1, subject="For {{ doc.department }}")],
			"Step 2, Subject line 1: doc.department is not a",
		),
		(
			[step(preview_text="{{ doc.department }}")],
			"Step 1, Preview Text line 1: doc.department is not a field of",
		),
	],
	ids=["message", "subject", "preview text"],
)
def test_field_that_one_type_lacks_is_named_at_save(site, rows, said):
	with pytest.raises(frappe.ValidationError) as caught:
		factories.make_campaign(*rows, triggers=TAGGED)

	assert said in str(caught.value)
	assert 'Write doc.get("department") instead' in frappe.utils.strip_html(str(caught.value)).replace(
		"&quot;", '"'
	)


def test_text_of_a_variant_is_checked_too(site):
	variant = {
		"step_label": "Hello",
		"subject": "{{ doc.department }}",
		"message": "<p>Hello</p>",
		"weight": 1,
	}

	with pytest.raises(frappe.ValidationError, match=r"doc\.department is not a field of User"):
		factories.make_campaign(step(label="Hello"), variants=[variant], triggers=TAGGED)


def test_type_of_a_target_list_counts(site):
	target_list = factories.make_list(sources=[factories.source("User", [["enabled", "=", 1]])])

	with pytest.raises(frappe.ValidationError, match=r"doc\.department is not a field of User"):
		factories.make_campaign(step(message=TEXT), target_lists=[{"target_list": target_list.name}])


@pytest.mark.parametrize(
	"text",
	[
		'{{ doc.get("department") or "you" }}',
		'{{ doc.department | default("you") }}',
		"{% if doc.department is defined %}{{ doc.department }}{% endif %}",
		"{{ doc.first_name }}",
	],
)
def test_text_that_says_what_to_do_without_the_field_is_saved(site, text):
	assert factories.make_campaign(step(message=f"<p>{text}</p>"), triggers=TAGGED).name


def test_campaign_for_one_type_may_use_its_fields(site):
	assert factories.make_campaign(step(message=TEXT), triggers=TAGGED[:1]).name


def test_record_that_lacks_the_field_fails_alone_with_a_plain_sentence(site, clock, smtp):
	campaign = factories.make_active_campaign(clock, step(message=TEXT))
	contact = factories.enroll(
		campaign, factories.make_contact("Ann", f"ann@{DOMAIN}", department="Sales"), clock
	)
	user = factories.enroll(campaign, frappe.get_doc("User", factories.make_user("bob", "Drip User")), clock)

	dispatch_due.dispatch(clock.now, enqueue_delivery=False)

	error = frappe.db.get_value("Drip Enrollment", user.name, "last_error")
	assert error == (
		"Step “Day 0”: doc.department is not a field of User, the type of this recipient. "
		'Write doc.get("department") instead.'
	)
	assert frappe.get_all("Drip Email", pluck="enrollment") == [contact.name]
