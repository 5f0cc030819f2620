frappe.listview_settings["Drip Consent"] = {
	hide_name_column: true,
	add_fields: ["withdrawn_at"],
	get_indicator: ({ withdrawn_at }) =>
		withdrawn_at
			? [__("Canceled"), "gray", "withdrawn_at,is,set"]
			: [__("Counts"), "green", "withdrawn_at,is,not set"],
	onload(listview) {
		if (!frappe.user.has_role(["Drip Manager", "System Manager"])) return;
		listview.page.add_inner_button(__("Find an Address"), () => ask_for_address(listview));
	},
};

// A person who was erased is found by the hash of the address only, which the server knows how to make.
function ask_for_address(listview) {
	const field = {
		fieldname: "email_address",
		fieldtype: "Data",
		options: "Email",
		label: __("Email Address"),
		reqd: 1,
		description: __("Finds what somebody agreed to, also after they have had their data erased."),
	};
	frappe.prompt(field, async ({ email_address }) => {
		const method = "drip_campaigns.api.consents.find_consents";
		const { message } = await frappe.call({ method, args: { email_address } });
		if (!message.consents.length) {
			frappe.msgprint(__("This address has not agreed to anything."));
			return;
		}
		listview.filter_area.clear(false);
		listview.filter_area.add([["Drip Consent", "name", "in", message.consents.join(",")]]);
	}, __("Find an Address"), __("Find"));
}
