// The field values of a document that an action creates, set in a dialog that starts with the mandatory fields.

frappe.ui.form.on("Drip Campaign Step", {
	set_values(frm, doctype, name) {
		open_values(frm, frappe.get_doc(doctype, name));
	},
});

function read_values(row) {
	try {
		return Object.entries(JSON.parse(row.action_values || "{}"));
	} catch {
		return [];
	}
}

// Mandatory fields without a default value.
function list_mandatory(doctype) {
	const is_given = (field) => field.default || field.fieldname === "naming_series" || frappe.defaults.get_default(field.fieldname);
	return frappe.meta.get_docfields(doctype).filter((field) => cint(field.reqd) && !is_given(field));
}

function show_values(frm, row) {
	const form = open_row(frm, row);
	if (!form || !uses("action_values", row.action)) return;
	const escape = frappe.utils.escape_html;
	const values = read_values(row);
	const label = (fieldname) => escape(__(frappe.meta.get_label(row.action_doctype, fieldname)));
	const lines = values.map(([fieldname, value]) => `<li>${label(fieldname)}: <span class="text-muted">${escape(cstr(value))}</span></li>`);
	const missing = list_mandatory(row.action_doctype).filter(({ fieldname }) => !values.some(([name]) => name === fieldname));
	const wanted = missing.length ? `<p class="text-danger">${__("Required: {0}", [missing.map(({ fieldname }) => label(fieldname)).join(", ")])}</p>` : "";
	const title = `<div class="control-label">${__("Field Values")}</div>`;
	$(form.fields_dict.values_area.wrapper).html(`${title}<ul class="drip-values">${lines.join("")}</ul>${wanted}`);
	form.fields_dict.set_values.$input.text(lines.length ? __("Change Values") : __("Set Values"));
}

const PERSON_FIELDS = ["first_name", "last_name", "full_name", "company"];

// Suggest the usual value: the recipient, its type, or its address.
function suggest_value(field, fields) {
	const types = frappe.boot.drip_recipient_types || [];
	const names_type = fields.some((other) => other.fieldtype === "Dynamic Link" && other.options === field.fieldname);
	if (names_type) return types.includes("Lead") ? "Lead" : types[0] || "";
	if (field.fieldtype === "Dynamic Link" || (field.fieldtype === "Link" && types.includes(field.options))) return "{{ doc.name }}";
	if (field.options === "Email") return "{{ recipient.email }}";
	if (field.fieldtype === "Data" && PERSON_FIELDS.includes(field.fieldname)) return `{{ recipient.${field.fieldname} }}`;
	return field.fieldtype === "Select" ? (field.options || "").split("\n").find(Boolean) || "" : "";
}

async function open_values(frm, row) {
	await load_record_types(frm);
	const doctype = row.action_doctype;
	const fields = frappe.meta.get_docfields(doctype);
	const settable = list_settable(doctype);
	const values = read_values(row);
	const missing = list_mandatory(doctype).filter(({ fieldname }) => !values.some(([name]) => name === fieldname));
	const tables = missing.filter(({ fieldtype }) => frappe.model.table_fields.includes(fieldtype));
	const begun = missing.filter((field) => !tables.includes(field)).map((field) => [field.fieldname, suggest_value(field, fields)]);
	const warning = __("{0} needs rows in {1}, which an action cannot create. Choose another record type.", [
		__(doctype),
		tables.map(({ label }) => __(label)).join(", "),
	]);
	const dialog = new frappe.ui.Dialog({
		title: __("Field Values of New {0}", [__(doctype)]),
		size: "large",
		fields: [
			NOTE,
			{
				...{ fieldname: "rows", fieldtype: "Table", label: __("Values"), in_place_edit: true },
				description: __("Enter text or fields of the recipient's record, such as {0}.", ["{{ doc.name }}, {{ recipient.email }}, {{ recipient.full_name }}"]),
				data: [...values, ...begun].map(([field, value]) => ({ field, value: cstr(value) })),
				fields: [
					{
						...{ fieldname: "field", fieldtype: "Autocomplete", label: __("Field"), options: settable.map(as_option) },
						...{ in_list_view: 1, columns: 4, reqd: 1 },
						formatter: (value) => frappe.utils.escape_html(value ? __(frappe.meta.get_label(doctype, value)) : ""),
					},
					{ fieldname: "value", fieldtype: "Data", label: __("Value"), length: 1000, in_list_view: 1, columns: 6 },
				],
			},
		],
		primary_action_label: __("Set"),
		async primary_action({ rows = [] }) {
			const chosen = rows.filter(({ field, value }) => field && cstr(value) !== "").map(({ field, value }) => [field, value]);
			dialog.hide();
			const text = chosen.length ? JSON.stringify(Object.fromEntries(chosen)) : "";
			await frappe.model.set_value(row.doctype, row.name, "action_values", text);
			frm.get_field("steps").grid.get_row(row.name).toggle_view(true);
			show_values(frm, row);
		},
	});
	if (tables.length) show_note(dialog, `<p class="text-danger">${frappe.utils.escape_html(warning)}</p>`);
	dialog.$wrapper.addClass("drip-values-dialog");
	dialog.show();
}
