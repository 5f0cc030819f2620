{% include "drip_campaigns/public/js/desk_api.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_suppression/import_opt_outs.js" %}

frappe.listview_settings["Drip Suppression"] = {
	hide_name_column: true,
	add_fields: ["lifted"],
	get_indicator: ({ lifted }) =>
		lifted ? [__("Lifted"), "gray", "lifted,=,1"] : [__("Suppressed"), "orange", "lifted,=,0"],

	onload(list) {
		if (frappe.model.can_write("Drip Suppression")) list.page.add_menu_item(__("Lift Many"), () => lift_many(list));
		if (!frappe.model.can_create("Drip Suppression")) return;
		list.page.add_inner_button(__("Import Opt-Outs"), () => window.drip_import_opt_outs(() => list.refresh()));
	},
};

// Choose suppressions by reason, words, day, and campaign; show the numbers; then do what was shown.
function lift_many(list) {
	const fields = [
		{ fieldname: "reason", fieldtype: "Select", label: __("Reason"), options: "Hard Bounce\nManual", default: "Hard Bounce", reqd: 1 },
		{
			fieldname: "phrase",
			fieldtype: "Data",
			label: __("Words in the Note"),
			description: __("For example, what the mail server reported."),
		},
		{ fieldname: "day", fieldtype: "Date", label: __("Suppressed On") },
		{
			fieldname: "campaign",
			fieldtype: "Link",
			options: "Drip Campaign",
			label: __("Campaign"),
			description: __("Only addresses from which an email of this campaign bounced."),
		},
		{ fieldname: "because", fieldtype: "Small Text", label: __("Why?"), reqd: 1 },
	];
	frappe.prompt(
		fields,
		async (values) => {
			const { because, ...choice } = values;
			const { lifted, resumed, left } = await call_desk("lift_suppressions", { ...choice, preview: 1 }, { freeze: true });
			const question = __("Lift {0} suppressions and resume {1} enrollments where they were?", [cint(lifted), cint(resumed)]);
			const rest = left ? ` ${__("{0} more are left for the next time.", [cint(left)])}` : "";
			frappe.confirm(question + rest, async () => {
				const done = await call_desk("lift_suppressions", { ...choice, because }, { freeze: true });
				const text = __("{0} suppressions lifted, {1} enrollments resumed.", [cint(done.lifted), cint(done.resumed)]);
				frappe.show_alert({ message: text, indicator: "green" });
				list.refresh();
			});
		},
		__("Lift Many"),
		__("Continue")
	);
}
