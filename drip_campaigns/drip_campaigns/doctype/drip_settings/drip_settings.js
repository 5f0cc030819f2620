{% include "drip_campaigns/public/js/desk_api.js" %}

frappe.ui.form.on("Drip Settings", {
	refresh(frm) {
		warn_when_paused(frm);
		offer_dispatch(frm);
	},
});

function warn_when_paused(frm) {
	frm.set_intro();
	if (frm.doc.pause_sending) frm.set_intro(__("Sending is paused for all campaigns."), "red");
}

function offer_dispatch(frm) {
	if (!frappe.user.has_role(["Drip Manager", "System Manager"])) return;
	frm.add_custom_button(__("Send Due Emails Now"), async () => {
		await call_desk("run_dispatch", {}, { freeze: true });
		frappe.show_alert({ message: __("Due emails are being sent in the background."), indicator: "green" });
	});
}
