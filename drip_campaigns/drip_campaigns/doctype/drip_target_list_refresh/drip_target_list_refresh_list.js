frappe.listview_settings["Drip Target List Refresh"] = { hide_name_column: true, add_fields: ["status"] };
