// The flow of a campaign in words and as a picture: on which conditions a step is carried out, and where it leads.

const HAPPENED = {
	sent: [__("{0} was sent"), __("{0} was not sent")],
	opened: [__("{0} was opened"), __("{0} was not opened")],
	clicked: [__("{0} was clicked"), __("{0} was not clicked")],
	replied: [__("{0} was answered"), __("{0} was not answered")],
	bounced: [__("{0} bounced"), __("{0} did not bounce")],
};
const STANDS = {
	ever: __("was ever on campaign {0}"),
	now: __("is on campaign {0}"),
	completed: __("has completed campaign {0}"),
	left: __("has left campaign {0}"),
};
const TEST_SENTENCES = {
	field(test) {
		const label = (name) => __(frappe.meta.get_label(test.doctype, name) || frappe.unscrub(name));
		const name = test.link ? `${label(test.link)} → ${__(frappe.unscrub(test.field))}` : label(test.field);
		const value = Array.isArray(test.value) ? test.value.join(", ") : test.value;
		return `${name} ${__(test.operator)} ${value}`;
	},
	event(test) {
		const step = test.step || __("an email");
		const link = test.link || __("a link");
		const what = test.event === "clicked" ? __("{0} in {1}", [link, step]) : step;
		const sentence = __(HAPPENED[test.event][test.negated ? 1 : 0], [what]);
		return test.within_days ? __("{0} in the last {1} days", [sentence, test.within_days]) : sentence;
	},
	tag: (test) => (test.negated ? __("has not the tag {0}", [test.tag]) : __("has the tag {0}", [test.tag])),
	list: (test) => (test.negated ? __("is not on the list {0}", [test.list]) : __("is on the list {0}", [test.list])),
	group: (test) =>
		test.negated ? __("is not in the Email Group {0}", [test.group]) : __("is in the Email Group {0}", [test.group]),
	campaign(test) {
		const sentence = __(STANDS[test.stands || "ever"], [test.campaign]);
		return test.negated ? __("not: {0}", [sentence]) : sentence;
	},
	expression: (test) => test.expression,
};

function read_conditions(step) {
	try {
		const { match = "all", tests = [] } = JSON.parse(step.conditions || "{}");
		return { match, tests: tests.filter((test) => test.kind in TEST_SENTENCES) };
	} catch {
		return { match: "all", tests: [] };
	}
}

function describe_conditions(step) {
	const { match, tests } = read_conditions(step);
	const joint = match === "any" ? ` ${__("or")} ` : ` ${__("and")} `;
	return tests.map((test) => TEST_SENTENCES[test.kind](test)).join(joint);
}

function describe_wait(step) {
	if (step.wait_for === "Clock Time") return (step.wait_time || "").slice(0, 5);
	const field = frappe.unscrub(step.wait_field || "");
	if (step.wait_for === "Field Value") return `${__(field)} ${__(step.wait_operator)} ${step.wait_value || ""}`;
	if (step.wait_for !== "Date Field") {
		return TEST_SENTENCES.event({ event: (step.wait_for || "Opened").toLowerCase(), step: step.wait_step, link: step.wait_link });
	}
	const days = cint(step.wait_days);
	if (!days) return __(field);
	return days < 0 ? __("{0} days before {1}", [-days, __(field)]) : __("{0} days after {1}", [days, __(field)]);
}

// "If Welcome was opened, else go to Reminder; then go to Offer"
function describe_flow(step) {
	const parts = [];
	const conditions = describe_conditions(step);
	const elsewhere = { "Go To Step": __("go to {0}", [step.otherwise_step || "?"]), Exit: __("leave") }[step.otherwise];
	if (conditions) parts.push(__("If {0}, else {1}", [conditions, elsewhere || __("skip")]));
	if (step.step_type === "Wait Until" && (cint(step.wait_limit_days) || cint(step.wait_limit_hours))) {
		const limit = describe_length(cint(step.wait_limit_days) * 24 + cint(step.wait_limit_hours));
		const in_vain = { "Go To Step": __("go to {0}", [step.on_timeout_step || "?"]), Exit: __("leave") }[step.on_timeout];
		parts.push(__("At most {0}, else {1}", [limit, in_vain || __("go on")]));
	}
	if (step.next_step) parts.push(__("Then go to {0}", [step.next_step]));
	if (cint(step.expires_after_hours)) parts.push(__("Expires after {0} h", [cint(step.expires_after_hours)]));
	return parts.join("; ");
}

function describe_length(hours) {
	const days = Math.floor(hours / 24);
	const parts = [days && (days === 1 ? __("1 day") : __("{0} days", [days])), hours % 24 && __("{0} h", [hours % 24])];
	return parts.filter(Boolean).join(" ");
}

// What a step that is no email does, where an email has its subject; nothing for an email.
function name_turn(step) {
	if (step.step_type === "Wait Until") return __("Wait until {0}", [describe_wait(step)]);
	if (step.step_type === "Action") return describe_action(step);
	if (step.step_type === "End") return step.label || __("End");
	return "";
}

// Where steps lead, other than to the next: [{from, to, is_else}] by label.
function find_ways(step) {
	const ways = [{ to: step.next_step, is_else: false }];
	if (step.conditions && step.otherwise === "Go To Step") ways.push({ to: step.otherwise_step, is_else: true });
	const has_limit = cint(step.wait_limit_days) || cint(step.wait_limit_hours);
	if (step.step_type === "Wait Until" && has_limit && step.on_timeout === "Go To Step") {
		ways.push({ to: step.on_timeout_step, is_else: true });
	}
	return ways.filter((way) => way.to);
}

// Arcs above the line, from dot to dot: whole for the way on, dashed for "else".
function draw_ways(canvas, steps) {
	const line = canvas.find(".drip-line")[0];
	const ways = steps.flatMap((step, from) =>
		find_ways(step).map((way) => ({ ...way, from, to: steps.findIndex((other) => other.label === way.to) }))
	);
	const drawn = ways.filter((way) => way.to >= 0);
	if (!line || !drawn.length) return;
	line.classList.add("has-ways");
	const dots = [...line.querySelectorAll("li .dot")].map((dot) => dot.parentElement.offsetLeft + 8);
	const arcs = drawn.map(({ from, to, is_else }) => {
		const [start, end] = [dots[from], dots[to]];
		const height = Math.min(30, 14 + Math.abs(end - start) / 20);
		const path = `M ${start} 36 C ${start} ${36 - height}, ${end} ${36 - height}, ${end} 33`;
		return `<path d="${path}" class="${is_else ? "else" : "then"}" marker-end="url(#drip-arrow)" />`;
	});
	const arrow =
		'<marker id="drip-arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" class="head"/></marker>';
	$(line).prepend(
		`<svg width="${line.scrollWidth}" height="42" aria-hidden="true"><defs>${arrow}</defs>${arcs.join("")}</svg>`
	);
}

// The labels that there are, offered wherever a step names another one.
function offer_labels(frm, row) {
	const form = open_row(frm, row);
	if (!form) return;
	const labels = frm.doc.steps.filter((step) => step.name !== row.name).map((step) => step.label).filter(Boolean);
	for (const fieldname of ["next_step", "otherwise_step", "on_timeout_step", "wait_step"]) {
		offer(form, fieldname, labels, { is_free: true });
	}
}
