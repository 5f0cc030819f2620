// The state of a target list: its counts, its latest refresh, and the progress of a running one.

const STATE_POLL_MS = 2000; // realtime may be off; asking is cheap and stops with the run

async function show_state(frm) {
	clearTimeout(frm.state_timer);
	const name = frm.doc.name;
	const { message } = await frappe.call({
		method: "drip_campaigns.api.lists.get_list_state",
		args: { target_list: name },
		type: "GET",
	});
	if (frm.doc.name !== name) return;
	draw_state(frm, message);
	const going_on = message.run && ["Queued", "Running"].includes(message.run.status);
	offer_cancel(frm, going_on);
	if (going_on) {
		frm.state_timer = setTimeout(() => frappe.get_route()[2] === name && show_state(frm), STATE_POLL_MS);
	}
}

function draw_state(frm, state) {
	const number = (value) => format_number(value, null, 0);
	const types = Object.entries(state.by_type).map(([type, count]) => `${__(type)}: ${number(count)}`);
	const escape = frappe.utils.escape_html;
	const figures = [
		[__("On the list"), number(state.members), types.length > 1 ? types.join(", ") : types.join("")],
		[__("Opted out"), number(state.opted_out), __("They get nothing through this list.")],
		[__("Removed"), number(state.dropped_out), __("They return automatically when a source includes them again.")],
	];
	const cells = figures.map(
		([label, value, hint]) => `<div class="col-sm-4">
			<div class="text-muted small">${label}</div>
			<div class="h4 mb-0">${value}</div>
			<div class="text-muted small">${escape(hint)}</div>
		</div>`
	);
	const links = state.campaigns.map(
		(campaign) => `<a href="/app/drip-campaign/${encodeURIComponent(campaign)}">${escape(campaign)}</a>`
	);
	const campaigns = links.length ? `<p class="mt-2 mb-3 small">${__("Campaigns: {0}", [links.join(", ")])}</p>` : "";
	const area = $(frm.get_field("state_area").wrapper);
	area.html(`<div class="row">${cells.join("")}</div>${describe_run(state.run)}${campaigns}`);
	show_question(frm, area, state.question);
}

// Ask whether to enroll the people that the first refresh added.
function show_question(frm, area, question) {
	if (!question || !may_change(frm)) return;
	const names = question.campaigns.map(frappe.utils.escape_html).join(", ");
	const text = __("{0} people joined with the first refresh. Enroll them in {1}?", [
		format_number(question.count, null, 0),
		`<b>${names}</b>`,
	]);
	const box = $(`<div class="alert alert-warning mt-3 mb-3"><p class="mb-2">${text}</p></div>`).appendTo(area);
	const add_answer = (label, enroll, style) =>
		$(`<button class="btn btn-sm ${style} mr-2">${label}</button>`)
			.on("click", () => answer_question(frm, question.run, enroll))
			.appendTo(box);
	add_answer(__("Enroll Now"), 1, "btn-primary");
	add_answer(__("Do Not Enroll"), 0, "btn-default");
}

async function answer_question(frm, run, enroll) {
	await frappe.call({
		method: "drip_campaigns.api.lists.confirm_first_refresh",
		args: { run, enroll },
		freeze: true,
	});
	if (enroll) frappe.show_alert({ message: __("Enrolling in the background."), indicator: "blue" });
	show_state(frm);
}

function describe_run(run) {
	if (!run) return "";
	if (["Queued", "Running"].includes(run.status)) return draw_progress(run);
	const when = frappe.datetime.comment_when(run.finished_at || run.started_at);
	if (run.status === "Failed") {
		const error = frappe.utils.escape_html(run.error || "");
		return `<p class="mt-3 mb-0 small text-danger">${__("The last refresh failed: {0}", [error])} ${when}</p>`;
	}
	const text =
		run.status === "Cancelled"
			? __("The last refresh was canceled.")
			: __("Last refresh: {0} joined, {1} returned, {2} removed, {3} skipped.", [
					cint(run.joined),
					cint(run.came_back),
					cint(run.dropped_out),
					cint(run.unreachable),
			  ]);
	return `<p class="mt-3 mb-0 small text-muted">${text} ${when}</p>`;
}

function draw_progress(run) {
	const percent = run.total ? Math.min(100, (run.processed / run.total) * 100) : 0;
	const text = __("Refreshing: {0} of {1} checked. You can close this page.", [
		format_number(run.processed, null, 0),
		format_number(run.total, null, 0),
	]);
	return `<div class="progress mt-3" style="height: 8px"><div class="progress-bar" style="width: ${percent}%"></div></div>
		<p class="mt-1 mb-0 small text-muted">${text}</p>`;
}

function offer_cancel(frm, going_on) {
	frm.remove_custom_button(__("Cancel Refresh"));
	if (going_on && may_change(frm)) {
		frm.add_custom_button(__("Cancel Refresh"), () => call_list(frm, "cancel_refresh"));
	}
}
