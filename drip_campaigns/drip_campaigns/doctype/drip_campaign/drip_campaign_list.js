frappe.listview_settings["Drip Campaign"] = {
	hide_name_column: true,
	add_fields: ["status"],
};
