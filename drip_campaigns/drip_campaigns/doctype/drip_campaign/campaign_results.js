// Results of each step. The server keeps the sums, so the form also opens quickly with a million events.

const RESULT_COLUMNS = [
	["sent", __("Sent")],
	["opened", __("Opened")],
	["clicked", __("Clicked")],
	["replied", __("Replied")],
	["bounced", __("Bounced")],
	["left", __("Unsubscribed")],
];

// Results of a step other than emails.
const OTHER_RESULTS = [
	["acted", __("{0} done")],
	["action_failed", __("{0} failed")],
	["assigned", __("{0} not closed yet")],
	["waiting", __("{0} waiting")],
	["moved_on", __("{0} continued")],
	["skipped", __("{0} skipped")],
];

async function show_results(frm) {
	const box = get_results_box(frm).empty();
	if (frm.is_new() || frm.doc.status === "Draft") return;
	const { message } = await frappe.call({
		method: "drip_campaigns.api.results.get_results",
		type: "GET",
		args: { campaign: frm.doc.name },
	});
	if (!message || !has_results(message)) return;
	box.html(`<div class="control-label">${__("Results")}</div>${draw_results(message)}`);
}

function has_results({ total, steps }) {
	return RESULT_COLUMNS.some(([name]) => total[name] || total[`${name}_unnamed`]) || steps.some((row) => OTHER_RESULTS.some(([name]) => row[name]));
}

// Below the steps.
function get_results_box(frm) {
	const below = $(frm.get_field("steps").wrapper);
	const box = below.children(".drip-results-box");
	return box.length ? box : $('<div class="drip-results-box">').appendTo(below);
}

function draw_results(results) {
	const heads = RESULT_COLUMNS.map(([, label]) => `<th class="text-right">${label}</th>`).join("");
	const steps = results.steps.filter((row) => row.step_type !== "End");
	const rows = steps.map(step_row);
	if (RESULT_COLUMNS.some(([name]) => results.rest[name] || results.rest[`${name}_unnamed`])) rows.push(result_row(results.rest, __("Other")));
	if (rows.length > 1) rows.push(result_row(results.total, `<b>${__("All")}</b>`));
	return `<table class="table table-sm drip-results"><thead><tr><th>${__("Step")}</th>${heads}</tr></thead>
		<tbody>${rows.join("")}</tbody></table><p class="text-muted small">${describe_counting(results)}</p>`;
}

// An action or a wait has no opens and clicks; its own results take their place.
function step_row(row) {
	const title = `${row.idx}. ${frappe.utils.escape_html(put_fields_in_brackets(row.subject || ""))}`;
	const others = OTHER_RESULTS.filter(([name]) => row[name]).map(([name, text]) => __(text, [format_number(row[name], null, 0)]));
	const note = others.length ? `<div class="text-muted small">${others.join(" · ")}</div>` : "";
	if (row.step_type === "Send Email") return result_row(row, title + note);
	return `<tr><td>${title}</td><td colspan="${RESULT_COLUMNS.length}">${note || `<div class="text-muted small">${__("No one yet")}</div>`}</td></tr>`;
}

function result_row(row, title) {
	return `<tr><td>${title}</td>${RESULT_COLUMNS.map(([name]) => result_cell(row, name)).join("")}</tr>`;
}

// Emails, or people with their share of those who got an email, as text and as a bar; the tooltip shows the rest.
function result_cell(row, name) {
	const notes = [
		[row[`${name}_unnamed`], __("{0} visits that name nobody")],
		[row[`${name}_by_bot`], __("{0} visits by bots")],
	];
	const texts = notes.filter(([count]) => count).map(([count, text]) => text.replace("{0}", format_number(count, null, 0)));
	const title = texts.length ? ` title="${frappe.utils.escape_html(texts.join(", "))}"` : "";
	const share = name !== "sent" && row.people ? (100 * row[name]) / row.people : null;
	const bar = share
		? `<div class="drip-counter-bar ${name}" style="width: ${Math.min(share, 100)}%"></div>`
		: `<div class="drip-counter-bar"></div>`;
	const percent = share ? ` <span class="text-muted small">${format_number(share, null, share < 10 ? 1 : 0)}%</span>` : "";
	const unnamed = row[`${name}_unnamed`];
	const visits = unnamed ? `<div class="text-muted small">${__("{0} unnamed", [format_number(unnamed, null, 0)])}</div>` : "";
	return `<td class="text-right"${title}>${format_number(row[name], null, 0)}${percent}${bar}${visits}</td>`;
}

function describe_counting(results) {
	if (results.tracking_mode === "None") return __("Opens and clicks are not recorded in this campaign.");
	const { total } = results;
	const bots = total.opened_by_bot + total.clicked_by_bot;
	const texts = [
		__("Each person counts once per email, and once in all. Rates are shares of the people who got the email."),
		total.opened_unnamed + total.clicked_unnamed ? __("Unnamed visits are counted without a person, so they have no rate.") : "",
		bots ? __("{0} by bots are not counted.", [format_number(bots, null, 0)]) : "",
	];
	return texts.filter(Boolean).join(" ");
}
