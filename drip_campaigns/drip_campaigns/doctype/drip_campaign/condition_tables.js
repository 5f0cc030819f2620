// The tables of the dialog for conditions: their columns, and what is offered in a cell when it is entered.

const {
	events: EVENT_LABELS,
	labels: MEMBER_KINDS,
	doctypes: MEMBER_DOCTYPES,
	standings: STANDING_LABELS,
	operators: OPERATORS,
} = frappe.boot.drip_kinds.conditions;

// A choice of labels; a row that is only shown has the label, too.
const choose_from = (words, empty = []) => ({
	fieldtype: "Select",
	options: [...empty, ...Object.entries(words).map(([value, label]) => ({ value, label }))],
	formatter: (value) => frappe.utils.escape_html(words[value] || value || ""),
});
const offered = { fieldtype: "Autocomplete", options: [], ignore_validation: true };
const NOT = { fieldname: "negated", fieldtype: "Check", label: __("Not"), columns: 1 };

const CONDITION_TABLES = {
	event: [
		{ fieldname: "step", label: __("Email of Step"), ...offered, columns: 3 },
		{ fieldname: "event", label: __("What"), ...choose_from(EVENT_LABELS) },
		{ fieldname: "link", label: __("Link"), ...offered },
		{ fieldname: "within_days", fieldtype: "Int", label: __("Last Days") },
		NOT,
	],
	linked: [
		{ fieldname: "link", label: __("Link Field"), ...offered, columns: 3, formatter: (value, df, options, row) => label_in_dialog(row, value) },
		{ fieldname: "field", label: __("Field There"), ...offered, columns: 3, formatter: (value, df, options, row) => label_in_dialog(row, row.link, value) },
		{ fieldname: "operator", fieldtype: "Select", label: __("Operator"), options: OPERATORS },
		{ fieldname: "value", fieldtype: "Data", label: __("Value"), length: 255 },
	],
	member: [
		{ fieldname: "kind", label: __("Kind"), ...choose_from(MEMBER_KINDS) },
		{
			...{ fieldname: "name_of_it", fieldtype: "Dynamic Link", label: __("Name"), options: "kind", columns: 4 },
			get_options: ({ doc }) => MEMBER_DOCTYPES[doc.kind] || "Tag",
			formatter: (value) => frappe.utils.escape_html(value || ""),
		},
		{ fieldname: "stands", label: __("Campaign"), ...choose_from(STANDING_LABELS, [""]), columns: 3 },
		NOT,
	],
};

const link_of = (doctype, fieldname) => (frappe.meta.get_docfield(doctype, fieldname) || {}).options;

function label_in_dialog(row, link, field) {
	const doctype = cur_dialog && cur_dialog.get_value("doctype");
	const target = field === undefined ? doctype : link_of(doctype, link);
	const name = field === undefined ? link : field;
	const known = target && name && frappe.meta.get_docfield(target, name);
	return frappe.utils.escape_html(known ? __(known.label) : name || "");
}

// What a cell offers depends on its row, and Desk makes the options of a column once: so they are set on entering it.
async function offer_in_conditions(frm, dialog) {
	const load = (doctype) => new Promise((resolve) => (doctype ? frappe.model.with_doctype(doctype, resolve) : resolve()));
	await load(dialog.get_value("doctype"));
	const { grid: linked } = dialog.fields_dict.linked;
	await Promise.all(linked.get_data().map(({ link }) => load(link_of(dialog.get_value("doctype"), link))));
	linked.refresh(); // in words, now that their fields are known
	const fields_of = (doctype, fits) => (doctype ? frappe.meta.get_docfields(doctype).filter(fits).map(as_option) : []);
	const offers = {
		event: {
			step: () => frm.doc.steps.map((step) => step.label).filter(Boolean),
			link: () => find_links(frm),
		},
		linked: {
			link: () => fields_of(dialog.get_value("doctype"), (field) => field.fieldtype === "Link"),
			async field(row) {
				const target = link_of(dialog.get_value("doctype"), row.link);
				await load(target);
				return fields_of(target, has_value);
			},
		},
	};
	for (const [table, columns] of Object.entries(offers)) {
		const { grid } = dialog.fields_dict[table];
		grid.wrapper.on("focusin", "input[data-fieldname]", async (event) => {
			const find = columns[event.target.dataset.fieldname];
			const row = grid.get_row($(event.target).closest(".grid-row").attr("data-name"));
			const control = find && row && row.on_grid_fields_dict[event.target.dataset.fieldname];
			if (control) control.set_data(await find(row.doc));
		});
	}
}

// The links in the texts of the steps.
function find_links(frm) {
	const texts = frm.doc.steps.map((step) => `${step.message || ""} ${step.message_html || ""}`).join(" ");
	return [...new Set([...texts.matchAll(/href="(https?:[^"{<>]+)"/g)].map(([, url]) => url))];
}
