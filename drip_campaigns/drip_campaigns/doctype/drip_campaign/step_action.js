// The form of a step that is an action: it offers what exists, and a value is picked as its field allows.

const uses = (fieldname, kind) => (frappe.boot.drip_kinds.uses[fieldname] || []).includes(kind);

frappe.ui.form.on("Drip Campaign", {
	setup(frm) {
		const by_itself = { istable: 0, issingle: 0 };
		frm.set_query("action_doctype", "steps", (doc, doctype, name) => {
			const sets_field = uses("action_field", frappe.get_doc(doctype, name).action);
			return { filters: sets_field ? { name: ["in", frappe.boot.drip_recipient_types || []] } : by_itself };
		});
		frm.set_query("action_user", "steps", () => ({ filters: { enabled: 1, user_type: "System User" } }));
		frm.set_query("action_campaign", "steps", () => ({ filters: { name: ["!=", frm.doc.name], status: ["!=", "Ended"] } }));
	},
});

frappe.ui.form.on("Drip Campaign Step", {
	form_render: prepare_action,
	step_type: prepare_action,

	action(frm, doctype, name) {
		const row = frappe.get_doc(doctype, name);
		const types = frappe.boot.drip_recipient_types || [];
		const is_other_type = uses("action_field", row.action) && row.action_doctype && !types.includes(row.action_doctype);
		if (is_other_type) frappe.model.set_value(doctype, name, "action_doctype", "");
		prepare_action(frm, doctype, name);
		draw_schedule(frm);
	},

	async action_doctype(frm, doctype, name) {
		await frappe.model.set_value(doctype, name, { action_field: "", action_value: "", action_values: "" });
		await prepare_action(frm, doctype, name);
		draw_schedule(frm);
	},

	async action_field(frm, doctype, name) {
		await frappe.model.set_value(doctype, name, "action_value", "");
		await prepare_action(frm, doctype, name);
		draw_schedule(frm);
	},

	wait_for: prepare_action,

	choose_users(frm, doctype, name) {
		const users = (frappe.get_doc(doctype, name).action_users || "").split("\n").map((user) => user.trim());
		choose_users_in_turn(users.filter(Boolean), async (chosen) => {
			await frappe.model.set_value(doctype, name, "action_users", chosen.join("\n"));
			frm.get_field("steps").grid.get_row(name).toggle_view(true);
		});
	},

	...Object.fromEntries(
		[
			...["run_when", "on_exit_reason", "action_value", "action_tag", "action_list", "action_campaign", "assign_to"],
			...["action_user", "action_users", "action_text", "wait_for_todo", "webhook", "action_values"],
		].map((fieldname) => [fieldname, draw_schedule])
	),
});

async function prepare_action(frm, doctype, name) {
	const row = frappe.get_doc(doctype, name);
	if (!open_row(frm, row)) return;
	if (row.step_type === "Wait Until") {
		offer(open_row(frm, row), "wait_link", find_links(frm), { is_free: true });
		return offer_awaited_fields(frm, row);
	}
	if (row.step_type !== "Action") return;
	offer_tags(frm, row);
	if (!row.action_doctype) return;
	await load_record_types(frm);
	const form = open_row(frm, row);
	if (!form) return;
	offer(form, "action_field", list_settable(row.action_doctype).map(as_option));
	show_value(frm, row);
	show_values(frm, row);
}

// Options of an Autocomplete in the form of a row, which Desk sets only when the input is made. Frappe shows the labels as
// HTML in the list and as text in the input, so only what begins a tag is escaped.
function offer(form, fieldname, choices, { is_free = false } = {}) {
	const field = form.fields_dict[fieldname];
	const escape = (text) => cstr(text).replaceAll("<", "&lt;");
	const options = choices.map((choice) => {
		const { value, label, description } = typeof choice === "object" ? choice : { value: choice, label: choice };
		return { value, label: escape(label), description: description && escape(description) };
	});
	const known = JSON.stringify(options);
	Object.assign(field.df, { options, ignore_validation: is_free });
	if (field.awesomplete && field.drip_offered !== known) {
		field.drip_offered = known; // what is offered anew opens the list of a field that has the focus
		field.set_data(options);
		field.refresh();
	}
}

