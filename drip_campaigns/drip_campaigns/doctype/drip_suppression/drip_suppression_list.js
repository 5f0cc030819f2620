{% include "drip_campaigns/drip_campaigns/doctype/drip_suppression/import_opt_outs.js" %}

frappe.listview_settings["Drip Suppression"] = {
	hide_name_column: true,
	add_fields: ["lifted"],
	get_indicator: ({ lifted }) =>
		lifted ? [__("Lifted"), "gray", "lifted,=,1"] : [__("Suppressed"), "orange", "lifted,=,0"],

	onload(list) {
		if (!frappe.model.can_create("Drip Suppression")) return;
		list.page.add_inner_button(__("Import Opt-Outs"), () => window.drip_import_opt_outs(() => list.refresh()));
	},
};
