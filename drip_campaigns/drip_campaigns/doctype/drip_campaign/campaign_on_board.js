// Holding a campaign or a step, closing it, and moving everybody who stands at a step.

frappe.ui.form.on("Drip Campaign Step", {
	form_render(frm, doctype, name) {
		const row = frappe.get_doc(doctype, name);
		const can_hold = !frm.is_new() && !row.__islocal && may_write(frm) && frm.doc.status !== "Ended";
		const grid_row = frm.get_field("steps").grid.get_row(name);
		grid_row.toggle_display("pause_step", Boolean(can_hold && !cint(row.is_paused)));
		grid_row.toggle_display("resume_step", Boolean(can_hold && cint(row.is_paused)));
		grid_row.toggle_display("people_here", Boolean(can_hold));
	},

	pause_step(frm, doctype, name) {
		const text = __("Who reaches this step waits here. Nobody loses it, and the steps after it keep their distance.");
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
	const outcome = await call_on_board(method, { campaign: frm.doc.name, ...args });
	frm.reload_doc();
	return outcome;
}

function pause_campaign(frm) {
	const text = __("No email of this campaign leaves until it is resumed, queued ones included. Nobody loses their place.");
	ask_until(__("Pause"), text, async (until) => {
		await call_desk("pause_campaign", { campaign: frm.doc.name, until });
		frm.reload_doc();
	});
}

// Two ways to end: at once, or when those on board have finished.
function end_campaign(frm) {
	const ways = [
		{ value: "finish", label: __("Let those on board finish, and enroll nobody new") },
		{ value: "stop", label: __("Stop now: everybody leaves, and what is queued is not sent. This cannot be undone.") },
	];
	const field = { fieldname: "way", fieldtype: "Select", label: __("How"), options: ways, default: "finish", reqd: 1 };
	frappe.prompt(
		field,
		async ({ way }) => {
			if (way === "stop") await call_desk("end_campaign", { campaign: frm.doc.name });
			else await call_on_board("close_campaign", { campaign: frm.doc.name });
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
		.filter((step) => step.name !== row.name && !is_for_leavers(step))
		.map((step) => ({ value: step.name, label: `${step.idx}: ${name_step(frm, step)}` }));
	const verbs = ["Skip", "Move", "Start Over", "Pause", "Remove"].map((verb) => ({ value: verb, label: __(verb) }));
	const fields = [
		{ fieldtype: "HTML", options: `<p>${__("{0} wait for step {1} now.", [count, row.idx])}</p>` },
		{ fieldname: "verb", fieldtype: "Select", label: __("What to Do"), options: verbs, default: "Skip", reqd: 1 },
		{
			fieldname: "step",
			fieldtype: "Select",
			label: __("Send Next, at Once"),
			options: steps,
			depends_on: 'eval:doc.verb === "Move"',
			mandatory_depends_on: 'eval:doc.verb === "Move"',
		},
	];
	const act = async ({ verb, step }) => {
		const chosen = verb === "Skip" ? row.name : step;
		tell_outcome(await act_on_campaign(frm, "act_on_step", { at_step: row.name, verb, step: chosen }));
	};
	frappe.prompt(fields, act, __("People at Step {0}", [row.idx]), __("Do It"));
}
