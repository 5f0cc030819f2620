{% include "drip_campaigns/public/js/settle_in_doubt.js" %}

frappe.listview_settings["Drip Email"] = {
	hide_name_column: true,
	add_fields: ["status"],

	onload(list) {
		if (!frappe.model.can_write("Drip Enrollment")) return;
		const settle = (arrived) => settle_in_doubt(list.get_checked_items(true), arrived, () => list.refresh());
		list.page.add_actions_menu_item(__("In Doubt: It Arrived"), () => settle(true), false);
		list.page.add_actions_menu_item(__("In Doubt: Send Again"), () => settle(false), false);
	},
};
