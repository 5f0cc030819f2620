// Pause, close, or end a campaign, pause a step, and move the people at a step.

frappe.ui.form.on("Drip Campaign Step", {
	form_render(frm, doctype, name) {
		const row = frappe.get_doc(doctype, name);
		const can_pause = !frm.is_new() && !row.__islocal && may_write(frm) && frm.doc.status !== "Ended";
		const grid_row = frm.get_field("steps").grid.get_row(name);
		grid_row.toggle_display("pause_step", Boolean(can_pause && !cint(row.is_paused)));
		grid_row.toggle_display("resume_step", Boolean(can_pause && cint(row.is_paused) && may_change_live(frm)));
		grid_row.toggle_display("people_here", Boolean(can_pause));
	},

	pause_step(frm, doctype, name) {
		const text = __("People who reach this step wait here and continue when it resumes. The intervals to the later steps stay the same.");
		ask_until(__("Pause Step"), text, (until) => act_on_campaign(frm, "pause_step", { step: name, until }));
	},

	resume_step(frm, doctype, name) {
		act_on_campaign(frm, "resume_step", { step: name });
	},

	people_here(frm, doctype, name) {
		move_people(frm, frappe.get_doc(doctype, name));
	},
});

async function act_on_campaign(frm, method, args) {
	if (frm.is_dirty()) await frm.save();
	const outcome = await call_enrollments(method, { campaign: frm.doc.name, ...args });
	frm.reload_doc();
	return outcome;
}

function pause_campaign(frm) {
	const text = __("This campaign sends nothing until it resumes, including queued emails. Everyone keeps their place.");
	const pause = async (until, { take_no_one_new }) => {
		await call_desk("pause_campaign", { campaign: frm.doc.name, until, take_no_one_new: cint(take_no_one_new) });
		frm.reload_doc();
	};
	const take_no_one_new = {
		fieldname: "take_no_one_new",
		fieldtype: "Check",
		label: __("Take No One New"),
		description: __("Triggers, lists, and people enroll nobody during the pause. When you resume, you choose what happens with those who came. A pause that ends by date leaves them out."),
	};
	ask_until(__("Pause"), text, pause, [take_no_one_new]);
}

// While the campaign took no one new, triggers and lists may have refused people: resuming says how many, and asks.
function resume_campaign(frm) {
	const refused = cint((frm.doc.__onload || {}).refused_meanwhile);
	if (!refused) {
		return ask_and_call(frm, { method: "resume_campaign", args: { campaign: frm.doc.name }, question: explain_resume(frm), label: __("Resume") });
	}
	const ways = [
		{ value: "leave", label: __("Leave them out") },
		{ value: "enroll", label: __("Enroll them now, if the rules still allow it") },
	];
	const meanwhile = {
		fieldname: "way",
		fieldtype: "Select",
		label: __("{0} Came Meanwhile", [refused]),
		options: ways,
		default: "leave",
		reqd: 1,
		description: __("Triggers and lists refused them during the pause. Someone who came in two ways counts twice."),
	};
	const dialog = frappe.prompt(
		[NOTE, meanwhile],
		async ({ way }) => {
			await call_desk("resume_campaign", { campaign: frm.doc.name, enroll_refused: cint(way === "enroll") }, { freeze: true });
			frm.reload_doc();
		},
		__("Resume"),
		__("Resume")
	);
	show_note(dialog, `<p>${explain_resume(frm)}</p>`);
}

// Two ways to end: now, or when everyone in the campaign has finished.
function end_campaign(frm) {
	const ways = [
		{ value: "finish", label: __("Close: enroll no one new, and end when everyone has finished") },
		{ value: "stop", label: __("Stop now: end all enrollments and cancel queued emails. This cannot be undone.") },
	];
	const field = { fieldname: "way", fieldtype: "Select", label: __("When"), options: ways, default: "finish", reqd: 1 };
	frappe.prompt(
		field,
		async ({ way }) => {
			if (way === "stop") await call_desk("end_campaign", { campaign: frm.doc.name });
			else await call_enrollments("close_campaign", { campaign: frm.doc.name });
			frm.reload_doc();
		},
		__("End"),
		__("End")
	);
}

async function move_people(frm, row) {
	const { message: count } = await frappe.call({
		method: "drip_campaigns.api.enrollments.count_at_step",
		args: { campaign: frm.doc.name, step: row.name },
		type: "GET",
	});
	const steps = frm.doc.steps
		.filter((step) => step.name !== row.name && step.run_when !== "On Exit")
		.map((step) => ({ value: step.name, label: frappe.utils.escape_html(`${step.idx}: ${name_step(frm, step)}`) }));
	const verbs = ["Skip", "Move", "Restart", "Pause", "Remove"].map((verb) => ({ value: verb, label: __(verb) }));
	const fields = [
		NOTE,
		{ fieldname: "verb", fieldtype: "Select", label: __("Action"), options: verbs, default: "Skip", reqd: 1 },
		{
			fieldname: "step",
			fieldtype: "Select",
			label: __("Step to Send Now"),
			options: steps,
			depends_on: 'eval:doc.verb === "Move"',
			mandatory_depends_on: 'eval:doc.verb === "Move"',
		},
	];
	const act = async ({ verb, step }) => {
		const chosen = verb === "Skip" ? row.name : step;
		show_outcome(await act_on_campaign(frm, "change_enrollments_at_step", { at_step: row.name, verb, step: chosen }));
	};
	const dialog = frappe.prompt(fields, act, __("People at Step {0}", [cint(row.idx)]), __("Apply"));
	show_note(dialog, `<p>${__("{0} people are waiting for step {1}.", [cint(count), cint(row.idx)])}</p>`);
}
