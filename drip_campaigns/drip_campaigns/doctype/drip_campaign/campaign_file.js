// Export a campaign to a file, or save it as a template.

function offer_files(frm) {
	if (frm.is_new()) return;
	if (frappe.model.can_export("Drip Campaign")) {
		frm.page.add_menu_item(__("Export to File"), () => export_campaign(frm));
	}
	if (frappe.model.can_create("Drip Campaign Template")) {
		frm.page.add_menu_item(__("Save as Template"), () => save_as_template(frm));
	}
}

async function export_campaign(frm) {
	if (frm.is_dirty()) await frm.save();
	const { message } = await frappe.call({
		method: "drip_campaigns.api.campaign_templates.export_campaign",
		args: { campaign: frm.doc.name },
		type: "GET",
	});
	const url = URL.createObjectURL(new Blob([message.text], { type: "application/json" }));
	$("<a>").attr({ href: url, download: message.file_name })[0].click();
	URL.revokeObjectURL(url);
}

function save_as_template(frm) {
	const fields = [
		{ fieldname: "title", fieldtype: "Data", label: __("Title"), reqd: 1, default: frm.doc.campaign_name },
		{ fieldname: "description", fieldtype: "Small Text", label: __("Description"), default: frm.doc.description },
	];
	const save = async (values) => {
		await frappe.call({
			method: "drip_campaigns.api.campaign_templates.save_as_template",
			args: { campaign: frm.doc.name, title: values.title, description: values.description || "" },
			freeze: true,
		});
		frappe.show_alert({ message: __("Template saved. Find it under New from Template."), indicator: "green" });
	};
	frappe.prompt(fields, save, __("Save as Template"), __("Save"));
}
