// People who met a trigger before it listened: counted, and taken in when somebody ticks them.

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
		frappe.msgprint(__("No record has met one of the triggers before, and nobody is on an included list."));
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
			{ fieldtype: "HTML", options: `${intro}<p>${__("These met a trigger before, or are on an included list. Tick whom to enroll now as well.")}</p>` },
			...found.map((row, number) => ({
				fieldtype: "Check",
				fieldname: `audience_${number}`,
				label: __("{0}: {1} {2} records", [
					frappe.utils.escape_html(row.sentence),
					format_number(row.count, null, 0),
					__(row.recipient_type),
				]),
			})),
		],
		primary_action_label: label,
		async primary_action(values) {
			const audiences = found.filter((row, number) => values[`audience_${number}`]);
			dialog.hide();
			await act();
			if (audiences.length) await start_taking_in(frm, audiences);
			frm.reload_doc();
		},
	});
	dialog.show();
}

async function start_taking_in(frm, audiences) {
	await frappe.call({
		method: "drip_campaigns.api.triggers.backfill_existing",
		args: { campaign: frm.doc.name, audiences: JSON.stringify(audiences) },
	});
	frappe.show_alert({ message: __("They are being enrolled in the background: see Drip Bulk Enrollment."), indicator: "blue" });
}
