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
	if (message.sentences.length && !(await confirm_edit(frm, message))) frappe.validated = false;
}

function confirm_edit(frm, { on_board, sentences }) {
	const escape = frappe.utils.escape_html;
	const lines = sentences.map((sentence) => `<li>${escape(sentence)}</li>`).join("");
	const people = __("{0} people are in this campaign. This change means:", [on_board]);
	const waits = __("A Drip Manager must release this change. Until then, the campaign stays as it is.");
	const head = may_activate(frm) ? people : `${waits} ${people}`;
	return new Promise((resolve) => {
		let saves = false;
		const dialog = new frappe.ui.Dialog({
			title: may_activate(frm) ? __("Save Changes to a Running Campaign") : __("Propose Changes to a Running Campaign"),
			fields: [{ fieldtype: "HTML", fieldname: "effect" }],
			primary_action_label: may_activate(frm) ? __("Save") : __("Propose"),
			primary_action: () => {
				saves = true;
				dialog.hide();
			},
			secondary_action_label: __("Continue Editing"),
			secondary_action: () => dialog.hide(),
		});
		// Not as the field's options, which Frappe renders as a template: a subject with {{ }} would run as script.
		dialog.get_field("effect").$wrapper.html(`<p>${escape(head)}</p><ul class="drip-edit">${lines}</ul>`);
		dialog.on_hide = () => resolve(saves);
		dialog.show();
	});
}
