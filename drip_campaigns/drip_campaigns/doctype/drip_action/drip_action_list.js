{% include "drip_campaigns/public/js/retry_actions.js" %}

frappe.listview_settings["Drip Action"] = {
	hide_name_column: true,
	add_fields: ["status"],

	onload(list) {
		if (!frappe.model.can_write("Drip Enrollment")) return;
		const retry = () => retry_actions(list.get_checked_items(true), () => list.refresh());
		list.page.add_actions_menu_item(__("Try Again"), retry, false);
	},
};
