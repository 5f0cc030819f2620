{% include "drip_campaigns/public/js/indicator_filters.js" %}

const EVENT_COLORS = {
	Enrolled: "blue",
	Sent: "green",
	Opened: "green",
	Clicked: "green",
	Replied: "green",
	Completed: "green",
	Skipped: "gray",
	Paused: "yellow",
	Unsubscribed: "orange",
	Bounced: "red",
	Complained: "red",
	Failed: "red",
};

frappe.listview_settings["Drip Event"] = {
	hide_name_column: true,
	add_fields: ["event_type", "is_bot"],
	get_indicator: (event) => [
		event.is_bot ? __("{0} by Bot", [__(event.event_type)]) : __(event.event_type),
		event.is_bot ? "gray" : EVENT_COLORS[event.event_type] || "blue",
		`event_type,=,${event.event_type}|is_bot,=,${cint(event.is_bot)}`,
	],
	onload(list) {
		filter_by_indicators(list);
		if (!frappe.model.can_create("Drip Target List")) return;
		list.page.add_inner_button(__("Create Target List"), () => ask_for_list_name(list));
	},
};

// Use the selected rows, or else all rows that match the filters.
function ask_for_list_name(list) {
	const names = list.get_checked_items(true);
	const whose = names.length
		? __("Everyone in the {0} selected rows.", [names.length])
		: __("Everyone in the {0} rows that match the filters.", [cint(list.total_count)]);
	frappe.prompt(
		{ fieldname: "list_name", fieldtype: "Data", label: __("List Name"), reqd: 1, description: whose },
		async ({ list_name }) => {
			const { message } = await frappe.call({
				method: "drip_campaigns.api.results.make_list_of_events",
				args: { list_name, filters: JSON.stringify(list.get_filters_for_args()), names: JSON.stringify(names) },
				freeze: true,
			});
			if (message.left_out) {
				frappe.show_alert(__("{0} not added: the record was deleted or has no address.", [cint(message.left_out)]));
			}
			frappe.set_route("Form", "Drip Target List", message.target_list);
		},
		__("Create Target List"),
		__("Create")
	);
}
