{% include "drip_campaigns/public/js/indicator_filters.js" %}

frappe.listview_settings["Drip Target List Member"] = {
	hide_name_column: true,
	onload: filter_by_indicators,
	add_fields: ["opted_out", "removed_at"],
	get_indicator: (member) => {
		if (member.opted_out) return [__("Unsubscribed"), "gray", "opted_out,=,1"];
		if (member.removed_at) return [__("Removed"), "yellow", "removed_at,is,set"];
		return [__("On the List"), "green", "opted_out,=,0|removed_at,is,not set"];
	},
};
