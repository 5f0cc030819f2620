// Records that met a trigger before it was active, or are on an included list: count them, and enroll the selected ones.

async function activate_and_ask(frm, question) {
	if (frm.is_dirty()) await frm.save();
	const found = await load_existing(frm);
	if (!found.length) {
		change_status(frm, "activate_campaign", __("Activate"), question);
		return;
	}
	ask_about_existing(frm, found, __("Activate"), `<p>${question}</p>`, () =>
		call_desk("activate_campaign", { campaign: frm.doc.name }, { freeze: true })
	);
}

async function backfill_existing(frm) {
	if (frm.is_dirty()) await frm.save();
	const found = await load_existing(frm);
	if (!found.length) {
		frappe.msgprint(__("No one to enroll: everyone who met a trigger or is on an included list is in the campaign or not eligible."));
		return;
	}
	ask_about_existing(frm, found, __("Enroll Existing"), "", () => Promise.resolve());
}

async function load_existing(frm) {
	const listens = (frm.doc.triggers || []).some((row) => cint(row.enabled)) || (frm.doc.target_lists || []).length;
	if (!listens || !frappe.model.can_create("Drip Bulk Enrollment")) return [];
	const { message } = await frappe.call({
		method: "drip_campaigns.api.triggers.count_existing",
		args: { campaign: frm.doc.name },
		type: "GET",
	});
	return message;
}

function ask_about_existing(frm, found, label, intro, act) {
	const dialog = new frappe.ui.Dialog({
		title: label,
		fields: [
			NOTE,
			...found.map((row, number) => ({
				fieldtype: "Check",
				fieldname: `audience_${number}`,
				label: describe_existing(row),
			})),
		],
		primary_action_label: label,
		async primary_action(values) {
			const audiences = found.filter((row, number) => values[`audience_${number}`]);
			dialog.hide();
			await act();
			if (audiences.length) await start_backfill(frm, audiences);
			frm.reload_doc();
		},
	});
	show_note(dialog, `${intro}<p>${__("These people met a trigger before or are on an included list, and can be enrolled. Select the ones to enroll now.")}</p>`);
	dialog.show();
}

// The number is what enrolling them does; of very many it is a limit.
function describe_existing({ sentence, count, total, recipient_type, is_at_most }) {
	const [some, all] = [count, total].map((value) => format_number(value, null, 0));
	const facts = [frappe.utils.escape_html(sentence), some, all, __(recipient_type)];
	return is_at_most ? __("{0}: at most {1} of {2} {3} records", facts) : __("{0}: {1} of {2} {3} records", facts);
}

async function start_backfill(frm, audiences) {
	await frappe.call({
		method: "drip_campaigns.api.triggers.backfill_existing",
		args: { campaign: frm.doc.name, audiences: JSON.stringify(audiences) },
	});
	frappe.show_alert({ message: __("Enrolling in the background. See Drip Bulk Enrollment for the progress."), indicator: "blue" });
}
