{% include "drip_campaigns/public/js/bulk_actions.js" %}
{% include "drip_campaigns/public/js/indicator_filters.js" %}

frappe.listview_settings["Drip Enrollment"] = {
	hide_name_column: true,
	add_fields: ["status", "recipient_name", "recipient", "confirmation"],

	// Of the other statuses the DocType's own states say the color, and Frappe asks here for what they do not name.
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
		list.page.add_menu_item(__("Enroll from a File"), () => drip_campaigns.enroll_file({}));
	},
};

const ENROLLMENT_ACTIONS = [
	{
		label: __("Pause"),
		verb: "Pause",
		question: (count) => __("Pause {0} enrollments? They get no email until you resume them.", [count]),
	},
	{
		label: __("Resume"),
		verb: "Resume",
		question: (count) => __("Resume {0} enrollments? Each goes on at its next step.", [count]),
	},
	{
		label: __("Start Over"),
		verb: "Start Over",
		question: (count) => __("Let {0} start over? They get every step of their campaign again.", [count]),
	},
	{
		label: __("Remove"),
		verb: "Remove",
		question: (count) => __("Remove {0} enrollments? They get no email of their campaign any more.", [count]),
	},
];

// One call for all. One that cannot be done (it is completed, say) does not stop the others.
function act_on_ticked(list, verb, question) {
	const names = list.get_checked_items(true);
	frappe.confirm(question(names.length), async () => {
		tell_outcome(await call_on_board("act_on_enrollments", { verb, enrollments: JSON.stringify(names) }));
		list.clear_checked_items();
		list.refresh();
	});
}
