// The conditions of a step: shown as sentences in its form, changed in a dialog with Frappe's own filters for fields.

frappe.ui.form.on("Drip Campaign Step", {
	form_render(frm, doctype, name) {
		const row = frappe.get_doc(doctype, name);
		offer_labels(frm, row);
		load_sentences(frm).then(() => show_conditions(frm, row));
	},

	set_conditions(frm, doctype, name) {
		open_conditions(frm, frappe.get_doc(doctype, name));
	},

	...Object.fromEntries(
		[
			...["step_type", "label", "otherwise", "otherwise_step", "next_step", "expires_after_hours"],
			...["wait_for", "wait_step", "wait_link", "wait_field", "wait_operator", "wait_value", "wait_days", "wait_time"],
			...["wait_limit_days", "wait_limit_hours", "on_timeout", "on_timeout_step"],
		].map((fieldname) => [fieldname, draw_schedule])
	),
});

function show_conditions(frm, row) {
	const form = open_row(frm, row);
	if (!form) return;
	const { match } = read_conditions(row);
	const lines = sentences_of(row).conditions.map((sentence) => `<li>${frappe.utils.escape_html(sentence)}</li>`);
	const head = match === "any" ? __("If any of these is true:") : __("If all of these are true:");
	const text = lines.length ? `<p>${head}</p><ul>${lines.join("")}</ul>` : `<p class="text-muted">${__("No conditions")}</p>`;
	$(form.fields_dict.condition_area.wrapper).html(text);
	form.fields_dict.set_conditions.$input.text(lines.length ? __("Change Conditions") : __("Set Conditions"));
}

function open_conditions(frm, row) {
	const { match, tests } = read_conditions(row);
	const own = tests.filter((test) => test.kind === "field" && !test.link);
	const doctype = own.map((test) => test.doctype).find(Boolean) || (frappe.boot.drip_recipient_types || [])[0];
	const table = (fieldname, label, description) => ({
		...{ fieldname, fieldtype: "Table", label, description, in_place_edit: true, data: to_rows(fieldname, tests) },
		fields: CONDITION_TABLES[fieldname].map((field) => ({ columns: 2, ...field, in_list_view: 1 })),
	});
	const dialog = new frappe.ui.Dialog({
		title: __("When Does This Step Run?"),
		size: "large",
		fields: [
			{ fieldname: "match", fieldtype: "Select", label: __("Needed"), options: [{ value: "all", label: __("All of these") }, { value: "any", label: __("Any of these") }], default: match },
			{ fieldtype: "Column Break" },
			{ fieldname: "doctype", fieldtype: "Select", label: __("Fields Of"), options: frappe.boot.drip_recipient_types || [], default: doctype, onchange: () => show_filters_of(dialog, []) },
			{ fieldtype: "Section Break", label: __("The recipient's record") },
			{ fieldname: "filters", fieldtype: "HTML" },
			{ fieldtype: "Section Break", label: __("What happened"), description: __("What people did. Opens and clicks of bots don't count.") },
			table("event"),
			{ fieldtype: "Section Break", label: __("More"), collapsible: 1, collapsed: !tests.some((test) => !["event"].includes(test.kind) && !own.includes(test)) },
			table("member", __("Tags, Lists, Groups, Campaigns")),
			table("linked", __("Fields of a Linked Record")),
			{ fieldname: "expression", fieldtype: "Small Text", label: __("Expression"), default: (tests.find((test) => test.kind === "expression") || {}).expression, description: __("For everything else. Use doc, recipient, today and now, for example doc.annual_revenue > 1000.") },
		],
		primary_action_label: __("Set"),
		async primary_action(values) {
			const found = [...read_filters(dialog), ...from_rows(values)];
			const text = found.length ? JSON.stringify({ match: values.match, tests: found }) : "";
			dialog.hide();
			await frappe.model.set_value(row.doctype, row.name, "conditions", text);
			await load_sentences(frm);
			frm.get_field("steps").grid.get_row(row.name).toggle_view(true);
			show_conditions(frm, row);
		},
	});
	dialog.show();
	offer_in_conditions(frm, dialog);
	show_filters_of(dialog, own.map((test) => [test.doctype || doctype, test.field, test.operator, test.value]));
}

function show_filters_of(dialog, filters) {
	const doctype = dialog.get_value("doctype");
	if (!doctype) return;
	frappe.model.with_doctype(doctype, () => {
		const parent = $(dialog.fields_dict.filters.wrapper).empty();
		dialog.drip_filters = new frappe.ui.FilterGroup({ parent, doctype, on_change: () => {} });
		dialog.drip_filters.add_filters_to_filter_group(filters);
	});
}

function read_filters(dialog) {
	const filters = dialog.drip_filters ? dialog.drip_filters.get_filters() : [];
	return filters.map(([doctype, field, operator, value]) => ({ kind: "field", doctype, field, operator, value }));
}

function to_rows(table, tests) {
	const kinds = { event: ["event"], linked: ["field"], member: Object.keys(MEMBER_KINDS) }[table];
	const meant = tests.filter((test) => kinds.includes(test.kind) && (table !== "linked" || test.link));
	return meant.map((test) => ({ ...test, name_of_it: test[test.kind], negated: cint(test.negated) }));
}

function from_rows({ event = [], linked = [], member = [], expression }) {
	const turned = (row) => (cint(row.negated) ? { negated: true } : {});
	return [
		...event.filter((row) => row.event).map((row) => ({ kind: "event", event: row.event, step: row.step || "", link: row.link || "", within_days: cint(row.within_days), ...turned(row) })),
		...linked.filter((row) => row.link && row.field).map(({ link, field, operator, value }) => ({ kind: "field", link, field, operator: operator || "=", value: value || "" })),
		...member
			.filter((row) => row.kind && row.name_of_it)
			.map((row) => ({ kind: row.kind, [row.kind]: row.name_of_it, ...(row.kind === "campaign" ? { stands: row.stands || "ever" } : {}), ...turned(row) })),
		...(expression && expression.trim() ? [{ kind: "expression", expression: expression.trim() }] : []),
	];
}
