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
	add_fields: ["event_type"],
	get_indicator: (event) => [
		__(event.event_type),
		EVENT_COLORS[event.event_type] || "blue",
		`event_type,=,${event.event_type}`,
	],
};
