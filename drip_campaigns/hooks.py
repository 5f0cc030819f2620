"""The table of contents: what Frappe calls in this app, and when."""

# Identity
app_name = "drip_campaigns"
app_title = "Drip Campaigns"
app_publisher = "Drip Campaigns contributors"
app_description = "Series of emails, each sent when it is due, exactly once"
app_email = "maintainers@example.com"
app_license = "mit"

add_to_apps_screen = [
	{
		"name": "drip_campaigns",
		"logo": "/assets/drip_campaigns/images/logo.svg",
		"title": "Drip Campaigns",
		"route": "/app/drip-campaigns",
		"has_permission": "drip_campaigns.api.desk.may_open_app",
	}
]

# Enroll records from the forms and lists of recipient types, and show their campaigns there
app_include_js = ["/assets/drip_campaigns/js/add_to_campaign.js"]
extend_bootinfo = ["drip_campaigns.api.boot.add_recipient_types", "drip_campaigns.api.boot.add_kinds"]
override_doctype_dashboards = {
	"Contact": "drip_campaigns.desk.dashboards.show_on_contact",
	"User": "drip_campaigns.desk.dashboards.show_on_user",
	"Email Group Member": "drip_campaigns.desk.dashboards.show_on_email_group_member",
	"Lead": "drip_campaigns.desk.dashboards.show_on_lead",
	"Customer": "drip_campaigns.desk.dashboards.show_on_customer",
	"Opportunity": "drip_campaigns.desk.dashboards.show_on_opportunity",
	"Prospect": "drip_campaigns.desk.dashboards.show_on_prospect",
	"Supplier": "drip_campaigns.desk.dashboards.show_on_supplier",
	"Employee": "drip_campaigns.desk.dashboards.show_on_employee",
	"CRM Lead": "drip_campaigns.desk.dashboards.show_on_crm_lead",
	"CRM Deal": "drip_campaigns.desk.dashboards.show_on_crm_deal",
}

# What users save: a request changes neither the owner, on which rights depend, nor rows of another record, and breaks no line
_written_by_users = (
	"Drip Bulk Enrollment",
	"Drip Campaign",
	"Drip Campaign Template",
	"Drip Enrollment",
	"Drip Recipient Preference",
	"Drip Settings",
	"Drip Suppression",
	"Drip Target List",
	"Drip Target List Member",
	"Drip Tracking URL",
)
_saves_of_users = {
	"before_insert": "drip_campaigns.site.own_rows.join_lines_of_names",
	"before_validate": [
		"drip_campaigns.site.own_rows.check_own_rows",
		"drip_campaigns.site.own_rows.join_lines_of_names",
	],
	"before_rename": "drip_campaigns.site.own_rows.check_new_name",
}

# Triggers, and a notice of a suppression on every form
doc_events = {
	**dict.fromkeys(_written_by_users, _saves_of_users),
	"*": {
		"after_delete": "drip_campaigns.enrollment.deleted_records.forget_deleted",
		"after_rename": [
			"drip_campaigns.enrollment.deleted_records.follow_merge",
			"drip_campaigns.campaign.references.follow_rename",
		],
		"on_trash": "drip_campaigns.campaign.references.refuse_deletion",
		"before_rename": "drip_campaigns.enrollment.deleted_records.prepare_merge",
		"on_change": "drip_campaigns.triggers.doc_events.fire_on_change",
		"onload": "drip_campaigns.desk.suppression_notice.show_suppression",
	},
	# What campaigns and lists refer to
	**dict.fromkeys(
		("Drip Campaign", "Drip Target List"),
		{
			**_saves_of_users,
			**dict.fromkeys(("on_change", "on_trash"), "drip_campaigns.campaign.references.forget"),
		},
	),
	# Webhooks, Notifications, and Server Scripts on enrollments and events, which are written in bulk
	**dict.fromkeys(
		("Webhook", "Notification", "Server Script"),
		dict.fromkeys(("on_update", "on_trash"), "drip_campaigns.db.doc_event_queue.forget"),
	),
	# Mark suppressed addresses in new records, too
	**dict.fromkeys(
		("Contact", "Email Group Member", "Employee", "Lead", "User"),
		{"validate": "drip_campaigns.enrollment.doc_events.apply_suppression"},
	),
	# Unsubscribe emails, bounces, complaints, and replies
	"Communication": {
		"before_save": "drip_campaigns.inbound.received_texts.clean_linked",
		"after_insert": [
			"drip_campaigns.inbound.unsubscribe_mails.unsubscribe_by_mail",
			"drip_campaigns.inbound.incoming.read_communication",
		],
	},
	# ToDos that a campaign waits for
	"ToDo": {
		"on_update": "drip_campaigns.actions.awaited_todo.record_closed_todo",
		"on_trash": "drip_campaigns.actions.awaited_todo.record_closed_todo",
	},
	"Unhandled Email": {"after_insert": "drip_campaigns.inbound.incoming.read_unhandled"},
	"Email Unsubscribe": {"after_insert": "drip_campaigns.enrollment.doc_events.exit_on_email_unsubscribe"},
	"Personal Data Deletion Request": {
		"on_update": "drip_campaigns.enrollment.doc_events.erase_personal_data",
	},
	# Days without sending
	"Holiday List": {"on_update": "drip_campaigns.campaign.holiday_field.replan_after_change"},
}

