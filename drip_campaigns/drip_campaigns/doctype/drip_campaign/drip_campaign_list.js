{% include "drip_campaigns/public/js/template_gallery.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_list_results.js" %}

frappe.listview_settings["Drip Campaign"] = {
	hide_name_column: true,
	add_fields: ["status"],

	onload(list) {
		redraw_results(list);
		if (!frappe.model.can_create("Drip Campaign")) return;
		list.page.add_inner_button(__("New from Template"), () => open_gallery());
		list.page.add_menu_item(__("Import Campaign File"), () => import_campaign());
	},

	refresh: load_results,
};
