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

# Recipients' forms and lists enroll their records, and show the campaigns they are on
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

# Consent given back elsewhere; and whatever fires a trigger
doc_events = {
	"*": {
		"on_change": "drip_campaigns.triggers.doc_events.fire_on_change",
		"onload": "drip_campaigns.desk.suppression_notice.show_suppression",
	},
	# Who listens to enrollments and to the log, which are written in bulk
	**dict.fromkeys(
		("Webhook", "Notification", "Server Script"),
		dict.fromkeys(("on_update", "on_trash"), "drip_campaigns.db.doc_event_queue.forget"),
	),
	# Who has opted out of everything is marked in records that come later, too
	**dict.fromkeys(
		("Contact", "Email Group Member", "Employee", "Lead", "User"),
		{"validate": "drip_campaigns.enrollment.doc_events.apply_suppression"},
	),
	# Opting out by mail; bounces, complaints and answers
	"Communication": {
		"after_insert": [
			"drip_campaigns.inbound.unsubscribe_mails.unsubscribe_by_mail",
			"drip_campaigns.inbound.incoming.read_communication",
		]
	},
	# A ToDo for which a campaign waits
	"ToDo": {
		"on_update": "drip_campaigns.actions.todo_closed.record_closed_todo",
		"on_trash": "drip_campaigns.actions.todo_closed.record_closed_todo",
	},
	"Unhandled Email": {"after_insert": "drip_campaigns.inbound.incoming.read_unhandled"},
	"Email Unsubscribe": {"after_insert": "drip_campaigns.enrollment.doc_events.exit_on_email_unsubscribe"},
	"Personal Data Deletion Request": {
		"on_update": "drip_campaigns.enrollment.doc_events.erase_personal_data",
	},
	# Days on which nothing is sent
	"Holiday List": {"on_update": "drip_campaigns.campaign.holiday_field.replan_after_change"},
}

# Functions that run with each batch of events that the log records, in the same transaction and in this order
drip_event_subscribers = [
	"drip_campaigns.triggers.events.fire_triggers",
	"drip_campaigns.enrollment.wake_waiting.wake_after_events",
	"drip_campaigns.actions.exit_steps.record_exit_steps",
]

# What is stored about people, for requests to have it and to have it erased (Personal Data Deletion Request)
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
		# Every five minutes: send what is due.
		"*/5 * * * *": ["drip_campaigns.jobs.dispatch_due.dispatch_due"],
		# Every quarter of an hour: ask the sources of the target lists that are due; take up what has lost its worker.
		"*/15 * * * *": [
			"drip_campaigns.jobs.refresh_lists.refresh_due",
			"drip_campaigns.jobs.bulk_enrollment.resume_orphaned",
		],
	},
	# Once a day: statuses, end dates, and what is due.
	"daily_long": ["drip_campaigns.jobs.daily.run_daily"],
}

# A copy of the site is found out before Frappe sends what was queued on the original
before_job = ["drip_campaigns.jobs.dispatch_due.check_copy_before_flush"]

# Recipients' pages
page_renderer = ["drip_campaigns.api.public.PublicPages"]
before_request = ["drip_campaigns.api.public.serve_visit"]

# How long logs are kept, in days: Log Settings can say another number
default_log_clearing_doctypes = {"Drip Event": 365}

# Lifecycle
after_install = "drip_campaigns.install.after_install"
after_migrate = ["drip_campaigns.install.after_migrate"]
after_app_install = "drip_campaigns.install.after_app_install"
after_app_uninstall = "drip_campaigns.uninstall.after_app_uninstall"
before_uninstall = "drip_campaigns.uninstall.before_uninstall"
after_uninstall = "drip_campaigns.uninstall.after_uninstall"

# Deleting a record that was enrolled, or a Communication of ours, is allowed; the enrollment says what became of it.
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
	"Drip Variant Result",
	"Drip Target List Refresh",
	"Drip Tracking URL",
	"Drip Trigger Firing",
]
