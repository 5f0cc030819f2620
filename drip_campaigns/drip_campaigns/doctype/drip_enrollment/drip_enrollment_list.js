{% include "drip_campaigns/public/js/bulk_actions.js" %}
{% include "drip_campaigns/public/js/indicator_filters.js" %}

frappe.listview_settings["Drip Enrollment"] = {
	hide_name_column: true,
	add_fields: ["status", "recipient_name", "recipient", "confirmation"],

	// The DocType's states define the colors of the other statuses.
	get_indicator({ status, confirmation }) {
		if (status !== "Scheduled") return;
		return confirmation === "Awaiting"
			? [__("Awaiting Confirmation"), "yellow", "confirmation,=,Awaiting|status,=,Scheduled"]
			: [__("Scheduled"), "blue", "status,=,Scheduled"];
	},

	onload(list) {
		filter_by_indicators(list);
		for (const { label, verb, question } of ENROLLMENT_ACTIONS) {
			list.page.add_actions_menu_item(label, () => act_on_ticked(list, verb, question), false);
		}
		if (!frappe.model.can_create("Drip Enrollment")) return;
		list.page.add_menu_item(__("Why Not?"), () => drip_campaigns.ask_why_not({}));
		list.page.add_menu_item(__("Enroll from File"), () => drip_campaigns.enroll_file({}));
	},
};

const ENROLLMENT_ACTIONS = [
	{
		label: __("Pause"),
		verb: "Pause",
		question: (count) => __("Pause {0} enrollments? They get no emails until you resume them.", [count]),
	},
	{
		label: __("Resume"),
		verb: "Resume",
		question: (count) => __("Resume {0} enrollments? Each continues with its next step.", [count]),
	},
	{
		label: __("Restart"),
		verb: "Restart",
		question: (count) => __("Restart {0} enrollments? They get every step again.", [count]),
	},
	{
		label: __("Remove"),
		verb: "Remove",
		question: (count) => __("Remove {0} enrollments? They get no more emails from their campaigns.", [count]),
	},
];

// One call for all; an enrollment that cannot be changed (because it is completed, for example) does not stop the others.
// The question names how many the verb changes, and why it leaves the others.
async function act_on_ticked(list, verb, question) {
	const request = { verb, enrollments: JSON.stringify(list.get_checked_items(true)) };
	const preview = await call_enrollments("preview_changes", request);
	if (!preview.done) return show_outcome(preview);
	const others = list_refusals(preview.refused);
	const rest = others.length ? `<p class="mt-3 mb-0">${__("Not changed:")}<br>${others.join("<br>")}</p>` : "";
	frappe.confirm(question(preview.done + cint(preview.left)) + rest, async () => {
		show_outcome(await call_enrollments("change_enrollments", request));
		list.clear_checked_items();
		list.refresh();
	});
}
