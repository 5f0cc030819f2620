{% include "drip_campaigns/public/js/desk_api.js" %}
{% include "drip_campaigns/public/js/form_buttons.js" %}

const may_change = (lifted) => (frm) =>
	!frm.is_new() && frm.perm[0].write && Boolean(frm.doc.lifted) === lifted;

const SUPPRESSION_BUTTONS = [
	{
		label: __("Lift"),
		condition: may_change(false),
		action: (frm) =>
			ask_why(frm, {
				title: __("Lift"),
				label: __("Who asked for this, and how?"),
				call: (text) => call_desk("lift_suppression", { suppression: frm.doc.name, because: text }),
			}),
	},
	{
		label: __("Suppress Again"),
		condition: may_change(true),
		action: (frm) =>
			ask_why(frm, {
				title: __("Suppress Again"),
				label: __("Who asked for this, and how?"),
				call: (text) => call_desk("renew_suppression", { suppression: frm.doc.name, note: text }),
			}),
	},
];

frappe.ui.form.on("Drip Suppression", {
	refresh(frm) {
		add_buttons(frm, SUPPRESSION_BUTTONS);
		frm.toggle_reqd("note", frm.is_new());
		show_status_note(frm);
	},
});

function show_status_note(frm) {
	frm.set_intro();
	if (frm.is_new()) {
		frm.set_intro(
			__("Saving stops all campaigns for this address and cancels queued emails. Invoices and replies are still sent."),
			"blue"
		);
	} else if (frm.doc.lifted) {
		frm.set_intro(__("Lifted: this address can get campaign emails again."), "green");
	} else {
		frm.set_intro(__("This address gets no campaign emails. Invoices and replies are still sent."), "orange");
	}
}
