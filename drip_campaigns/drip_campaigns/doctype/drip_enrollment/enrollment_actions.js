// The buttons of an enrollment, and what each one says before it acts.

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
		condition: (frm) => is_enrollment("Paused")(frm) && !frm.doc.paused_until, // the recipient's own pause ends by itself
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
	{
		label: __("Bring Back"),
		condition: (frm) => is_enrollment("Unsubscribed")(frm) && frappe.model.can_write("Drip Suppression"),
		action: (frm) =>
			ask_why(frm, {
				title: __("Bring Back"),
				label: __("{0} has unsubscribed. Who asked for it to be undone, when and how?", [name_of(frm)]),
				call: (text) => call_desk("bring_back_enrollment", { enrollment: frm.doc.name, because: text }),
			}),
	},
	{
		label: __("Put Back"),
		condition: is_enrollment("Exited"),
		action: (frm) =>
			act_on(frm, "resume_enrollment", __("Put Back"), __("{0} goes on where they left the campaign.", [name_of(frm)])),
	},
];

function name_of(frm) {
	return frappe.utils.escape_html(frm.doc.recipient_name || frm.doc.email_address || frm.doc.recipient);
}

function act_on(frm, method, label, question) {
	return ask_and_call(frm, { method, args: { enrollment: frm.doc.name }, question, label });
}
