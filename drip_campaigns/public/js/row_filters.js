// List filters in a row of a child table: shown as text (field `filter_area`), edited in a dialog (field `filters`).

function open_row(frm, row) {
	const grid_row = frm.get_field(row.parentfield).grid.get_row(row.name);
	return grid_row && grid_row.grid_form;
}

function show_filters(frm, row) {
	const form = open_row(frm, row);
	if (!form) return;
	const draw = () => show_filter_lines(form.fields_dict.filter_area, row.filters);
	if (row.recipient_type) frappe.model.with_doctype(row.recipient_type, draw);
	else draw();
}

function show_filter_lines(field, filters, if_none = __("All records")) {
	const all = `<span class="text-muted">${if_none}</span>`;
	const lines = JSON.parse(filters || "[]").map(describe_filter);
	$(field.wrapper).html(`<p>${lines.join("<br>") || all}</p>`);
}

function describe_filter([doctype, fieldname, operator, value]) {
	const label = frappe.meta.get_label(doctype, fieldname) || fieldname;
	const text = `${__(label)} ${__(operator)} ${Array.isArray(value) ? value.join(", ") : value}`;
	return frappe.utils.escape_html(text);
}

function open_filters(frm, row) {
	if (!row.recipient_type) {
		frappe.msgprint(__("Choose a recipient type first; the filters use its fields."));
		return;
	}
	choose_filters(row.recipient_type, row.filters, (filters) => {
		frappe.model.set_value(row.doctype, row.name, "filters", filters);
		// A click outside the row's form has closed it.
		frm.get_field(row.parentfield).grid.get_row(row.name).toggle_view(true);
	});
}

// Ask for filters on a DocType in a dialog, and pass them to `on_set` as JSON.
function choose_filters(doctype, filters, on_set) {
	frappe.model.with_doctype(doctype, () => {
		const dialog = new frappe.ui.Dialog({
			title: __("Only Matching {0} Records", [__(doctype)]),
			fields: [{ fieldtype: "HTML", fieldname: "area" }],
			primary_action_label: __("Set"),
			primary_action() {
				const chosen = group.get_filters().map((filter) => filter.slice(0, 4));
				dialog.hide();
				on_set(JSON.stringify(chosen));
			},
		});
		const group = new frappe.ui.FilterGroup({
			parent: $(dialog.fields_dict.area.wrapper),
			doctype,
			on_change: () => {},
		});
		dialog.show();
		group.add_filters_to_filter_group(JSON.parse(filters || "[]"));
	});
}
