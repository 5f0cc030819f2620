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
		frappe.msgprint(__("No records to enroll: none has met a trigger before, and the included lists are empty."));
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
			{ fieldtype: "HTML", options: `${intro}<p>${__("These records met a trigger before or are on an included list. Select the ones to enroll now.")}</p>` },
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
			if (audiences.length) await start_backfill(frm, audiences);
			frm.reload_doc();
		},
	});
	dialog.show();
}

async function start_backfill(frm, audiences) {
	await frappe.call({
		method: "drip_campaigns.api.triggers.backfill_existing",
		args: { campaign: frm.doc.name, audiences: JSON.stringify(audiences) },
	});
	frappe.show_alert({ message: __("Enrolling in the background. See Drip Bulk Enrollment for the progress."), indicator: "blue" });
}
