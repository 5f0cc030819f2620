"""The permission matrix: what each kind of user may do, as a table.

`tests/integration/test_permission_matrix.py` does each cell for real and compares. A new method, DocType, child table,
card, or route without a row here fails that test. The kinds of users are in `tests/matrix_site.py`: the campaign and the
list belong to "owner"; they are shared with "blind", who may not read the recipient; "other" may read the recipient, but
the campaign belongs to somebody else.
"""

EVERYBODY = {"guest", "portal", "no_role", "owner", "other", "blind", "manager", "system_manager"}
DRIP = {"owner", "other", "blind", "manager", "system_manager"}  # every role of the app
READERS = DRIP - {"blind"}  # who may read the recipient
EDITORS = DRIP - {"other"}  # who may write the campaign and the list
BOTH = READERS & EDITORS  # who may do both: rows about people
MANAGERS = {"manager", "system_manager"}
NOBODY: set[str] = set()

# Arguments; matrix_site.py fills in the names
CAMPAIGN = {"campaign": "$campaign"}
STEP = {**CAMPAIGN, "step": "$step"}
PERSON = {"recipient_type": "Contact", "recipient": "$contact"}
ENROLLMENT = {"enrollment": "$enrollment"}
LIST = {"target_list": "$target_list"}
BECAUSE = {"because": "They asked for it."}
AUDIENCE = {**CAMPAIGN, "recipient_type": "Contact", "filters": '[["name", "=", "drip-nobody"]]'}
FILE = {**CAMPAIGN, "recipient_type": "Contact", "file_url": "none.csv", "mapping": "{}"}
OPT_OUTS = {"file_url": "none.csv", "mapping": "{}"}
DOCUMENT = {"document": '{"doctype": "Drip Campaign", "name": "$campaign"}'}
PROPOSAL = {"proposal": "$proposal"}
EXPORT = {
	"doctype": "Drip Enrollment",
	"fields": '["name"]',
	"file_format_type": "CSV",
	"title": "Enrollments",
}

