// A/B variants: the labels to choose from, and the results of each variant as a table with bars.

frappe.ui.form.on("Drip Campaign", {
	async refresh(frm) {
		offer_variant_steps(frm);
		const canvas = get_canvas(frm, "variants").empty();
		if (frm.is_new() || !frm.doc.variants.length) return;
		const { message: steps } = await frappe.call({
			method: "drip_campaigns.api.variants.get_variant_figures",
			args: { campaign: frm.doc.name },
			type: "GET",
		});
		canvas.html(steps.map(make_variant_table).join(""));
		if (!may_change_live(frm)) canvas.find("button[data-variant]").remove();
		canvas.find("button[data-variant]").on("click", function () {
			choose_variant(frm, $(this).attr("data-step"), $(this).attr("data-variant"));
		});
	},
});

frappe.ui.form.on("Drip Campaign Step", { label: offer_variant_steps });

function offer_variant_steps(frm) {
	const labels = frm.doc.steps.map((step) => step.label).filter(Boolean);
	const { grid } = frm.get_field("variants");
	grid.update_docfield_property("step_label", "fieldtype", "Autocomplete");
	grid.update_docfield_property("step_label", "options", labels.join("\n"));
	const in_brackets = (value) => frappe.utils.escape_html(put_fields_in_brackets(value || ""));
	grid.update_docfield_property("subject", "formatter", in_brackets);
}

function make_variant_table({ step, label, criterion, variants, winner, explanation }) {
	const escape = frappe.utils.escape_html;
	const widest = Math.max(...variants.map(({ sent, high }) => (sent ? high : 0)), 0.01);
	const lines = variants.map(({ variant, subject, sent, hits, rate, low, high }) => {
		const place = (share) => `${((100 * share) / widest).toFixed(1)}%`;
		const bar = sent
			? `<span class="drip-interval" style="left: ${place(low)}; width: ${place(high - low)}"></span>
				<span class="drip-rate" style="left: ${place(rate)}"></span>`
			: "";
		const button =
			variant === winner
				? `<span class="indicator-pill green">${__("Winner")}</span>`
				: `<button type="button" class="btn btn-default btn-xs" data-step="${escape(step)}" data-variant="${escape(variant)}">
					${__("Choose")}</button>`;
		return `<tr>
			<td>${escape(variant)}</td><td>${escape(put_fields_in_brackets(subject || ""))}</td>
			<td class="text-right">${sent}</td><td class="text-right">${hits}</td>
			<td class="text-right">${sent ? (100 * rate).toFixed(1) + " %" : "—"}</td>
			<td class="drip-bar" title="${__("95% confidence: {0}% to {1}%", [(100 * low).toFixed(1), (100 * high).toFixed(1)])}">
				<div>${bar}</div></td>
			<td class="text-right">${button}</td>
		</tr>`;
	});
	const undo = winner
		? `<button type="button" class="btn btn-link btn-xs" data-step="${escape(step)}" data-variant="">${__("Continue test")}</button>`
		: "";
	const said = explanation || __("No winner yet. Variants are sent by weight.");
	const heads = [__("Variant"), __("Subject"), __("Sent"), __(criterion), __("Rate"), __("95% confidence"), ""];
	return `<div class="drip-variants"><b>${escape(label)}</b>
		<table class="table table-sm"><thead><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr></thead>
		<tbody>${lines.join("")}</tbody></table>
		<p class="text-muted">${escape(said)} ${undo}</p></div>`;
}

function choose_variant(frm, step, variant) {
	const question = variant
		? __("Send variant {0} to everyone who reaches this step from now on?", [frappe.utils.escape_html(variant)])
		: __("Send the variants by weight again?");
	frappe.confirm(question, async () => {
		await frappe.call("drip_campaigns.api.variants.choose_variant", { campaign: frm.doc.name, step, variant });
		frm.reload_doc();
	});
}
