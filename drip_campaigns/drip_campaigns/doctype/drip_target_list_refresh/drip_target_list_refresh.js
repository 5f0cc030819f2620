frappe.ui.form.on("Drip Target List Refresh", {
	refresh(frm) {
		frm.disable_save();
		if (!["Failed", "Cancelled"].includes(frm.doc.status)) return;
		frm.add_custom_button(__("Resume"), async () => {
			await frappe.call({ method: "drip_campaigns.api.lists.resume_refresh", args: { run: frm.doc.name } });
			frm.reload_doc();
		});
	},
});