async function offer_tags(frm, row) {
	if (!uses("action_tag", row.action)) return;
	frm.drip_tags = frm.drip_tags || (await frappe.db.get_list("Tag", { limit: 500, order_by: "name" })).map(({ name }) => name);
	const form = open_row(frm, row);
	if (form) offer(form, "action_tag", frm.drip_tags, { is_free: true });
}

function load_record_types(frm) {
	const used = frm.doc.steps.filter((step) => step.step_type === "Action").map((step) => step.action_doctype);
	const load = (doctype) => new Promise((resolve) => frappe.model.with_doctype(doctype, resolve));
	return Promise.all([...new Set(used.filter(Boolean))].map(load));
}

function choose_users_in_turn(users, take) {
	const column = { fieldname: "user", fieldtype: "Link", options: "User", label: __("User"), in_list_view: 1, columns: 10 };
	const dialog = new frappe.ui.Dialog({
		title: __("Round Robin"),
		fields: [
			{
				...{ fieldname: "rows", fieldtype: "Table", label: __("Users"), in_place_edit: true },
				description: __("Each user gets the next one, in this order."),
				data: [...users, ""].map((user) => ({ user })),
				fields: [{ ...column, get_query: () => ({ filters: { enabled: 1, user_type: "System User" } }) }],
			},
		],
		primary_action_label: __("Choose"),
		primary_action({ rows = [] }) {
			dialog.hide();
			take([...new Set(rows.map(({ user }) => user).filter(Boolean))]);
		},
	});
	dialog.$wrapper.addClass("drip-values-dialog");
	dialog.show();
}

const WITHOUT_VALUE = [...frappe.model.no_value_type, ...frappe.model.table_fields, "Read Only", "Geolocation", "Signature"];
const has_value = (field) => field.fieldname && field.label && !WITHOUT_VALUE.includes(field.fieldtype);
const is_settable = (field) => has_value(field) && !cint(field.read_only) && !cint(field.is_virtual) && !cint(field.hidden);

function list_settable(doctype) {
	return frappe.meta.get_docfields(doctype).filter(is_settable).sort((a, b) => __(a.label).localeCompare(__(b.label)));
}

// Two fields with the same label show their names, too.
function as_option({ label, fieldname }, i, fields) {
	const is_twice = fields.some((other) => other.fieldname !== fieldname && __(other.label) === __(label));
	return { value: fieldname, label: is_twice ? `${__(label)} (${fieldname})` : __(label), description: fieldname };
}

// Fields that a step can wait for: those of all recipient types, or their dates.
async function offer_awaited_fields(frm, row) {
	if (!uses("wait_field", row.wait_for)) return;
	const types = frappe.boot.drip_recipient_types || [];
	await Promise.all(types.map((type) => new Promise((resolve) => frappe.model.with_doctype(type, resolve))));
	const form = open_row(frm, row);
	if (!form) return;
	const field_types = frappe.boot.drip_kinds.field_types[row.wait_for] || [];
	const fits = (field) => has_value(field) && (!field_types.length || field_types.includes(field.fieldtype));
	const found = {};
	for (const type of types) {
		for (const field of frappe.meta.get_docfields(type).filter(fits)) {
			found[field.fieldname] = found[field.fieldname] || { ...field, types: [] };
			found[field.fieldname].types.push(__(type));
		}
	}
	const fields = Object.values(found).sort((a, b) => __(a.label).localeCompare(__(b.label)));
	const options = fields.map((field, i) => ({ ...as_option(field, i, fields), description: `${field.fieldname}: ${field.types.join(", ")}` }));
	offer(form, "wait_field", options, { is_free: true });
}
