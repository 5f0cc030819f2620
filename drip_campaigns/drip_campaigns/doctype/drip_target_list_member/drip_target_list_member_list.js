frappe.listview_settings["Drip Target List Member"] = {
	hide_name_column: true,
	add_fields: ["opted_out"],
	get_indicator: (member) =>
		member.opted_out
			? [__("Left"), "gray", "opted_out,=,1"]
			: [__("On the List"), "green", "opted_out,=,0"],
};
