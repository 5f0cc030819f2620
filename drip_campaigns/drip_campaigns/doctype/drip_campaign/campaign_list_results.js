// Results beside the name of each campaign in the list, loaded in one request.

const LIST_RESULTS = [
	["live", __("{0} in campaign")],
	["sent", __("{0} sent")],
	["clicked", __("{0} clicked")],
	["clicked_unnamed", __("{0} unnamed clicks")],
	["replied", __("{0} replied")],
	["bounced", __("{0} bounced")],
	["left", __("{0} unsubscribed")],
];

// Frappe redraws the rows whenever a campaign changes.
function redraw_results(list) {
	const draw = list.render_list.bind(list);
	list.render_list = (...args) => {
		draw(...args);
		draw_list_results(list);
	};
}

async function load_results(list) {
	const names = list.data.map(({ name }) => name);
	if (!names.length) return;
	const { message } = await frappe.call({
		method: "drip_campaigns.api.results.get_summaries",
		args: { campaigns: JSON.stringify(names) },
	});
	list.drip_results = message || {};
	draw_list_results(list);
}

function draw_list_results(list) {
	if (!list.drip_results) return;
	list.$result.find(".drip-list-results").remove();
	list.$result.find(".list-row-container").each((_, row) => {
		const name = $(row).find(".list-row-checkbox").attr("data-name");
		const text = describe_results(list.drip_results[decodeURIComponent(name || "")]);
		const beside = $(row).find(".list-subject").first();
		const results = $('<span class="ellipsis hidden-xs text-muted drip-list-results">').text(text).attr("title", text);
		results.css("margin-inline-start", "12px").appendTo(beside);
	});
}

function describe_results(figures) {
	const shown = LIST_RESULTS.filter(([name]) => figures?.[name]);
	return shown.map(([name, text]) => text.replace("{0}", format_number(figures[name], null, 0))).join(" · ");
}
