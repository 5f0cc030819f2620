// The flow of a campaign in words and as a picture: when a step runs, and where it leads. Words and days come from the server.

// By the row's name: {action, flow, conditions}, as drip_campaigns.api.editing.describe_steps returns them.
let step_sentences = {};
const sentences_of = (step) => step_sentences[step.name] || { action: "", flow: "", conditions: [] };
const name_turn = (step) => sentences_of(step).action;
const describe_flow = (step) => sentences_of(step).flow;

const without_texts = ({ message, message_html, ...step }) => step;

function load_sentences(frm) {
	const steps = JSON.stringify((frm.doc.steps || []).map(without_texts));
	const asked = `${frm.doc.if_late} ${steps}`;
	if (asked !== frm.drip_described) {
		frm.drip_described = asked;
		frm.drip_sentences = fetch_sentences(frm, asked, steps);
	}
	return frm.drip_sentences;
}

async function fetch_sentences(frm, asked, steps) {
	const [sentences, days] = await Promise.all([
		frappe.call({ method: "drip_campaigns.api.editing.describe_steps", args: { steps } }),
		frappe.call({ method: "drip_campaigns.api.editing.preview_days", args: { document: JSON.stringify(frm.doc) } }),
	]);
	if (frm.drip_described !== asked) return load_sentences(frm); // edited again
	step_sentences = sentences.message;
	frm.drip_days = days.message;
	draw_line(frm);
	if (!frappe.ui.form.get_open_grid_form()) frm.get_field("steps").grid.refresh();
}

function read_conditions(step) {
	try {
		const { match = "all", tests = [] } = JSON.parse(step.conditions || "{}");
		return { match, tests };
	} catch {
		return { match: "all", tests: [] };
	}
}

function describe_length(hours) {
	const days = Math.floor(hours / 24);
	const parts = [days && (days === 1 ? __("1 day") : __("{0} days", [days])), hours % 24 && __("{0} h", [hours % 24])];
	return parts.filter(Boolean).join(" ");
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
		`<svg width="${cint(line.scrollWidth)}" height="42" aria-hidden="true"><defs>${arrow}</defs>${arcs.join("")}</svg>`
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
