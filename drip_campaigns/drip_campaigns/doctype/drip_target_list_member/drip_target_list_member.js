{% include "drip_campaigns/public/js/desk_api.js" %}
{% include "drip_campaigns/public/js/form_buttons.js" %}

const may_note = (opted_out) => (frm) =>
	!frm.is_new() && frm.perm[0].write && Boolean(frm.doc.opted_out) === opted_out;

const note = (method, label) => (frm) =>
	ask_why(frm, {
		title: label,
		label: __("Who asked for this, and how?"),
		call: (because) =>
			frappe.call({ method: `drip_campaigns.api.lists.${method}`, args: { member: frm.doc.name, because } }),
	});

const MEMBER_BUTTONS = [
	{ label: __("Opt Out"), condition: may_note(false), action: note("remove_from_list", __("Opt Out")) },
	{ label: __("Resubscribe"), condition: may_note(true), action: note("restore_to_list", __("Resubscribe")) },
];

frappe.ui.form.on("Drip Target List Member", {
	async onload(frm) {
		const types = await read_from_desk("get_recipient_types");
		frm.set_query("recipient_type", () => ({ filters: { name: ["in", types] } }));
		if (frm.is_new() && !frm.doc.recipient_type) frm.set_value("recipient_type", types[0]);
	},

	refresh(frm) {
		add_buttons(frm, MEMBER_BUTTONS);
		frm.set_intro();
		if (frm.doc.opted_out) {
			frm.set_intro(__("The recipient opted out of this list and gets nothing through it."), "blue");
		}
	},
});
