{% include "drip_campaigns/public/js/form_buttons.js" %}

const BLOCK_BUTTONS = [
	{ label: __("Resume Sending"), condition: (frm) => Boolean(frm.perm[0].delete), action: resume_sending, primary: true },
];

frappe.ui.form.on("Drip Sending Block", {
	refresh(frm) {
		add_buttons(frm, BLOCK_BUTTONS);
		if (frm.doc.state === "Blocked") {
			frm.set_intro(__("This account sends no campaign emails. Fix the problem that the mail server reported, then click Resume Sending."), "red");
		} else {
			frm.set_intro(__("This account sends campaign emails slowly and returns to full speed automatically."), "orange");
		}
	},
});

// Deleting the record lifts the block; waiting emails are then sent.
function resume_sending(frm) {
	const question = __("Send campaign emails through {0} again? If the mail server still rejects them, the account is blocked again.", [
		`<b>${frappe.utils.escape_html(frm.doc.email_account)}</b>`,
	]);
	const dialog = frappe.confirm(question, async () => {
		await frappe.xcall("frappe.client.delete", { doctype: frm.doctype, name: frm.doc.name });
		frappe.show_alert({ message: __("Sending resumes with the next run."), indicator: "green" });
		frappe.set_route("List", frm.doctype);
	});
	dialog.set_title(__("Resume Sending"));
	dialog.get_primary_btn().text(__("Resume Sending"));
	dialog.get_secondary_btn().text(__("Cancel"));
}
