frappe.listview_settings["Drip Target List"] = { hide_name_column: true };