# Every whitelisted method: who gets past its rights, and with which arguments
METHODS: dict[str, tuple[set[str], dict]] = {
	"drip_campaigns.api.campaign_templates.create_from_template": (
		DRIP,
		{"template": "none", "campaign_name": "Drip Test"},
	),
	"drip_campaigns.api.campaign_templates.export_campaign": (DRIP, CAMPAIGN),
	"drip_campaigns.api.campaign_templates.import_campaign": (DRIP, {"text": "{}"}),
	"drip_campaigns.api.campaign_templates.list_templates": (DRIP, {}),
	"drip_campaigns.api.campaign_templates.preview_template": (DRIP, {"template": "none", "number": 0}),
	"drip_campaigns.api.campaign_templates.save_as_template": (
		DRIP,
		{**CAMPAIGN, "title": "Drip Test Saved"},
	),
	"drip_campaigns.api.charts.get": (DRIP, {"chart_name": "Drip Emails Sent per Day"}),
	"drip_campaigns.api.consents.find_consents": (MANAGERS, {"email_address": "none"}),
	"drip_campaigns.api.desk.activate_campaign": (MANAGERS, CAMPAIGN),
	"drip_campaigns.api.desk.cancel_bulk_enrollment": (MANAGERS, {"name": "$run"}),
	"drip_campaigns.api.desk.count_recipients": (DRIP, {"recipient_type": "Contact"}),
	"drip_campaigns.api.desk.end_campaign": (EDITORS, CAMPAIGN),
	"drip_campaigns.api.desk.enroll_recipient": (READERS, {**CAMPAIGN, **PERSON}),
	"drip_campaigns.api.desk.get_campaign_summary": (DRIP, CAMPAIGN),
	"drip_campaigns.api.desk.get_enrollment_schedule": (BOTH, ENROLLMENT),
	"drip_campaigns.api.desk.get_recipient_types": (DRIP, {}),
	"drip_campaigns.api.desk.lift_suppression": (MANAGERS, {"suppression": "$suppression", **BECAUSE}),
	"drip_campaigns.api.desk.lift_suppressions": (MANAGERS, {"reason": "Hard Bounce", **BECAUSE}),
	"drip_campaigns.api.desk.pause_campaign": (EDITORS, CAMPAIGN),
	"drip_campaigns.api.desk.pause_enrollment": (BOTH, ENROLLMENT),
	"drip_campaigns.api.desk.preview_step": (READERS, {**STEP, **PERSON}),
	"drip_campaigns.api.desk.remove_enrollment": (BOTH, ENROLLMENT),
	"drip_campaigns.api.desk.renew_suppression": (
		MANAGERS,
		{"suppression": "$suppression", "note": "They asked."},
	),
	"drip_campaigns.api.desk.resubscribe_enrollment": (MANAGERS, {**ENROLLMENT, **BECAUSE}),
	"drip_campaigns.api.desk.resume_bulk_enrollment": (MANAGERS, {"name": "$run"}),
	"drip_campaigns.api.desk.resume_campaign": (MANAGERS, CAMPAIGN),
	"drip_campaigns.api.desk.resume_enrollment": (BOTH, ENROLLMENT),
	"drip_campaigns.api.desk.retry_failed": (EDITORS, CAMPAIGN),
	"drip_campaigns.api.desk.run_dispatch": (MANAGERS, {}),
	"drip_campaigns.api.desk.send_missed": (EDITORS, CAMPAIGN),
	"drip_campaigns.api.desk.send_test": (EDITORS, {**STEP, "email_address": "none"}),
	"drip_campaigns.api.desk.unsubscribe_enrollment": (BOTH, ENROLLMENT),
	"drip_campaigns.api.desk.take_over_campaign": (MANAGERS, CAMPAIGN),
	"drip_campaigns.api.editing.describe_steps": (DRIP, {"steps": "[]"}),
	"drip_campaigns.api.editing.preview_days": (DRIP, DOCUMENT),
	"drip_campaigns.api.editing.preview_edit": (EDITORS, DOCUMENT),
	"drip_campaigns.api.enroll.enroll_people_file": (DRIP, FILE),
	"drip_campaigns.api.enroll.enroll_records": (DRIP, AUDIENCE),
	"drip_campaigns.api.enroll.explain_enrollment": (DRIP, {**CAMPAIGN, **PERSON}),
	"drip_campaigns.api.enroll.preview_enrollment": (DRIP, AUDIENCE),
	"drip_campaigns.api.enroll.preview_people_file": (DRIP, FILE),
	"drip_campaigns.api.enroll.read_people_file": (DRIP, {"file_url": "none.csv"}),
	"drip_campaigns.api.enrollments.change_enrollments": (
		DRIP,
		{"verb": "Pause", "enrollments": '["$enrollment"]'},
	),
	"drip_campaigns.api.enrollments.change_enrollments_at_step": (
		EDITORS,
		{**CAMPAIGN, "at_step": "$step", "verb": "Pause"},
	),
	"drip_campaigns.api.enrollments.close_campaign": (EDITORS, CAMPAIGN),
	"drip_campaigns.api.enrollments.count_at_step": (DRIP, STEP),
	"drip_campaigns.api.enrollments.pause_step": (EDITORS, STEP),
	"drip_campaigns.api.enrollments.preview_changes": (
		DRIP,
		{"verb": "Pause", "enrollments": '["$enrollment"]'},
	),
	"drip_campaigns.api.enrollments.preview_retry": (DRIP, {"actions": '["$action"]'}),
	"drip_campaigns.api.enrollments.reopen_campaign": (MANAGERS, CAMPAIGN),
	"drip_campaigns.api.enrollments.resume_step": (MANAGERS, STEP),
	"drip_campaigns.api.enrollments.retry_actions": (DRIP, {"actions": '["$action"]'}),
	"drip_campaigns.api.enrollments.settle_in_doubt": (DRIP, {"emails": '["$email"]', "arrived": 1}),
	"drip_campaigns.api.exports.export_query": (DRIP, EXPORT),
	"drip_campaigns.api.lists.add_to_list": (
		DRIP,
		{**LIST, "recipient_type": "Contact", "names": '["none"]'},
	),
	"drip_campaigns.api.lists.cancel_refresh": (EDITORS, LIST),
	"drip_campaigns.api.lists.confirm_first_refresh": (EDITORS, {"run": "$refresh", "enroll": False}),
	"drip_campaigns.api.lists.find_everybody_in": (DRIP, {"sources": "[]"}),
	"drip_campaigns.api.lists.get_list_state": (DRIP, LIST),
	"drip_campaigns.api.lists.include_list": (EDITORS, {**LIST, **CAMPAIGN}),
	"drip_campaigns.api.lists.preview_add": (
		DRIP,
		{**LIST, "recipient_type": "Contact", "names": '["none"]'},
	),
	"drip_campaigns.api.lists.refresh_list": (EDITORS, LIST),
	"drip_campaigns.api.lists.remove_from_list": (BOTH, {"member": "$member", **BECAUSE}),
	"drip_campaigns.api.lists.restore_to_list": (MANAGERS, {"member": "$member", **BECAUSE}),
	"drip_campaigns.api.lists.resume_refresh": (EDITORS, {"run": "$refresh"}),
	"drip_campaigns.api.proposals.decline_change": (MANAGERS, {**PROPOSAL, "reason": "No."}),
	"drip_campaigns.api.proposals.open_change": (BOTH, PROPOSAL),
	"drip_campaigns.api.proposals.release_change": (MANAGERS, {**PROPOSAL, "seen": "never"}),
	"drip_campaigns.api.proposals.review_change": (BOTH, PROPOSAL),
	"drip_campaigns.api.proposals.withdraw_change": ({"owner"}, PROPOSAL),
	"drip_campaigns.api.public.sign_up": (EVERYBODY, {}),
	"drip_campaigns.api.results.get_results": (DRIP, CAMPAIGN),
	"drip_campaigns.api.results.get_summaries": (DRIP, {"campaigns": "[]"}),
	"drip_campaigns.api.results.make_list_of_events": (DRIP, {"list_name": "Drip Test Events"}),
	"drip_campaigns.api.suppressions.import_opt_outs": (MANAGERS, {**OPT_OUTS, "note": "Old tool"}),
	"drip_campaigns.api.suppressions.preview_opt_outs": (MANAGERS, OPT_OUTS),
	"drip_campaigns.api.suppressions.read_opt_out_file": (MANAGERS, {"file_url": "none.csv"}),
	"drip_campaigns.api.triggers.backfill_existing": (EDITORS, {**CAMPAIGN, "audiences": "[]"}),
	"drip_campaigns.api.triggers.count_existing": (EDITORS, CAMPAIGN),
	"drip_campaigns.api.triggers.trigger_campaign": (READERS, {"event_name": "none", **PERSON}),
	"drip_campaigns.api.variants.choose_variant": (MANAGERS, STEP),
	"drip_campaigns.api.variants.get_variant_figures": (DRIP, CAMPAIGN),
}

