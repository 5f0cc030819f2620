{% include "drip_campaigns/public/js/indicator_filters.js" %}

frappe.listview_settings["Drip Target List Member"] = {
	hide_name_column: true,
	onload: filter_by_indicators,
	add_fields: ["opted_out", "dropped_at"],
	get_indicator: (member) => {
		if (member.opted_out) return [__("Left"), "gray", "opted_out,=,1"];
		if (member.dropped_at) return [__("Dropped Out"), "yellow", "dropped_at,is,set"];
		return [__("On the List"), "green", "opted_out,=,0|dropped_at,is,not set"];
	},
};
