// The buttons of a campaign, and what each one says before it acts.

// To let a campaign send is a right of its own; for all else, writing is enough.
const may_activate = (frm) => Boolean(frm.perm[1] && frm.perm[1].write);
const may_write = (frm) => Boolean(frm.perm[0] && frm.perm[0].write);
const is_campaign = (may, ...statuses) => (frm) => !frm.is_new() && may(frm) && statuses.includes(frm.doc.status);

const CAMPAIGN_BUTTONS = [
	{
		label: __("Send Test"),
		condition: (frm) => !frm.is_new() && may_write(frm) && frm.doc.steps.some(is_email),
		action: (frm) => open_send_test(frm),
	},
	{
		label: __("Enroll"),
		condition: (frm) => !frm.is_new() && frm.doc.status !== "Ended" && frappe.model.can_create("Drip Enrollment"),
		action: (frm) => drip_campaigns.enroll({ campaign: frm.doc.name, on_done: () => frm.reload_doc() }),
	},
	{
		label: __("Enroll Existing"),
		condition: (frm) => may_write(frm) && frm.doc.status === "Active" && (frm.doc.triggers.length > 0 || frm.doc.target_lists.length > 0),
		action: (frm) => backfill_existing(frm),
	},
	{
		label: __("Pause"),
		condition: is_campaign(may_write, "Active"),
		action: (frm) => pause_campaign(frm),
	},
	{
		label: __("End"),
		condition: is_campaign(may_write, "Active", "Paused"),
		action: (frm) => end_campaign(frm),
	},
	{
		label: __("Open Again"),
		condition: (frm) => is_campaign(may_write, "Active", "Paused")(frm) && frm.doc.closed_at,
		action: (frm) => act_on_campaign(frm, "reopen_campaign", {}),
	},
	{
		label: __("Activate"),
		primary: true,
		condition: is_campaign(may_activate, "Draft"),
		action: (frm) =>
			activate_and_ask(
				frm,
				__("From now on everybody who is enrolled gets the emails of this campaign when they are due.")
			),
	},
	{
		label: __("Resume"),
		primary: true,
		condition: is_campaign(may_activate, "Paused"),
		action: (frm) => change_status(frm, "resume_campaign", __("Resume"), explain_resume(frm)),
	},
];

// Offered when there is something to mend, which is known only once the counts are there.
const REPAIR_BUTTONS = [
	{
		label: __("Retry Failed"),
		condition: (frm) => may_write(frm) && frm.doc.status !== "Ended" && has_some(frm.drip_summary, "Failed"),
		action: (frm) =>
			change_status(
				frm,
				"retry_failed",
				__("Retry Failed"),
				__("Failed enrollments, emails and actions are tried again. Mend what their errors say first.")
			),
	},
	{
		label: __("Send Missed"),
		condition: (frm) => may_write(frm) && frm.doc.status === "Active" && has_some(frm.drip_summary, "Missed"),
		action: (frm) =>
			change_status(
				frm,
				"send_missed",
				__("Send Missed"),
				__("Steps that were skipped because they were overdue are sent after all.")
			),
	},
];

function has_some(summary, status) {
	return Boolean(summary && (summary.enrollments[status] || summary.emails[status] || summary.actions[status]));
}

function change_status(frm, method, label, question) {
	return ask_and_call(frm, { method, args: { campaign: frm.doc.name }, question, label });
}

function explain_resume(frm) {
	if (frm.doc.if_late === "Keep Dates") {
		return __("Emails leave again. Steps that are overdue by more than {0} hours are skipped.", [
			cint(frm.doc.grace_hours),
		]);
	}
	return __("Emails leave again. Everybody goes on where they were, with the rest of the delay that was running.");
}
