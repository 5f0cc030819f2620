// What a campaign looks like at a glance: the schedule as a line, how many are where, and what to do next.

const load_sentences_soon = frappe.utils.debounce(load_sentences, 200);

function draw_schedule(frm) {
	draw_line(frm);
	load_sentences_soon(frm);
}

function draw_line(frm) {
	const steps = frm.doc.steps || [];
	const placed = place_steps(steps.filter((step) => !is_for_leavers(step)));
	const stops = placed.map(({ step, hours }) => ({
		hours,
		when: describe_offset(hours),
		subject: name_step(frm, step),
		state: cint(step.enabled) && !cint(step.is_draft) ? "planned" : "disabled",
		kind: { Action: "action", "Wait Until": "way", End: "way" }[step.step_type],
		note: describe_place(step),
	}));
	const canvas = get_canvas(frm, "steps").html(stops.length ? make_step_line(stops) : "");
	draw_ways(canvas, placed.map(({ step }) => step));
	canvas.append(steps.filter(is_for_leavers).map(draw_for_leavers));
}

// What is done for those who leave has no day on the line: it is counted from the day on which somebody does.
const is_for_leavers = (step) => step.run_when === "On Exit";

function draw_for_leavers(step) {
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

// As the server reckons: a disabled row keeps its place in the chain of "Previous Step".
function place_steps(steps) {
	let hours = 0;
	const placed = steps.map((step, row) => {
		const delay = cint(step.send_after_days) * 24 + cint(step.send_after_hours);
		hours = row > 0 && step.counted_from === "Previous Step" ? hours + delay : delay;
		return { step, hours, row };
	});
	return placed.sort((a, b) => a.hours - b.hours || a.row - b.row);
}

function describe_offset(hours) {
	const day = __("Day {0}", [Math.floor(hours / 24)]);
	return hours % 24 ? `${day} + ${__("{0} h", [hours % 24])}` : day;
}

// Where the flow has something to say, it is not said as well that a step is counted from the start.
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
	const at_once = !cint(step.send_after_days) && !cint(step.send_after_hours);
	return at_once ? __("At once") : __("After the start");
}

async function load_summary(frm) {
	frm.drip_summary = null;
	if (frm.is_new()) return;
	frm.drip_summary = await read_from_desk("get_campaign_summary", { campaign: frm.doc.name });
	frm.drip_is_held = cint(await frappe.db.get_single_value("Drip Settings", "pause_sending"));
}

const COUNTS = [
	{ label: __("Scheduled"), doctype: "Drip Enrollment", status: "Scheduled" },
	{ label: __("In Progress"), doctype: "Drip Enrollment", status: "In Progress" },
	{ label: __("Completed"), doctype: "Drip Enrollment", status: "Completed" },
	{ label: __("Unsubscribed"), doctype: "Drip Enrollment", status: "Unsubscribed" },
	{ label: __("Emails Sent"), doctype: "Drip Email", status: "Sent" },
	{ label: __("Emails Failed"), doctype: "Drip Email", status: "Failed", bad: true },
];

function show_counts(frm) {
	const canvas = get_canvas(frm, "campaign_name").empty();
	if (!frm.drip_summary || !count_enrollments(frm)) return;
	const row = $('<div class="drip-counts">').appendTo(canvas);
	for (const { label, doctype, status, bad } of COUNTS) {
		const by_status = doctype === "Drip Email" ? frm.drip_summary.emails : frm.drip_summary.enrollments;
		const count = cint(by_status[status]);
		$(`<button type="button"><b>${count}</b>${label}</button>`)
			.toggleClass("bad", Boolean(bad && count))
			.on("click", () => frappe.set_route("List", doctype, { campaign: frm.doc.name, status }))
			.appendTo(row);
	}
}

function count_enrollments(frm) {
	return Object.values(frm.drip_summary.enrollments).reduce((sum, count) => sum + count, 0);
}

// One sentence for somebody who has not done this before.
function show_next_move(frm) {
	frm.set_intro();
	const [text, color] = find_next_move(frm) || [];
	if (text) frm.set_intro(text, color);
	if (frm.doc.omit_unsubscribe_link) {
		const warning = __("These emails have no unsubscribe link. Marketing mail without one breaks the law in most countries.");
		frm.set_intro(warning, "red");
	}
}

function find_next_move(frm) {
	const { status, steps, pause_reason, paused_until, closed_at } = frm.doc;
	if (!steps.length) {
		return [__("Add the first step below: how many days after the start it leaves, and what it says. Then save."), "blue"];
	}
	if (frm.is_new()) return null;
	if (status === "Draft" && may_activate(frm)) {
		return [__("A draft sends nothing. Send yourself a test, then press Activate."), "blue"];
	}
	if (status === "Draft") {
		return [__("A draft sends nothing. Ask a Drip Manager to activate it."), "blue"];
	}
	if (status === "Active" && frm.drip_is_held) {
		return [__("All sending is held in Drip Settings: nothing leaves until that is lifted."), "orange"];
	}
	if (status === "Active" && !count_enrollments(frm)) {
		return [__("This campaign is active and waits for recipients: press Enroll, or + under Connections."), "blue"];
	}
	if (status === "Paused" && pause_reason) return [frappe.utils.escape_html(pause_reason), "red"];
	if (status === "Paused" && paused_until) {
		return [__("Paused until {0}. It goes on by itself then.", [frappe.datetime.str_to_user(paused_until)]), "orange"];
	}
	if (closed_at && status === "Active") {
		return [__("Closed: those on board finish, nobody new is enrolled. It ends when the last has finished."), "orange"];
	}
	if (status === "Paused") return [__("Paused: nothing is sent until it is resumed."), "orange"];
	if (status === "Ended") return [__("Ended: nothing is sent any more."), "orange"];
	return null;
}
