// The buttons of a campaign, and their confirmation questions.

// Activating needs its own permission (level 1); the other buttons need write permission.
const may_activate = (frm) => Boolean(frm.perm[1] && frm.perm[1].write);
const may_write = (frm) => Boolean(frm.perm[0] && frm.perm[0].write);
const may_change_live = (frm) => may_write(frm) && (frm.doc.status === "Draft" || may_activate(frm));
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
		label: __("Reopen"),
		condition: (frm) => may_write(frm) && is_campaign(may_activate, "Active", "Paused")(frm) && frm.doc.closed_at,
		action: (frm) => act_on_campaign(frm, "reopen_campaign", {}),
	},
	{
		label: __("Activate"),
		primary: true,
		condition: is_campaign(may_activate, "Draft"),
		action: (frm) =>
			activate_and_ask(
				frm,
				__("Start sending? Everyone enrolled will receive each email on schedule.")
			),
	},
	{
		label: __("Resume"),
		primary: true,
		condition: is_campaign(may_activate, "Paused"),
		action: (frm) => resume_campaign(frm),
	},
];

// Shown once the counts are loaded. The server counts with the selection of the act, so a button never does nothing.
const REPAIR_BUTTONS = [
	{
		label: __("Retry Failed"),
		condition: (frm) => may_write(frm) && count_repairs(frm, "failed"),
		action: (frm) =>
			change_status(
				frm,
				"retry_failed",
				__("Retry Failed"),
				__("{0} failed enrollments, emails, and actions are tried again. Fix the cause shown in each error first.", [
					count_repairs(frm, "failed"),
				])
			),
	},
	{
		label: __("Send Skipped Emails"),
		condition: (frm) => may_write(frm) && count_repairs(frm, "missed"),
		action: (frm) =>
			change_status(
				frm,
				"send_missed",
				__("Send Skipped Emails"),
				__("Send {0} emails that were skipped because they were late? People who are paused or have left are not included.", [
					count_repairs(frm, "missed"),
				])
			),
	},
];

function count_repairs(frm, act) {
	return cint(frm.drip_summary && frm.drip_summary.repairs[act]);
}

function change_status(frm, method, label, question) {
	return ask_and_call(frm, { method, args: { campaign: frm.doc.name }, question, label });
}

function explain_resume(frm) {
	if (frm.doc.if_late === "Keep Dates") {
		return __("Sending resumes. Steps that are more than {0} hours late are skipped.", [
			cint(frm.doc.grace_hours),
		]);
	}
	return __("Sending resumes. Everyone continues where they were, with the rest of their delay.");
}
