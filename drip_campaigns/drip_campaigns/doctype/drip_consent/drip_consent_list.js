frappe.listview_settings["Drip Consent"] = {
	hide_name_column: true,
	add_fields: ["withdrawn_at"],
	get_indicator: ({ withdrawn_at }) =>
		withdrawn_at
			? [__("Withdrawn"), "gray", "withdrawn_at,is,set"]
			: [__("Valid"), "green", "withdrawn_at,is,not set"],
	onload(listview) {
		if (!frappe.user.has_role(["Drip Manager", "System Manager"])) return;
		listview.page.add_inner_button(__("Find Address"), () => ask_for_address(listview));
	},
};

// After erasure only the hash of the address is stored, and only the server can compute it.
function ask_for_address(listview) {
	const field = {
		fieldname: "email_address",
		fieldtype: "Data",
		options: "Email",
		label: __("Email Address"),
		reqd: 1,
		description: __("Enter an address to find its consents, including those whose data was erased."),
	};
	frappe.prompt(field, async ({ email_address }) => {
		const method = "drip_campaigns.api.consents.find_consents";
		const { message } = await frappe.call({ method, args: { email_address } });
		if (!message.consents.length) {
			frappe.msgprint(__("This address has no recorded consent."));
			return;
		}
		listview.filter_area.clear(false);
		listview.filter_area.add([["Drip Consent", "name", "in", message.consents.join(",")]]);
	}, __("Find Address"), __("Find"));
}