# Every DocType: who sees a row (form, list, link field, count), and who has which right on it or on the DocType
DOCTYPES: dict[str, dict[str, set[str]]] = {
	"Drip Action": {
		"see": BOTH,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Bulk Enrollment": {
		"see": EDITORS,
		"write": MANAGERS,
		"delete": MANAGERS,
		"share": MANAGERS,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Campaign": {
		"see": DRIP,
		"write": EDITORS,
		"delete": BOTH,
		"share": BOTH,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Campaign Template": {
		"see": DRIP,
		"write": BOTH,
		"delete": BOTH,
		"share": BOTH,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Consent": {
		"see": BOTH,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Counter": {
		"see": DRIP,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Email": {
		"see": BOTH,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Enrollment": {
		"see": BOTH,
		"write": BOTH,
		"delete": MANAGERS,
		"share": MANAGERS,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Event": {
		"see": BOTH,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Former Enrollment": {
		"see": MANAGERS,
		"write": NOBODY,
		"delete": MANAGERS,
		"share": NOBODY,
		"create": NOBODY,
		"report": NOBODY,
		"export": NOBODY,
	},
	"Drip Proposed Change": {
		"see": BOTH,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": MANAGERS,
		"export": NOBODY,
	},
	"Drip Recipient Preference": {
		"see": BOTH,
		"write": MANAGERS,
		"delete": MANAGERS,
		"share": MANAGERS,
		"create": MANAGERS,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Sending Block": {
		"see": DRIP,
		"write": NOBODY,
		"delete": MANAGERS,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Settings": {
		"see": DRIP,
		"write": MANAGERS,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": NOBODY,
		"export": NOBODY,
	},
	"Drip Step Version": {
		"see": DRIP,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Suppression": {
		"see": BOTH,
		"write": MANAGERS,
		"delete": NOBODY,
		"share": NOBODY,
		"create": MANAGERS,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Target List": {
		"see": DRIP,
		"write": EDITORS,
		"delete": BOTH,
		"share": BOTH,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Target List Member": {
		"see": BOTH,
		"write": BOTH,
		"delete": MANAGERS,
		"share": MANAGERS,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Target List Refresh": {
		"see": DRIP,
		"write": NOBODY,
		"delete": MANAGERS,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": MANAGERS,
	},
	"Drip Tracking URL": {
		"see": DRIP,
		"write": MANAGERS,
		"delete": MANAGERS,
		"share": MANAGERS,
		"create": DRIP,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Trigger Firing": {
		"see": BOTH,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
	"Drip Variant Result": {
		"see": DRIP,
		"write": NOBODY,
		"delete": NOBODY,
		"share": NOBODY,
		"create": NOBODY,
		"report": DRIP,
		"export": DRIP,
	},
}

# Every child table, by its parent: who may list its rows
TABLES: dict[tuple[str, str], set[str]] = {
	("Drip Allowed Sender", "Drip Settings"): DRIP,
	("Drip Campaign Exclusion", "Drip Campaign"): DRIP,
	("Drip Campaign Sender", "Drip Campaign"): DRIP,
	("Drip Campaign Step", "Drip Campaign"): DRIP,
	("Drip Campaign Target List", "Drip Campaign"): DRIP,
	("Drip Campaign Trigger", "Drip Campaign"): DRIP,
	("Drip Mailbox", "Drip Settings"): DRIP,
	("Drip Recipient Type", "Drip Settings"): DRIP,
	("Drip Sending Limit", "Drip Settings"): DRIP,
	("Drip Step Variant", "Drip Campaign"): DRIP,
	("Drip Target List Source", "Drip Target List"): DRIP,
}

# Every number card and chart: who sees the row in its number
CARDS: dict[str, set[str]] = {
	"Active Drip Campaigns": DRIP,
	"Drip Emails Sent in 7 Days": BOTH,
	"Failed Drip Enrollments": BOTH,
	"Live Drip Enrollments": BOTH,
}
CHARTS: dict[str, set[str]] = {"Drip Emails Sent per Day": BOTH}

# Every public route: what everybody gets for GET and for POST without a valid token or signature
_PAGE, _VISIT, _WEBHOOK = (404, 404), (404, 404), (405, 403)
ROUTES: dict[str, tuple[int, int]] = {
	"leave": _PAGE,
	"preferences": _PAGE,
	"address": _PAGE,
	"confirm": _PAGE,
	"view": _PAGE,
	"click": _VISIT,
	"open": _VISIT,
	"webhook/brevo": _WEBHOOK,
	"webhook/mailgun": _WEBHOOK,
	"webhook/postmark": _WEBHOOK,
	"webhook/sendgrid": _WEBHOOK,
	"webhook/ses": _WEBHOOK,
}

# Kinds of records that the app has none of: one of them needs a table of its own here
ABSENT = ("Report", "Page", "Web Form", "Print Format", "Web Page", "Dashboard Chart Source")
