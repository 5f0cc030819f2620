// The buttons of an enrollment, and their confirmation questions.

const is_enrollment = (...statuses) => (frm) =>
	!frm.is_new() && frm.perm[0].write && statuses.includes(frm.doc.status);

const ENROLLMENT_BUTTONS = [
	{
		label: __("Pause"),
		condition: is_enrollment("Scheduled", "In Progress"),
		action: (frm) =>
			ask_until(__("Pause"), __("{0} gets no emails during the pause, and all of them afterward.", [name_of(frm)]), async (until) => {
				await call_desk("pause_enrollment", { enrollment: frm.doc.name, until });
				frm.reload_doc();
			}),
	},
	{
		label: __("Move"),
		condition: (frm) => is_enrollment("Scheduled", "In Progress")(frm) && frm.doc.next_step,
		action: (frm) => move_person(frm),
	},
	{
		label: __("Remove"),
		condition: is_enrollment("Scheduled", "In Progress", "Paused"),
		action: (frm) =>
			act_on(
				frm,
				"remove_enrollment",
				__("Remove"),
				__("Remove {0} from this campaign? They get no more emails from it.", [name_of(frm)])
			),
	},
	{
		label: __("Resume"),
		primary: true,
		condition: (frm) => is_enrollment("Paused")(frm) && !frm.doc.__onload?.is_pause_of_recipient,
		action: (frm) =>
			act_on(
				frm,
				"resume_enrollment",
				__("Resume"),
				__("{0} continues with the next step, after the rest of its delay.", [name_of(frm)])
			),
	},
	{
		label: __("Unsubscribe"),
		condition: is_enrollment("Paused"),
		action: (frm) =>
			act_on(
				frm,
				"unsubscribe_enrollment",
				__("Unsubscribe"),
				__("Unsubscribe {0}, who asked for it? They get no more emails from this campaign.", [name_of(frm)])
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
				__("The failed step is tried again. Fix the cause shown in the error first.")
			),
	},
	{
		label: __("Resubscribe"),
		condition: (frm) => is_enrollment("Unsubscribed")(frm) && frappe.model.can_write("Drip Suppression"),
		action: (frm) =>
			ask_why(frm, {
				title: __("Resubscribe"),
				label: __("{0} unsubscribed. Who asked to undo this, when, and how?", [name_of(frm)]),
				call: (text) => call_desk("resubscribe_enrollment", { enrollment: frm.doc.name, because: text }),
			}),
	},
	{
		label: __("Resume"),
		condition: is_enrollment("Exited"),
		action: (frm) =>
			act_on(frm, "resume_enrollment", __("Resume"), __("{0} continues where they stopped.", [name_of(frm)])),
	},
];

// Skip the next step, go to another one, or restart.
async function move_person(frm) {
	const campaign = await frappe.db.get_doc("Drip Campaign", frm.doc.campaign);
	const steps = campaign.steps
		.filter((row) => row.run_when !== "On Exit")
		.map((row) => ({ value: row.name, label: frappe.utils.escape_html(`${row.idx}: ${name_row(row)}`) }));
	const next_step = frappe.utils.escape_html(put_fields_in_brackets(frm.doc.next_step_subject || ""));
	const verbs = [
		{ value: "Skip", label: __("Skip the next step: {0}", [next_step]) },
		{ value: "Move", label: __("Send another step now") },
		{ value: "Restart", label: __("Restart with the first step") },
	];
	const fields = [
		{ fieldname: "verb", fieldtype: "Select", label: __("Action"), options: verbs, default: "Skip", reqd: 1 },
		{
			fieldname: "step",
			fieldtype: "Select",
			label: __("Step"),
			options: steps,
			depends_on: 'eval:doc.verb === "Move"',
			mandatory_depends_on: 'eval:doc.verb === "Move"',
			description: __("Steps before it are skipped; later steps keep their intervals."),
		},
	];
	const act = async ({ verb, step }) => {
		const chosen = verb === "Skip" ? frm.doc.next_step : step;
		const enrollments = JSON.stringify([frm.doc.name]);
		show_outcome(await call_enrollments("change_enrollments", { verb, enrollments, step: chosen }));
		frm.reload_doc();
	};
	frappe.prompt(fields, act, __("Move {0}", [name_of(frm)]), __("Apply"));
}

// Name a step in a list of choices: its subject, or what it does.
function name_row({ step_type, subject, email_template, sentence, label }) {
	if (step_type && step_type !== "Send Email") return sentence || label || __(step_type);
	return put_fields_in_brackets(subject || email_template || "");
}

function name_of(frm) {
	return frappe.utils.escape_html(frm.doc.recipient_name || frm.doc.email_address || frm.doc.recipient);
}

function act_on(frm, method, label, question) {
	return ask_and_call(frm, { method, args: { enrollment: frm.doc.name }, question, label });
}
