{% include "drip_campaigns/public/js/desk_api.js" %}

frappe.ui.form.on("Drip Target List Member", {
	async onload(frm) {
		const types = await read_from_desk("get_recipient_types");
		frm.set_query("recipient_type", () => ({ filters: { name: ["in", types] } }));
		if (frm.is_new() && !frm.doc.recipient_type) frm.set_value("recipient_type", types[0]);
	},

	refresh(frm) {
		frm.set_intro();
		if (frm.doc.opted_out) {
			frm.set_intro(__("Nothing is sent through this list any more: the recipient has left it."), "blue");
		}
	},
});
