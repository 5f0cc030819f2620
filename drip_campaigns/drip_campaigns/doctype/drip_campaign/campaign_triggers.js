// The rows that enroll people automatically: the fields of each kind, and its filters.

const NO_VALUE_TYPES = ["Section Break", "Column Break", "Tab Break", "HTML", "Button", "Table", "Fold", "Heading"];

frappe.ui.form.on("Drip Campaign Trigger", {
	form_render(frm, doctype, name) {
		offer_fields(frm, frappe.get_doc(doctype, name));
		show_filters(frm, frappe.get_doc(doctype, name));
		show_tracking_gap(frm, frappe.get_doc(doctype, name));
	},

	triggers_add: show_unsaved_sentence,

	kind(frm, doctype, name) {
		show_unsaved_sentence(frm, doctype, name);
		show_tracking_gap(frm, frappe.get_doc(doctype, name));
		offer_fields(frm, frappe.get_doc(doctype, name));
	},

	recipient_type(frm, doctype, name) {
		frappe.model.set_value(doctype, name, { filters: "[]", field_name: "" });
		offer_fields(frm, frappe.get_doc(doctype, name));
		show_filters(frm, frappe.get_doc(doctype, name));
	},

	edit_filters(frm, doctype, name) {
		open_filters(frm, frappe.get_doc(doctype, name));
	},
});

function prepare_triggers(frm) {
	const types = frappe.boot.drip_recipient_types || [];
	frm.set_query("recipient_type", "triggers", () => ({ filters: { name: ["in", types] } }));
}

// The server knows at the last load why opens and clicks are not recorded for a trigger. A changed row has none until it is saved.
function show_tracking_gap(frm, row) {
	const form = open_row(frm, row);
	const gaps = (frm.doc.__onload || {}).tracking_gaps || {};
	const gap = row.__unsaved ? "" : gaps[row.name] || "";
	if (form) form.fields_dict.kind.set_description(frappe.utils.escape_html(gap));
}

// The sentence comes from the server when the row is saved. Until then, the row shows its kind.
function show_unsaved_sentence(frm, doctype, name) {
	const row = frappe.get_doc(doctype, name);
	row.sentence = `${__(row.kind)} (${__("not saved yet")})`;
	frm.get_field("triggers").grid.refresh_row(name);
}

function offer_fields(frm, row) {
	const form = open_row(frm, row);
	if (!form || !row.recipient_type) return;
	frappe.model.with_doctype(row.recipient_type, () => {
		const field_types = frappe.boot.drip_kinds.field_types[row.kind] || [];
		const fields = frappe
			.get_meta(row.recipient_type)
			.fields.filter((df) => !NO_VALUE_TYPES.includes(df.fieldtype))
			.filter((df) => !field_types.length || field_types.includes(df.fieldtype))
			.map((df) => ({ value: df.fieldname, label: __(df.label || df.fieldname) }));
		form.fields_dict.field_name.set_data(fields);
	});
}
