// A campaign at a glance: the schedule as a line, the number of people in each status, and what to do next.

const load_sentences_soon = frappe.utils.debounce(load_sentences, 200);

function draw_schedule(frm) {
	draw_line(frm);
	load_sentences_soon(frm);
}

function draw_line(frm) {
	const steps = frm.doc.steps || [];
	const placed = sort_by_day(frm, steps.filter((step) => !runs_on_exit(step)));
	const stops = placed.map(({ step, hours, when }) => ({
		hours,
		when,
		subject: name_step(frm, step),
		state: cint(step.enabled) && !cint(step.is_draft) ? "planned" : "disabled",
		kind: { Action: "action", "Wait Until": "way", End: "way" }[step.step_type],
		note: describe_place(step),
	}));
	const canvas = get_canvas(frm, "steps").html(stops.length ? make_step_line(stops) : "");
	draw_ways(canvas, placed.map(({ step }) => step));
	canvas.append(steps.filter(runs_on_exit).map(draw_exit_step));
}

// The steps in the order in which they run, each with its day. A row that the server does not know yet comes last.
function sort_by_day(frm, steps) {
	const days = frm.drip_days || [];
	const placed = steps.map((step) => {
		const place = days.findIndex((day) => day.step === step.name);
		const { hours = null, when = "" } = days[place] || {};
		return { step, hours, when, place: place < 0 ? days.length : place };
	});
	return placed.sort((a, b) => a.place - b.place);
}

// A step on exit has no day on the line: its delay starts when a recipient exits.
const runs_on_exit = (step) => step.run_when === "On Exit";

function draw_exit_step(step) {
	const hours = cint(step.send_after_days) * 24 + cint(step.send_after_hours);
	const delay = hours ? __("{0} later", [describe_length(hours)]) : "";
	const text = [name_turn(step), delay, cint(step.enabled) ? "" : __("Disabled")].filter(Boolean).join(" · ");
	return $('<p class="drip-leavers">').text(text);
}

function name_step(frm, step) {
	const turn = name_turn(step);
	if (turn) return turn;
	const subject = step.subject || (frm.template_subjects || {})[step.email_template] || step.email_template || "";
	return put_fields_in_brackets(subject);
}

// A note on the flow replaces the note that a step is counted from the start.
function describe_place(step) {
	const flow = describe_flow(step);
	const delay = describe_delay(step);
	return flow && delay === __("After the start") ? flow : [delay, flow].filter(Boolean).join("; ");
}

function describe_delay(step) {
	if (!cint(step.enabled)) return __("Disabled");
	if (cint(step.is_draft)) return __("Draft");
	if (cint(step.is_paused)) return __("Paused");
	if (step.counted_from === "Previous Step" && step.idx > 1) return __("After the row above");
	const is_immediate = !cint(step.send_after_days) && !cint(step.send_after_hours);
	return is_immediate ? __("At the start") : __("After the start");
}

async function load_summary(frm) {
	frm.drip_summary = null;
	if (frm.is_new()) return;
	frm.drip_summary = await read_from_desk("get_campaign_summary", { campaign: frm.doc.name });
	frm.drip_is_held = cint(await frappe.db.get_single_value("Drip Settings", "pause_sending"));
}

// The server decides which card each enrollment and each email stands on.
function show_counts(frm) {
	const canvas = get_canvas(frm, "campaign_name").empty();
	if (!frm.drip_summary || !count_enrollments(frm)) return;
	const row = $('<div class="drip-counts">').appendTo(canvas);
	for (const { label, doctype, statuses, count, is_bad } of frm.drip_summary.cards) {
		const status = statuses.length > 1 ? ["in", statuses] : statuses[0];
		$(`<button type="button"><b>${cint(count)}</b>${frappe.utils.escape_html(label)}</button>`)
			.toggleClass("bad", is_bad)
			.on("click", () => frappe.set_route("List", doctype, { campaign: frm.doc.name, status }))
			.appendTo(row);
	}
}

function count_enrollments(frm) {
	return Object.values(frm.drip_summary.enrollments).reduce((sum, count) => sum + count, 0);
}

// One sentence for a new user.
function show_next_move(frm) {
	frm.set_intro();
	const [text, color] = find_next_move(frm) || [];
	if (text) frm.set_intro(text, color);
	if (frm.doc.omit_unsubscribe_link) {
		const warning = __("These emails have no unsubscribe link. In most countries, marketing email must have one.");
		frm.set_intro(warning, "red");
	}
}

function find_next_move(frm) {
	const { status, steps, pause_reason, paused_until, closed_at } = frm.doc;
	if (!steps.length) {
		return [__("Add your first email below: choose when it is sent and write it. Then save."), "blue"];
	}
	if (frm.is_new()) return null;
	if (status === "Draft" && may_activate(frm)) {
		return [__("A draft sends nothing. Send yourself a test, then click Activate."), "blue"];
	}
	if (status === "Draft") {
		return [__("A draft sends nothing. Ask a Drip Manager to activate it."), "blue"];
	}
	if (status === "Active" && frm.drip_is_held) {
		return [__("Drip Settings has paused all sending. Resume it there to send emails."), "orange"];
	}
	if (status === "Active" && !count_enrollments(frm)) {
		return [__("This campaign is active and has no recipients yet. Click Enroll, or + under Connections."), "blue"];
	}
	if (status === "Paused" && pause_reason) {
		return [`<div style="white-space: pre-line">${frappe.utils.escape_html(pause_reason)}</div>`, "red"];
	}
	if (status === "Paused" && paused_until) {
		return [__("Paused until {0}. It then resumes automatically.", [frappe.datetime.str_to_user(paused_until)]), "orange"];
	}
	if (closed_at && status === "Active") {
		return [__("Closed to new recipients. The campaign ends when the last enrollment is finished."), "orange"];
	}
	if (status === "Paused" && cint(frm.doc.take_no_one_new)) {
		return [__("Paused, and takes no one new. Resume the campaign to send emails again."), "orange"];
	}
	if (status === "Paused") return [__("Paused. Resume the campaign to send emails again."), "orange"];
	if (status === "Ended") return [__("Ended. The campaign sends no more emails."), "orange"];
	return null;
}
