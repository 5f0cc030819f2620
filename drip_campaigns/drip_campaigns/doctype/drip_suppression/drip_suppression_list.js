frappe.listview_settings["Drip Suppression"] = {
	hide_name_column: true,
	add_fields: ["lifted"],
	get_indicator: ({ lifted }) =>
		lifted ? [__("Lifted"), "gray", "lifted,=,1"] : [__("Suppressed"), "orange", "lifted,=,0"],
};
