// Add buttons to a form from a table: label, action, condition, and whether the button is primary.

function add_buttons(frm, buttons) {
	for (const { label, action, condition, primary } of buttons) {
		if (!condition(frm)) continue;
		const button = frm.add_custom_button(label, () => action(frm));
		if (primary) button.removeClass("btn-default").addClass("btn-primary");
	}
}

// Ask for confirmation, call a function of drip_campaigns.api.desk, and reload the record.
async function ask_and_call(frm, { method, args, question, label }) {
	if (frm.is_dirty()) await frm.save();
	const dialog = frappe.confirm(question, async () => {
		await call_desk(method, args, { freeze: true });
		frm.reload_doc();
	});
	dialog.set_title(label);
	dialog.get_primary_btn().text(label);
	dialog.get_secondary_btn().text(__("Cancel"));
}

// Ask for the reason, which is kept as proof, and pass it on.
function ask_why(frm, { title, label, call }) {
	const field = { fieldname: "why", fieldtype: "Small Text", label, reqd: 1 };
	frappe.prompt(
		field,
		async ({ why }) => {
			await call(why);
			frm.reload_doc();
		},
		title,
		title
	);
}
