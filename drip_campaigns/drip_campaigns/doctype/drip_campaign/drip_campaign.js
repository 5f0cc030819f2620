{% include "drip_campaigns/public/js/desk_api.js" %}
{% include "drip_campaigns/public/js/form_buttons.js" %}
{% include "drip_campaigns/public/js/row_filters.js" %}
{% include "drip_campaigns/public/js/step_line.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_actions.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_overview.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_results.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_flow.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/action_value.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/document_values.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/step_action.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/condition_tables.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_conditions.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_triggers.js" %}
{% include "drip_campaigns/public/js/bulk_actions.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_edit.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_proposals.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_pause.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_variants.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_backfill.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_goal.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/send_test.js" %}
{% include "drip_campaigns/drip_campaigns/doctype/drip_campaign/campaign_file.js" %}

frappe.ui.form.on("Drip Campaign", {
	async refresh(frm) {
		frm.set_df_property("status", "read_only", 1);
		add_buttons(frm, CAMPAIGN_BUTTONS);
		offer_enrolling(frm);
		offer_files(frm);
		offer_take_over(frm);
		offer_time_zones(frm);
		prepare_triggers(frm);
		show_goal(frm);
		await load_template_subjects(frm);
		show_template_subjects(frm);
		draw_schedule(frm);
		await load_summary(frm);
		add_buttons(frm, REPAIR_BUTTONS);
		show_counts(frm);
		show_next_move(frm);
		show_proposals(frm);
		await show_results(frm);
	},

	steps_remove: draw_schedule,
	steps_move: draw_schedule,
});

frappe.ui.form.on("Drip Campaign Step", {
	steps_add(frm, doctype, name) {
		suggest_delay(frm, doctype, name);
		draw_schedule(frm);
	},

	async email_template(frm) {
		await load_template_subjects(frm);
		show_template_subjects(frm);
		draw_schedule(frm);
	},

	enabled: draw_schedule,
	send_after_days: draw_schedule,
	send_after_hours: draw_schedule,
	counted_from: draw_schedule,
	subject: draw_schedule,
});

// Less frequent actions are in the menu.
function offer_enrolling(frm) {
	if (frm.is_new() || !frappe.model.can_create("Drip Enrollment")) return;
	const campaign = frm.doc.name;
	if (frm.doc.status !== "Ended") {
		const enroll = () => drip_campaigns.enroll_file({ campaign, on_done: () => frm.reload_doc() });
		frm.page.add_menu_item(__("Enroll from File"), enroll);
	}
	frm.page.add_menu_item(__("Why Not?"), () => drip_campaigns.ask_why_not({ campaign }));
}

// A campaign enrolls records that its owner can read, and is paused when its owner is disabled.
function offer_take_over(frm) {
	const is_own = frm.doc.owner === frappe.session.user;
	if (frm.is_new() || is_own || !frappe.user.has_role(["Drip Manager", "System Manager"])) return;
	const question = __("Become the owner instead of {0}? The campaign will then enroll records that you can read.", [
		frappe.utils.escape_html(frm.doc.owner),
	]);
	const args = { campaign: frm.doc.name };
	frm.page.add_menu_item(__("Take Over"), () =>
		ask_and_call(frm, { method: "take_over_campaign", args, question, label: __("Take Over") })
	);
}

// A new step follows the one above it by two days, counted the same way.
function suggest_delay(frm, doctype, name) {
	const row = frappe.get_doc(doctype, name);
	const above = frm.doc.steps[row.idx - 2];
	if (!above) return;
	const from_start = above.counted_from === "Start";
	frappe.model.set_value(doctype, name, {
		counted_from: above.counted_from,
		send_after_days: from_start ? cint(above.send_after_days) + 2 : 2,
	});
}

async function offer_time_zones(frm) {
	const { message } = await frappe.call("frappe.core.doctype.user.user.get_timezones");
	frm.get_field("time_zone").set_data([...message.timezones].sort());
}

// Load the subjects of Email Templates for the grid and the chart.
async function load_template_subjects(frm) {
	frm.template_subjects = frm.template_subjects || {};
	const names = frm.doc.steps.map((step) => step.email_template);
	const missing = names.filter((name) => name && !(name in frm.template_subjects));
	if (!missing.length) return;
	const templates = await frappe.db.get_list("Email Template", {
		filters: { name: ["in", missing] },
		fields: ["name", "subject"],
		limit: missing.length,
	});
	for (const template of templates) frm.template_subjects[template.name] = template.subject;
}

// For a row without a subject, show its template's subject in gray.
function show_template_subjects(frm) {
	const { grid } = frm.get_field("steps");
	grid.update_docfield_property("subject", "formatter", (value, field, options, step) => {
		const escape = (text) => frappe.utils.escape_html(put_fields_in_brackets(text));
		const turn = step && name_turn(step);
		const inherited = step && frm.template_subjects[step.email_template];
		const name = turn || value || !inherited ? escape(turn || value || "") : `<span class="text-muted">${escape(inherited)}</span>`;
		const flow = step ? describe_flow(step) : "";
		return flow ? `${name} · <span class="text-muted">${escape(flow)}</span>` : name;
	});
	const short = { "Send Email": __("Email"), "Wait Until": __("Wait") };
	grid.update_docfield_property("step_type", "formatter", (value) => short[value] || __(value || ""));
	grid.refresh();
}
