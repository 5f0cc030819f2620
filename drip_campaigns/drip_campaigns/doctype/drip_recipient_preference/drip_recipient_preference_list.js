frappe.listview_settings["Drip Recipient Preference"] = {
	hide_name_column: true,
};
