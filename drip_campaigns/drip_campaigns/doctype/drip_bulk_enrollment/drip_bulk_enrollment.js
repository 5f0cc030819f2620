// Bulk enrollment: choose records by filters, see how many match, and watch the run.

{% include "drip_campaigns/public/js/desk_api.js" %}

const POLL_MS = 2000;

frappe.ui.form.on("Drip Bulk Enrollment", {
	setup(frm) {
		frm.set_query("recipient_type", () => ({ filters: { name: ["in", frm.recipient_types || []] } }));
		frm.set_query("campaign", () => ({ filters: { status: ["!=", "Ended"] } }));
		read_from_desk("get_recipient_types").then((types) => (frm.recipient_types = types));
		frappe.realtime.on("drip_bulk_enrollment", ({ name }) => {
			if (frm.doc && name === frm.doc.name && !frm.is_new()) frm.reload_doc();
		});
	},

	refresh(frm) {
		show_filters(frm);
		show_buttons(frm);
		show_progress(frm);
		show_row_errors(frm);
	},

	recipient_type(frm) {
		frm.set_value("recipient_filters", "[]");
		show_filters(frm);
	},

	async validate(frm) {
		if (frm.is_new() && !frm.doc.campaign_trigger) await confirm_everybody(frm);
	},

	on_hide(frm) {
		clearTimeout(frm.progress_timer);
	},
});

function show_filters(frm) {
	const area = frm.fields_dict.filter_area.$wrapper.empty();
	if (!frm.doc.recipient_type) {
		area.html(`<p class="text-muted">${__("Choose a recipient type first.")}</p>`);
		return;
	}
	if (frm.doc.source_file) {
		area.html(`<p class="text-muted">${__("The rows of the file")}</p>`);
		return;
	}
	if (!frm.is_new()) {
		const filters = JSON.parse(frm.doc.recipient_filters || "[]");
		const lines = filters.map((f) => frappe.utils.escape_html(`${__(f[1])} ${__(f[2])} ${f[3]}`));
		area.html(lines.length ? lines.join("<br>") : __("All records"));
		return;
	}
	const count = $('<p class="text-muted mt-2"></p>');
	frappe.model.with_doctype(frm.doc.recipient_type, () => {
		const group = new frappe.ui.FilterGroup({
			parent: area,
			doctype: frm.doc.recipient_type,
			on_change: () => {
				frm.set_value("recipient_filters", JSON.stringify(group.get_filters().map((f) => f.slice(0, 4))));
				show_count(frm, count);
			},
		});
		group.add_filters_to_filter_group(JSON.parse(frm.doc.recipient_filters || "[]"));
		area.append(count);
		show_count(frm, count);
	});
}

// Ask for confirmation, with the number, when the filters match every record.
async function confirm_everybody(frm) {
	const { campaign, recipient_type, recipient_filters } = frm.doc;
	const figures = await drip_campaigns.call("preview_enrollment", {
		campaign,
		recipient_type,
		filters: recipient_filters || "[]",
	});
	if (!figures || !figures.is_everybody) return;
	const question = __("No filter set: this includes all {1} {0} records that you can read. Enroll the {2} that are eligible?", [
		__(recipient_type),
		format_number(figures.total, null, 0),
		format_number(figures.enrolled + figures.resumed, null, 0),
	]);
	frappe.validated = await new Promise((resolve) => frappe.confirm(question, () => resolve(true), () => resolve(false)));
	if (frappe.validated) frm.doc.confirmed_count = figures.total;
}

function show_count(frm, target) {
	const args = { recipient_type: frm.doc.recipient_type, filters: frm.doc.recipient_filters || "[]" };
	read_from_desk("count_recipients", args).then((n) => {
		target.text(n === 1 ? __("One record matches.") : __("{0} records match.", [format_number(n, null, 0)]));
	});
}

function show_buttons(frm) {
	const going_on = ["Queued", "Running", "Waiting"].includes(frm.doc.status);
	const table = [
		{ label: __("Cancel Run"), method: "cancel_bulk_enrollment", when: going_on },
		{ label: __("Resume"), method: "resume_bulk_enrollment", when: ["Cancelled", "Failed"].includes(frm.doc.status) },
	];
	if (frm.is_new()) {
		frm.set_intro(__("Choose a campaign and the records to enroll. Save to start the run in the background."));
		return;
	}
	frm.disable_save();
	for (const { label, method } of table.filter((row) => row.when)) {
		frm.add_custom_button(label, () =>
			call_desk(method, { name: frm.doc.name }).then(() => frm.reload_doc())
		);
	}
}

function show_progress(frm) {
	clearTimeout(frm.progress_timer);
	if (frm.is_new()) return;
	const { processed, total, enrolled, status } = frm.doc;
	if (["Queued", "Running"].includes(status)) {
		const percent = total ? Math.min(100, (processed / total) * 100) : 0;
		const text = __("{0} of {1} checked, {2} enrolled. You can close this page.", [processed, total, enrolled]);
		frm.dashboard.show_progress(__("Enrolling"), percent, text);
		// Realtime may be off; polling is cheap and stops with the run.
		frm.progress_timer = setTimeout(() => frappe.get_route()[2] === frm.doc.name && frm.reload_doc(), POLL_MS);
	} else {
		frm.dashboard.hide_progress();
	}
}

function show_row_errors(frm) {
	const errors = JSON.parse(frm.doc.row_errors || "[]");
	const field = frm.get_field("row_error_area");
	frm.toggle_display("row_error_area", errors.length > 0);
	const lines = errors.map(
		([row, text]) => `<tr><td class="text-right pr-3">${cint(row)}</td><td>${frappe.utils.escape_html(text)}</td></tr>`
	);
	field.$wrapper.html(`<label class="control-label">${__("Skipped rows: row number and reason")}</label>
		<div style="max-height: 20em; overflow-y: auto"><table class="table table-sm">${lines.join("")}</table></div>`);
}
