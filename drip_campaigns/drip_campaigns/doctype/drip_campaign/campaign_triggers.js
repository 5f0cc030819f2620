// The rows that enroll people by themselves: what each kind asks for, and its filters.

const DATE_TYPES = ["Date", "Datetime"];
const NO_VALUE_TYPES = ["Section Break", "Column Break", "Tab Break", "HTML", "Button", "Table", "Fold", "Heading"];

frappe.ui.form.on("Drip Campaign Trigger", {
	form_render(frm, doctype, name) {
		offer_fields(frm, frappe.get_doc(doctype, name));
		show_filters(frm, frappe.get_doc(doctype, name));
	},

	triggers_add: show_unsaved_sentence,

	kind(frm, doctype, name) {
		show_unsaved_sentence(frm, doctype, name);
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

// The sentence comes from the server; until the row is saved it says what was chosen.
function show_unsaved_sentence(frm, doctype, name) {
	const row = frappe.get_doc(doctype, name);
	row.sentence = `${__(row.kind)} (${__("not saved yet")})`;
	frm.get_field("triggers").grid.refresh_row(name);
}

function open_row(frm, row) {
	const grid_row = frm.get_field("triggers").grid.get_row(row.name);
	return grid_row && grid_row.grid_form;
}

function offer_fields(frm, row) {
	const form = open_row(frm, row);
	if (!form || !row.recipient_type) return;
	frappe.model.with_doctype(row.recipient_type, () => {
		const only_dates = row.kind === "Date Reached";
		const fields = frappe
			.get_meta(row.recipient_type)
			.fields.filter((df) => !NO_VALUE_TYPES.includes(df.fieldtype))
			.filter((df) => !only_dates || DATE_TYPES.includes(df.fieldtype))
			.map((df) => ({ value: df.fieldname, label: __(df.label || df.fieldname) }));
		form.fields_dict.field_name.set_data(fields);
	});
}

function show_filters(frm, row) {
	const form = open_row(frm, row);
	if (!form) return;
	const all = `<span class="text-muted">${__("All records")}</span>`;
	const draw = () => {
		const lines = JSON.parse(row.filters || "[]").map(describe_filter);
		$(form.fields_dict.filter_area.wrapper).html(`<p>${lines.join("<br>") || all}</p>`);
	};
	if (row.recipient_type) frappe.model.with_doctype(row.recipient_type, draw);
	else draw();
}

function describe_filter([doctype, fieldname, operator, value]) {
	const label = frappe.meta.get_label(doctype, fieldname) || fieldname;
	const text = `${__(label)} ${__(operator)} ${Array.isArray(value) ? value.join(", ") : value}`;
	return frappe.utils.escape_html(text);
}

function open_filters(frm, row) {
	if (!row.recipient_type) {
		frappe.msgprint(__("Choose a recipient type first: filters ask about its fields."));
		return;
	}
	frappe.model.with_doctype(row.recipient_type, () => {
		const dialog = new frappe.ui.Dialog({
			title: __("Only {0} records that match", [__(row.recipient_type)]),
			fields: [{ fieldtype: "HTML", fieldname: "area" }],
			primary_action_label: __("Set"),
			primary_action() {
				const filters = group.get_filters().map((filter) => filter.slice(0, 4));
				frappe.model.set_value(row.doctype, row.name, "filters", JSON.stringify(filters));
				dialog.hide();
				// A click beside the row's form has closed it.
				frm.get_field("triggers").grid.get_row(row.name).toggle_view(true);
			},
		});
		const group = new frappe.ui.FilterGroup({
			parent: $(dialog.fields_dict.area.wrapper),
			doctype: row.recipient_type,
			on_change: () => {},
		});
		dialog.show();
		group.add_filters_to_filter_group(JSON.parse(row.filters || "[]"));
	});
}
