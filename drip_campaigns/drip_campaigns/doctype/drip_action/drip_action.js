{% include "drip_campaigns/public/js/retry_actions.js" %}

frappe.ui.form.on("Drip Action", {
	refresh(frm) {
		const { status, outcome } = frm.doc;
		frm.set_intro();
		if (!["Failed", "In Doubt"].includes(status)) return;
		frm.set_intro(`<div>${frappe.utils.escape_html(outcome || "")}</div>`, "red");
		if (!frappe.model.can_write("Drip Enrollment")) return;
		const retry = () => retry_actions([frm.doc.name], () => frm.reload_doc());
		frm.add_custom_button(__("Try Again"), retry).removeClass("btn-default").addClass("btn-primary");
	},
});
