frappe.listview_settings["Drip Email"] = {
	hide_name_column: true,
	add_fields: ["status"],
};
