{% include "drip_campaigns/public/js/form_buttons.js" %}
{% include "drip_campaigns/public/js/step_line.js" %}

// Whom the Recipient field offers: records that can get mail at all.
const RECIPIENT_FILTERS = {
	Contact: { email_id: ["is", "set"], unsubscribed: 0 },
	User: { enabled: 1, name: ["not in", ["Administrator", "Guest"]] },
	Lead: { email_id: ["is", "set"], unsubscribed: 0, disabled: 0 },
};

const is_enrollment = (...statuses) => (frm) =>
	!frm.is_new() && frm.perm[0].write && statuses.includes(frm.doc.status);

const ENROLLMENT_BUTTONS = [
	{
		label: __("Pause"),
		condition: is_enrollment("Scheduled", "In Progress"),
		action: (frm) =>
			act_on(frm, "pause_enrollment", __("Pause"), __("{0} gets no e-mail until you resume.", [name_of(frm)])),
	},
	{
		label: __("Remove"),
		condition: is_enrollment("Scheduled", "In Progress", "Paused"),
		action: (frm) =>
			act_on(
				frm,
				"remove_enrollment",
				__("Remove"),
				__("{0} leaves this campaign and gets none of its e-mails any more.", [name_of(frm)])
			),
	},
	{
		label: __("Resume"),
		primary: true,
		condition: is_enrollment("Paused"),
		action: (frm) =>
			act_on(
				frm,
				"resume_enrollment",
				__("Resume"),
				__("{0} goes on at the next step, with the rest of its delay.", [name_of(frm)])
			),
	},
	{
		label: __("Try Again"),
		primary: true,
		condition: is_enrollment("Failed"),
		action: (frm) =>
			act_on(
				frm,
				"resume_enrollment",
				__("Try Again"),
				__("The step that failed is tried again. Mend what the error says first.")
			),
	},
];

frappe.ui.form.on("Drip Enrollment", {
	setup(frm) {
		frm.can_make_methods = { Communication: () => false };
		frm.set_query("campaign", () => ({ filters: { status: ["!=", "Ended"] } }));
		frm.set_query("recipient", () => ({ filters: RECIPIENT_FILTERS[frm.doc.recipient_type] || {} }));
	},

	async onload(frm) {
		const types = await frappe.xcall("drip_campaigns.api.desk.get_recipient_types", {}, "GET");
		frm.set_query("recipient_type", () => ({ filters: { name: ["in", types] } }));
		if (frm.is_new() && !frm.doc.recipient_type) frm.set_value("recipient_type", types[0]);
	},

	refresh(frm) {
		add_buttons(frm, ENROLLMENT_BUTTONS);
		show_what_holds_it(frm);
		draw_progress(frm);
	},

	recipient_type(frm) {
		if (frm.doc.recipient) frm.set_value("recipient", "");
	},
});

function name_of(frm) {
	return frappe.utils.escape_html(frm.doc.recipient_name || frm.doc.email_address || frm.doc.recipient);
}

function act_on(frm, method, label, question) {
	return ask_and_call(frm, { method, args: { enrollment: frm.doc.name }, question, label });
}

// The last error with its remedy, or why nothing more is sent.
function show_what_holds_it(frm) {
	frm.set_intro();
	if (frm.is_new()) return;
	const { status, exit_reason, last_error, next_send_at } = frm.doc;
	if (last_error) {
		const remedy =
			status === "Failed"
				? __("Mend the cause, then press Try Again.")
				: __("Mend the cause; it is tried again {0}.", [comment_when(next_send_at)]);
		frm.set_intro(`<b>${frappe.utils.escape_html(last_error)}</b><br>${remedy}`, "red");
	} else if (status === "Exited") {
		frm.set_intro(__("Nothing more is sent: {0}.", [__(exit_reason)]), "blue");
	} else if (status === "Unsubscribed") {
		frm.set_intro(__("Nothing more is sent: the recipient unsubscribed from this campaign."), "blue");
	}
}

function comment_when(datetime) {
	return datetime ? frappe.datetime.prettyDate(datetime) : __("with the next dispatch");
}

async function draw_progress(frm) {
	const canvas = get_canvas(frm, "next_step_subject").empty();
	if (frm.is_new()) return;
	const schedule = await frappe.xcall(
		"drip_campaigns.api.desk.get_enrollment_schedule",
		{ enrollment: frm.doc.name },
		"GET"
	);
	canvas.html(schedule.length ? make_step_line(schedule.map((step) => make_stop(frm, step))) : "");
}

const STATE_OF_EMAIL = {
	Queued: "queued",
	Sending: "queued",
	Sent: "sent",
	Skipped: "skipped",
	Failed: "failed",
	"In Doubt": "failed",
};

function make_stop(frm, { step, subject, planned_at, status, sent_at }) {
	const moment_of = sent_at || planned_at;
	const is_next = !STATE_OF_EMAIL[status] && step === frm.doc.next_step;
	return {
		hours: moment_of ? moment(moment_of).valueOf() / 3600000 : 0,
		when: moment_of ? frappe.datetime.str_to_user(moment_of).replace(/:\d\d$/, "") : __("Not planned"),
		subject,
		state: STATE_OF_EMAIL[status] || (is_next ? "next" : "planned"),
		note: status === "In Doubt" ? __("In doubt") : "",
	};
}
