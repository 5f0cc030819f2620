{% include "drip_campaigns/public/js/desk_api.js" %}
{% include "drip_campaigns/public/js/form_buttons.js" %}
{% include "drip_campaigns/public/js/step_line.js" %}
{% include "drip_campaigns/public/js/bulk_actions.js" %}
{% include "drip_campaigns/public/js/retry_actions.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_enrollment/enrollment_actions.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_enrollment/enrollment_line.js" %}

// The Recipient field offers only records that can get email.
const RECIPIENT_FILTERS = {
	Contact: { email_id: ["is", "set"], unsubscribed: 0 },
	User: { enabled: 1, name: ["not in", ["Administrator", "Guest"]] },
	Lead: { email_id: ["is", "set"], unsubscribed: 0, disabled: 0 },
};

frappe.ui.form.on("Drip Enrollment", {
	setup(frm) {
		frm.can_make_methods = { Communication: () => false };
		frm.set_query("campaign", () => ({ filters: { status: ["!=", "Ended"] } }));
		frm.set_query("recipient", () => ({ filters: RECIPIENT_FILTERS[frm.doc.recipient_type] || {} }));
	},

	async onload(frm) {
		frm.drip_recipient_type = frm.doc.recipient_type;
		const types = await read_from_desk("get_recipient_types");
		frm.set_query("recipient_type", () => ({ filters: { name: ["in", types] } }));
		if (frm.is_new() && !frm.doc.recipient_type) frm.set_value("recipient_type", types[0]);
	},

	refresh(frm) {
		add_buttons(frm, ENROLLMENT_BUTTONS);
		frm.set_df_property("start_date", "read_only", !frm.is_new());
		hide_repeated_fields(frm);
		show_status_note(frm);
		draw_progress(frm);
	},

	recipient_type(frm) {
		// Desk also fires this event for the initial value of a new form.
		if (frm.doc.recipient_type === frm.drip_recipient_type) return;
		frm.drip_recipient_type = frm.doc.recipient_type;
		if (frm.doc.recipient) frm.set_value("recipient", "");
	},
});

function hide_repeated_fields(frm) {
	const { recipient, recipient_name } = frm.doc;
	frm.toggle_display("recipient_name", recipient_name && recipient_name !== recipient);
	frm.toggle_display("email_address", !frm.is_new());
	frm.toggle_display("last_error", false);
}

// Show the last error and its fix, or why no more emails are sent.
function show_status_note(frm) {
	frm.set_intro();
	if (frm.is_new()) return;
	const { status, exit_reason, last_error, next_step, next_send_at, confirmation } = frm.doc;
	const { deferred_until, deferred_reason } = frm.doc;
	if (last_error) {
		const remedy =
			status === "Failed"
				? __("Fix the cause, then click Try Again.")
				: __("Fix the cause. Next attempt: {0}.", [comment_when(next_send_at)]);
		frm.set_intro(`<b>${frappe.utils.escape_html(last_error)}</b><br>${remedy}`, "red");
	} else if (status === "Scheduled" && confirmation === "Awaiting") {
		frm.set_intro(describe_waiting(frm.doc), "yellow");
	} else if (status === "Paused") {
		frm.set_intro(describe_pause(frm.doc), "yellow");
	} else if (deferred_until && deferred_reason) {
		const moment_of = describe_moment(deferred_until);
		const text = __("Deferred until {0}: {1}. No email is lost.", [moment_of, __(deferred_reason)]);
		frm.set_intro(`<div>${frappe.utils.escape_html(text)}</div>`, "yellow");
	} else if (status === "In Progress" && next_step && !next_send_at) {
		frm.set_intro(__("The next step is paused and runs when it is resumed."), "yellow");
	} else if (status === "Exited") {
		frm.set_intro(__("Ended, no more emails: {0}.", [__(exit_reason)]), "blue");
	} else if (status === "Unsubscribed") {
		frm.set_intro(__("The recipient unsubscribed from this campaign and gets no more emails from it."), "blue");
	}
}

function describe_waiting({ confirmation_asked_at }) {
	const asked = confirmation_asked_at
		? __("The confirmation email was sent {0}.", [frappe.datetime.prettyDate(confirmation_asked_at)])
		: __("The confirmation email is sent with the next run of the active campaign.");
	return `<b>${__("Awaiting confirmation.")}</b> ${asked} ${__("No other email is sent before that.")}`;
}

function describe_pause({ paused_at, paused_until }) {
	return paused_until
		? __("Paused until {0}. Resumes automatically.", [describe_moment(paused_until)])
		: __("Paused by a user since {0}. Sends nothing until it is resumed.", [describe_moment(paused_at)]);
}

function comment_when(datetime) {
	return datetime ? describe_moment(datetime) : __("next run");
}

// A short date and time in the format of the user's language.
function describe_moment(datetime) {
	const parts = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
	return moment(datetime).toDate().toLocaleString(frappe.boot.lang || "en", parts);
}
