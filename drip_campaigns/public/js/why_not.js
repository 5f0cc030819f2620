// Why not? Rule by rule, whether a record would be enrolled in a campaign.

(() => {
	// options: campaign, recipient_type, recipient: what is known already
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
			? __("It would be enrolled.")
			: __("It would not be enrolled. What stands against it is red.");
		area.html(`<p class="font-weight-bold">${heading}</p><ul class="drip-checks">${answer.checks.map(draw_check).join("")}</ul>`);
	}

	function draw_check({ question, is_met, finding }) {
		const escape = frappe.utils.escape_html;
		return `<li class="${is_met ? "yes" : "no"}"><span class="sign">${is_met ? "✓" : "✗"}</span>
			<span>${escape(question)}<span class="finding">${escape(finding)}</span></span></li>`;
	}
})();
