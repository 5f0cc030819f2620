// The value of a field: picked from what the field allows, or a text that is filled from the recipient's record.

const PICKED_AS = {
	Select: (field) => ({ fieldtype: "Select", options: ["", ...(field.options || "").split("\n").filter(Boolean)] }),
	Link: (field) => ({ fieldtype: "Link", options: field.options }),
	Date: () => ({ fieldtype: "Date" }),
	Datetime: () => ({ fieldtype: "Datetime" }),
	Check: () => ({ fieldtype: "Select", options: [{ value: "1", label: __("Yes") }, { value: "0", label: __("No") }] }),
};
const is_filled_in = (text) => (text || "").includes("{{") || (text || "").includes("{%");

function show_value(frm, row, { writes = is_filled_in(row.action_value) } = {}) {
	const form = open_row(frm, row);
	if (!form) return;
	const area = $(form.fields_dict.action_value_area.wrapper).empty();
	const field = uses("action_value", row.action) && frappe.meta.get_docfield(row.action_doctype, row.action_field);
	const picks = field && PICKED_AS[field.fieldtype] && frm.get_field("steps").grid.is_editable();
	form.fields_dict.action_value.$wrapper.toggle(!picks || writes);
	if (!picks) return;
	if (!writes) make_picker(area, row, field);
	const way = writes ? __("Choose a value instead") : __("Fill it from the recipient's record instead");
	$(`<p><a class="small drip-other-way" role="button" tabindex="0">${way}</a></p>`)
		.appendTo(area)
		.on("click", "a", async () => {
			await frappe.model.set_value(row.doctype, row.name, "action_value", "");
			show_value(frm, row, { writes: !writes });
		});
}

function make_picker(area, row, field) {
	const set = (value) => {
		if (cstr(value) !== cstr(row.action_value)) frappe.model.set_value(row.doctype, row.name, "action_value", cstr(value));
	};
	const picker = frappe.ui.form.make_control({
		parent: area,
		render_input: true,
		df: {
			...PICKED_AS[field.fieldtype](field),
			...{ fieldname: "picked_value", label: __("Value"), description: __("Leave empty to clear the field.") },
			change: () => set(picker.get_value()),
		},
	});
	picker.set_value(row.action_value || "");
}
