{% include "drip_campaigns/public/js/form_buttons.js" %}
{% include "drip_campaigns/public/js/row_filters.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_target_list/list_state.js" %}

const LIST_API = "drip_campaigns.api.lists";

frappe.ui.form.on("Drip Target List", {
	setup(frm) {
		const types = frappe.boot.drip_recipient_types || [];
		frm.set_query("recipient_type", "sources", () => ({ filters: { name: ["in", types] } }));
		frm.set_query("included_list", "sources", () => ({ filters: { name: ["!=", frm.doc.name] } }));
		frappe.realtime.on("drip_target_list_refresh", ({ target_list }) => {
			if (target_list === frm.doc.name) show_state(frm);
		});
	},

	async refresh(frm) {
		if (frm.is_new()) {
			frm.set_intro(__("Leave Sources empty to add members yourself, or add sources to fill the list automatically."));
			return;
		}
		add_buttons(frm, LIST_BUTTONS);
		await show_state(frm);
	},

	async validate(frm) {
		await ask_about_everybody(frm);
	},

	on_hide: (frm) => clearTimeout(frm.state_timer),
});

frappe.ui.form.on("Drip Target List Source", {
	form_render: (frm, doctype, name) => show_filters(frm, frappe.get_doc(doctype, name)),
	sources_add: show_unsaved_source,
	kind: show_unsaved_source,
	edit_filters: (frm, doctype, name) => open_filters(frm, frappe.get_doc(doctype, name)),

	recipient_type(frm, doctype, name) {
		frappe.model.set_value(doctype, name, "filters", "[]");
		show_filters(frm, frappe.get_doc(doctype, name));
	},
});

const may_change = (frm) => Boolean(frm.perm[0] && frm.perm[0].write);

const LIST_BUTTONS = [
	{
		label: __("Refresh"),
		condition: (frm) => may_change(frm) && frm.doc.sources.length > 0,
		action: (frm) => call_list(frm, "refresh_list"),
	},
	{
		label: __("Show Members"),
		condition: () => true,
		action: (frm) => frappe.set_route("List", "Drip Target List Member", { target_list: frm.doc.name }),
	},
	{
		label: __("Add to Campaign"),
		condition: () => frappe.model.can_write("Drip Campaign"),
		action: (frm) => open_include(frm),
	},
];

async function call_list(frm, method) {
	if (frm.is_dirty()) await frm.save();
	await frappe.call({ method: `${LIST_API}.${method}`, args: { target_list: frm.doc.name } });
	await show_state(frm);
}

// The server writes the summary; until the row is saved, show the chosen kind.
function show_unsaved_source(frm, doctype, name) {
	const row = frappe.get_doc(doctype, name);
	row.sentence = `${__(row.kind)} (${__("not saved yet")})`;
	frm.get_field("sources").grid.refresh_row(name);
}

// Ask for confirmation, with the number, when the filters match every record.
async function ask_about_everybody(frm) {
	const rows = (frm.doc.sources || []).filter((row) => row.kind === "Filters" && row.recipient_type);
	if (!rows.length || !frm.is_dirty()) return;
	const { message } = await frappe.call({
		method: "drip_campaigns.api.lists.find_everybody_in",
		args: { sources: JSON.stringify(rows) },
	});
	if (!message.count || message.count === frm.doc.confirmed_count) return;
	const number = format_number(message.count, null, 0);
	const question = __("No filter set: this includes all {1} {0} records. Add all of them to the list?", [
		__(message.recipient_type),
		number,
	]);
	await new Promise((resolve) => {
		frappe.confirm(
			question,
			() => resolve((frm.doc.confirmed_count = message.count)),
			() => resolve((frappe.validated = false))
		);
	});
}

function open_include(frm) {
	frappe.prompt(
		[
			{
				fieldname: "campaign",
				fieldtype: "Link",
				options: "Drip Campaign",
				label: __("Campaign"),
				reqd: 1,
				get_query: () => ({ filters: { status: ["!=", "Ended"] } }),
				description: __("People who join this list are enrolled while the campaign is active."),
			},
			{
				fieldname: "when_left",
				fieldtype: "Select",
				label: __("On Removal"),
				options: [
					{ value: "End", label: __("End the enrollment") },
					{ value: "Continue", label: __("Continue the enrollment") },
				],
				default: "End",
			},
		],
		(values) => include(frm, values),
		__("Add {0} to Campaign", [frappe.utils.escape_html(frm.doc.name)]),
		__("Add")
	);
}

async function include(frm, values) {
	const { message } = await frappe.call({
		method: "drip_campaigns.api.lists.include_list",
		args: { target_list: frm.doc.name, ...values },
		freeze: true,
	});
	show_state(frm);
	const total = message.existing.reduce((sum, row) => sum + row.count, 0);
	if (!total || message.status === "Draft") {
		frappe.set_route("Form", "Drip Campaign", values.campaign);
		return;
	}
	const question = __("{0} people on the list can be enrolled in {1}. Enroll them now?", [
		format_number(total, null, 0),
		frappe.utils.escape_html(values.campaign),
	]);
	frappe.confirm(question, async () => {
		await frappe.call({
			method: "drip_campaigns.api.triggers.backfill_existing",
			args: { campaign: values.campaign, audiences: JSON.stringify(message.existing) },
		});
		frappe.set_route("List", "Drip Bulk Enrollment", { campaign: values.campaign });
	});
}
