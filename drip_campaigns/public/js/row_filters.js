// List filters in a row of a child table: shown in words (field `filter_area`), changed in a dialog (field `filters`).

function open_row(frm, row) {
	const grid_row = frm.get_field(row.parentfield).grid.get_row(row.name);
	return grid_row && grid_row.grid_form;
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
				frm.get_field(row.parentfield).grid.get_row(row.name).toggle_view(true);
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
