// Why Not?: show rule by rule whether a record can be enrolled in a campaign.

(() => {
	// options: campaign, recipient_type, recipient: the values that are already known
	drip_campaigns.open_why_not = (options) => {
		const types = frappe.boot.drip_recipient_types || [];
		const dialog = new frappe.ui.Dialog({
			title: __("Why Not?"),
			fields: [
				link("campaign", __("Campaign"), "Drip Campaign", options.campaign),
				{
					fieldname: "recipient_type",
					fieldtype: "Select",
					label: __("Recipient Type"),
					options: types.map((value) => ({ value, label: __(value) })),
					default: options.recipient_type || types[0],
					read_only: options.recipient ? 1 : 0,
					onchange: () => ask(dialog),
				},
				{
					...link("recipient", __("Recipient"), "recipient_type", options.recipient),
					fieldtype: "Dynamic Link",
				},
				{ fieldname: "answer", fieldtype: "HTML" },
			],
		});
		for (const fieldname of ["campaign", "recipient"]) dialog.fields_dict[fieldname].df.onchange = () => ask(dialog);
		dialog.show();
		ask(dialog);
	};

	function link(fieldname, label, options, value) {
		return { fieldname, fieldtype: "Link", label, options, default: value, reqd: 1, read_only: value ? 1 : 0 };
	}

	async function ask(dialog) {
		if (!dialog.fields_dict || !dialog.fields_dict.answer) return;
		const { campaign, recipient_type, recipient } = dialog.get_values(true) || {};
		const area = dialog.fields_dict.answer.$wrapper;
		if (!campaign || !recipient) return area.empty();
		const answer = await drip_campaigns.call("explain_enrollment", { campaign, recipient_type, recipient });
		const heading = answer.would_enroll
			? __("This record can be enrolled.")
			: __("This record can't be enrolled. The reason is marked in red.");
		area.html(`<p class="font-weight-bold">${heading}</p>${draw_checks(answer.checks)}${draw_triggers(answer.triggers)}`);
	}

	const draw_checks = (checks) => `<ul class="drip-checks">${checks.map(draw_check).join("")}</ul>`;

	// The result of each trigger; the rules above always apply.
	function draw_triggers(triggers) {
		if (!triggers.length) return "";
		const escape = frappe.utils.escape_html;
		const parts = triggers.map(
			(trigger) => `<details class="drip-trigger" ${trigger.would_take ? "" : "open"}>
				<summary><span class="${trigger.would_take ? "yes" : "no"}">${trigger.would_take ? "✓" : "✗"}</span>
				${escape(trigger.sentence)}</summary>
				<p class="text-muted small mb-1">${escape(trigger.latest)}</p>${draw_checks(trigger.checks)}</details>`
		);
		return `<p class="font-weight-bold mt-3">${__("By trigger")}</p>${parts.join("")}`;
	}

	function draw_check({ question, is_met, finding }) {
		const escape = frappe.utils.escape_html;
		return `<li class="${is_met ? "yes" : "no"}"><span class="sign">${is_met ? "✓" : "✗"}</span>
			<span>${escape(question)}<span class="finding">${escape(finding)}</span></span></li>`;
	}
})();