# Functions that run with each batch of events that the log records, in the same transaction and in this order
drip_event_subscribers = [
	"drip_campaigns.triggers.events.fire_triggers",
	"drip_campaigns.enrollment.wake_waiting.wake_after_events",
	"drip_campaigns.actions.exit_steps.record_exit_steps",
]

# Rows about people: who may read the record and reaches the campaign or list may see them
_rows_about_people = (
	"Drip Enrollment",
	"Drip Email",
	"Drip Action",
	"Drip Event",
	"Drip Target List Member",
	"Drip Trigger Firing",
	"Drip Consent",
	"Drip Suppression",
	"Drip Recipient Preference",
	"Drip Bulk Enrollment",
)
permission_query_conditions = dict.fromkeys(
	_rows_about_people, "drip_campaigns.people.row_rights.find_row_condition"
)
has_permission = dict.fromkeys(_rows_about_people, "drip_campaigns.people.row_rights.may_use_row")

# Personal data, for download and deletion requests
user_data_fields = [
	{
		"doctype": "Drip Enrollment",
		"filter_by": "email_address",
		"redact_fields": ["recipient_name", "last_error", "unsubscribe_reason"],
	},
	{"doctype": "Drip Email", "filter_by": "email_address", "redact_fields": ["subject", "error"]},
	{"doctype": "Drip Action", "filter_by": "email_address", "redact_fields": ["outcome"]},
	{"doctype": "Drip Event", "filter_by": "email_address", "redact_fields": ["detail"]},
	{"doctype": "Drip Target List Member", "filter_by": "email_address", "redact_fields": ["recipient_name"]},
	{"doctype": "Drip Former Enrollment", "filter_by": "email_address", "partial": True},
	{"doctype": "Drip Consent", "filter_by": "email_address", "redact_fields": ["recipient"]},
	{"doctype": "Drip Recipient Preference", "filter_by": "email_address", "partial": True},
	{"doctype": "Drip Suppression", "filter_by": "email_address", "partial": True},
]

# Schedule
scheduler_events = {
	"cron": {
		# Every five minutes: send what is due
		"*/5 * * * *": ["drip_campaigns.jobs.dispatch_due.dispatch_due"],
		# Every quarter of an hour: refresh target lists that are due, and resume runs whose worker was killed
		"*/15 * * * *": [
			"drip_campaigns.jobs.refresh_lists.refresh_due",
			"drip_campaigns.jobs.bulk_enrollment.resume_orphaned",
		],
	},
	# Once a day: correct statuses and end dates, delete what is old, send what is due
	"daily_long": ["drip_campaigns.jobs.daily.run_daily"],
}

# Pause our emails on a copy of the site before Frappe sends what the original queued, and keep what arrives whole
before_job = [
	"drip_campaigns.jobs.dispatch_due.check_copy_before_flush",
	"drip_campaigns.inbound.raw_messages.keep_raw_messages",
]

# Recipients' pages
page_renderer = ["drip_campaigns.api.public.PublicPages"]
before_request = [
	"drip_campaigns.api.public.serve_visit",
	"drip_campaigns.inbound.raw_messages.keep_raw_messages",
]
after_request = ["drip_campaigns.api.public.answer_bad_body"]

# Exports of our lists contain no formulas, which strangers could write; charts of them show the user's own numbers
override_whitelisted_methods = {
	"frappe.desk.doctype.dashboard_chart.dashboard_chart.get": "drip_campaigns.api.charts.get",
	"frappe.desk.reportview.export_query": "drip_campaigns.api.exports.export_query",
}

# How long logs are kept, in days; Log Settings can change it
default_log_clearing_doctypes = {"Drip Event": 365}

# Lifecycle
before_install = "drip_campaigns.install.before_install"
after_install = "drip_campaigns.install.after_install"
before_migrate = ["drip_campaigns.install.before_migrate"]
after_migrate = ["drip_campaigns.install.after_migrate"]
after_app_install = "drip_campaigns.install.after_app_install"
before_app_uninstall = "drip_campaigns.uninstall.before_app_uninstall"
before_uninstall = "drip_campaigns.uninstall.before_uninstall"
after_uninstall = "drip_campaigns.uninstall.after_uninstall"

# Deleting an enrolled record, or a Communication of ours, is allowed; the enrollment records it
ignore_links_on_delete = [
	"Drip Enrollment",
	"Drip Former Enrollment",
	"Drip Email",
	"Drip Action",
	"Drip Event",
	"Drip Counter",
	"Drip Consent",
	"Drip Target List Member",
	"Drip Step Version",
	"Drip Proposed Change",
	"Drip Variant Result",
	"Drip Target List Refresh",
	"Drip Tracking URL",
	"Drip Trigger Firing",
]
