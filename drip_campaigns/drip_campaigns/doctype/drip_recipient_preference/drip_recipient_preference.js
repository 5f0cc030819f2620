frappe.ui.form.on("Drip Recipient Preference", {
	async refresh(frm) {
		const { message } = await frappe.call("frappe.core.doctype.user.user.get_timezones");
		frm.get_field("time_zone").set_data([...message.timezones].sort());
	},
});
