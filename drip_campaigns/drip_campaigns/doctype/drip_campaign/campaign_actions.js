// The buttons of a campaign, and what each one says before it acts.

const may_activate = (frm) => !frm.is_new() && Boolean(frm.perm[1] && frm.perm[1].write);
const is_campaign = (...statuses) => (frm) => may_activate(frm) && statuses.includes(frm.doc.status);

const CAMPAIGN_BUTTONS = [
	{
		label: __("Send Test"),
		condition: (frm) => !frm.is_new() && frm.doc.steps.length > 0,
		action: (frm) => open_send_test(frm),
	},
	{
		label: __("Enroll"),
		condition: (frm) => frm.doc.status === "Active" && frappe.model.can_create("Drip Enrollment"),
		action: (frm) => enroll(frm),
	},
	{
		label: __("Pause"),
		condition: is_campaign("Active"),
		action: (frm) =>
			change_status(
				frm,
				"pause_campaign",
				__("Pause"),
				__("No e-mail of this campaign leaves until you resume it. Nobody loses their place.")
			),
	},
	{
		label: __("End"),
		condition: is_campaign("Active", "Paused"),
		action: (frm) =>
			change_status(
				frm,
				"end_campaign",
				__("End"),
				__("No e-mail of this campaign leaves any more, not even to those who are in the middle of it.")
			),
	},
	{
		label: __("Activate"),
		primary: true,
		condition: is_campaign("Draft"),
		action: (frm) =>
			change_status(
				frm,
				"activate_campaign",
				__("Activate"),
				__("From now on everybody who is enrolled gets the e-mails of this campaign when they are due. Those who are enrolled already begin now.")
			),
	},
	{
		label: __("Resume"),
		primary: true,
		condition: is_campaign("Paused"),
		action: (frm) => change_status(frm, "resume_campaign", __("Resume"), explain_resume(frm)),
	},
];

function change_status(frm, method, label, question) {
	return ask_and_call(frm, { method, args: { campaign: frm.doc.name }, question, label });
}

function explain_resume(frm) {
	if (frm.doc.if_late === "Keep Dates") {
		return __("E-mails leave again. Steps that are overdue by more than {0} hours are skipped.", [
			cint(frm.doc.grace_hours),
		]);
	}
	return __("E-mails leave again. What has become due leaves now, and the steps after it keep their distance.");
}

function enroll(frm) {
	frappe.new_doc("Drip Enrollment", { campaign: frm.doc.name });
}
