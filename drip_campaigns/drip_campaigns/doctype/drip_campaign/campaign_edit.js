// Before a campaign with people in it is saved: shows what the edit changes for them.

frappe.ui.form.on("Drip Campaign", {
	before_save: ask_before_edit,
	if_late: draw_schedule,
});

frappe.ui.form.on("Drip Campaign Step", {
	is_draft: draw_schedule,

	async release(frm, doctype, name) {
		await frappe.model.set_value(doctype, name, "is_draft", 0);
		frm.save();
	},
});

async function ask_before_edit(frm) {
	if (frm.is_new() || !["Active", "Paused"].includes(frm.doc.status)) return;
	const { message } = await frappe.call({
		method: "drip_campaigns.api.editing.preview_edit",
		args: { document: JSON.stringify(frm.doc) },
		freeze: true,
	});
	if (message.sentences.length && !(await confirm_edit(message))) frappe.validated = false;
}

function confirm_edit({ on_board, sentences }) {
	const escape = frappe.utils.escape_html;
	const lines = sentences.map((sentence) => `<li>${escape(sentence)}</li>`).join("");
	const head = __("{0} people are in this campaign. This change means:", [on_board]);
	return new Promise((resolve) => {
		let saves = false;
		const dialog = new frappe.ui.Dialog({
			title: __("Save Changes to a Running Campaign"),
			fields: [{ fieldtype: "HTML", options: `<p>${escape(head)}</p><ul class="drip-edit">${lines}</ul>` }],
			primary_action_label: __("Save"),
			primary_action: () => {
				saves = true;
				dialog.hide();
			},
			secondary_action_label: __("Continue Editing"),
			secondary_action: () => dialog.hide(),
		});
		dialog.on_hide = () => resolve(saves);
		dialog.show();
	});
}
