{% include "drip_campaigns/public/js/form_buttons.js" %}

const BRAKE_BUTTONS = [
	{ label: __("Let the Account Go On"), condition: (frm) => Boolean(frm.perm[0].delete), action: lift_brake, primary: true },
];

frappe.ui.form.on("Drip Sending Block", {
	refresh(frm) {
		add_buttons(frm, BRAKE_BUTTONS);
		if (frm.doc.state === "Held") {
			frm.set_intro(__("No campaign email leaves through this account. Correct what the mail server complains about first."), "red");
		} else {
			frm.set_intro(__("Campaign emails leave slowly through this account; it goes on by itself."), "orange");
		}
	},
});

// The record is the brake: without it the account goes on, with what has waited meanwhile.
function lift_brake(frm) {
	const question = __("Let campaign emails leave through {0} again? If the mail server still refuses, it is held again.", [
		frm.doc.email_account.bold(),
	]);
	const dialog = frappe.confirm(question, async () => {
		await frappe.xcall("frappe.client.delete", { doctype: frm.doctype, name: frm.doc.name });
		frappe.show_alert({ message: __("The account goes on with the next dispatch."), indicator: "green" });
		frappe.set_route("List", frm.doctype);
	});
	dialog.set_title(__("Let the Account Go On"));
	dialog.get_primary_btn().text(__("Let It Go On"));
	dialog.get_secondary_btn().text(__("Cancel"));
}
