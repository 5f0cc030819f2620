{% include "drip_campaigns/public/js/settle_in_doubt.js" %}

frappe.ui.form.on("Drip Email", {
	refresh(frm) {
		frm.set_intro();
		if (frm.doc.status !== "In Doubt") return;
		const text = __("The mail server's reply was lost. The recipient may have got this email, so it is not sent again by itself. An open, a click, a reply, or a bounce settles it.");
		frm.set_intro(text, "orange");
		if (!frappe.model.can_write("Drip Enrollment")) return;
		const settle = (arrived) => settle_in_doubt([frm.doc.name], arrived, () => frm.reload_doc());
		frm.add_custom_button(__("It Arrived"), () => settle(true));
		frm.add_custom_button(__("Send Again"), () => settle(false));
	},
});
